#include <string_view>

#include "attune/alignment/heat_map.h"
#include "attune/autograd/array/error.h"

#ifdef ATTUNE_CAIRO
#include <cairo-pdf.h>
#include <pango/pangocairo.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <memory>
#include <numbers>

#include "attune/alignment/picture.h"
#endif

namespace attune {

bool has_cairo() {
#ifdef ATTUNE_CAIRO
  return true;
#else
  return false;
#endif
}

void require_cairo(std::string_view operation) {
  ATTUNE_CHECK(has_cairo(),
               "{}: this program was built without cairo and pango, which draw PNG and PDF files; "
               "install libcairo2-dev and libpango1.0-dev (Debian's names) and build it again, or "
               "draw an SVG picture",
               operation);
}

#ifdef ATTUNE_CAIRO
namespace {

using namespace heat_map;

template <auto release>
struct Release {
  template <typename T>
  void operator()(T* object) const {
    release(object);
  }
};
using Surface = std::unique_ptr<cairo_surface_t, Release<cairo_surface_destroy>>;
using Context = std::unique_ptr<cairo_t, Release<cairo_destroy>>;
using Pattern = std::unique_ptr<cairo_pattern_t, Release<cairo_pattern_destroy>>;
using FontOptions = std::unique_ptr<cairo_font_options_t, Release<cairo_font_options_destroy>>;
using FontDescription = std::unique_ptr<PangoFontDescription, Release<pango_font_description_free>>;
template <typename T>
using GlibObject = std::unique_ptr<T, Release<g_object_unref>>;

void check(cairo_status_t status, std::string_view operation) {
  ATTUNE_CHECK(status == CAIRO_STATUS_SUCCESS, "{}: cairo: {}", operation,
               cairo_status_to_string(status));
}

// Lines of text in fonts whose widths are the same at all sizes of the picture.
class TextPainter {
 public:
  TextPainter()
      : context_(pango_font_map_create_context(pango_cairo_font_map_get_default())),
        layout_(pango_layout_new(context_.get())) {
    const FontOptions options(cairo_font_options_create());
    cairo_font_options_set_hint_style(options.get(), CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options.get(), CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options.get(), CAIRO_ANTIALIAS_GRAY);
    pango_cairo_context_set_font_options(context_.get(), options.get());
    pango_context_set_round_glyph_positions(context_.get(), FALSE);
    // As in SVG: an arrow between right-to-left texts points to the right.
    pango_context_set_base_dir(context_.get(), PANGO_DIRECTION_LTR);
    pango_layout_set_auto_dir(layout_.get(), FALSE);
    pango_layout_set_single_paragraph_mode(layout_.get(), TRUE);
  }

  double width_of(std::string_view text, Font font, double size) const {
    set(text, font, size);
    return width();
  }

  void draw(cairo_t* cairo, const Text& text, Font font, double size) const {
    set(text.text, font, size);
    cairo_save(cairo);
    cairo_translate(cairo, text.x, text.y);
    cairo_rotate(cairo, -text.angle * std::numbers::pi / 180);
    const double part = text.anchor == Anchor::start ? 0 : text.anchor == Anchor::middle ? 0.5 : 1;
    cairo_move_to(cairo, -part * width(), -in_pixels(pango_layout_get_baseline(layout_.get())));
    pango_cairo_update_layout(cairo, layout_.get());
    pango_cairo_show_layout(cairo, layout_.get());
    cairo_restore(cairo);
  }

 private:
  static double in_pixels(int units) { return static_cast<double>(units) / PANGO_SCALE; }

  void set(std::string_view text, Font font, double size) const {
    const FontDescription description(pango_font_description_new());
    pango_font_description_set_family_static(description.get(),
                                             font == Font::mono ? "monospace" : "sans-serif");
    if (font == Font::bold)
      pango_font_description_set_weight(description.get(), PANGO_WEIGHT_SEMIBOLD);
    pango_font_description_set_absolute_size(description.get(), size * PANGO_SCALE);
    pango_layout_set_font_description(layout_.get(), description.get());
    pango_layout_set_text(layout_.get(), text.data(), static_cast<int>(text.size()));
  }

  double width() const {
    PangoRectangle rectangle;
    pango_layout_get_extents(layout_.get(), nullptr, &rectangle);
    return in_pixels(rectangle.width);
  }

  GlibObject<PangoContext> context_;
  GlibObject<PangoLayout> layout_;
};

void set_color(cairo_t* cairo, Color color) {
  cairo_set_source_rgb(cairo, red(color) / 255.0, green(color) / 255.0, blue(color) / 255.0);
}

void draw_color_bar(cairo_t* cairo, const Picture& picture) {
  const double bottom = picture.bar_y + picture.bar_height;
  const Pattern gradient(cairo_pattern_create_linear(0, bottom, 0, picture.bar_y));
  for (std::size_t i = 0; i < paper.size(); ++i)
    cairo_pattern_add_color_stop_rgb(gradient.get(), static_cast<double>(i) / (paper.size() - 1),
                                     red(paper[i]) / 255.0, green(paper[i]) / 255.0,
                                     blue(paper[i]) / 255.0);
  cairo_set_source(cairo, gradient.get());
  cairo_rectangle(cairo, picture.bar_x, picture.bar_y, picture.bar_width, picture.bar_height);
  cairo_fill(cairo);
  set_color(cairo, kGrey);
  cairo_set_line_width(cairo, 1);
  for (const double y : picture.ticks) {
    cairo_move_to(cairo, picture.bar_x + picture.bar_width, y);
    cairo_rel_line_to(cairo, kTick, 0);
  }
  cairo_stroke(cairo);
}

// Draws the picture on a surface, each of its pixels `scale` units wide.
void draw(cairo_surface_t* surface, const Picture& picture, const TextPainter& painter,
          double scale, std::string_view operation) {
  const Context context(cairo_create(surface));
  cairo_t* cairo = context.get();
  cairo_scale(cairo, scale, scale);
  cairo_set_source_rgb(cairo, 1, 1, 1);
  cairo_paint(cairo);
  for (const Cell& cell : picture.cells) {
    set_color(cairo, cell.color);
    cairo_rectangle(cairo, cell.x, cell.y, picture.cell_size, picture.cell_size);
    cairo_fill(cairo);
  }
  draw_color_bar(cairo, picture);
  for (const TextGroup& group : picture.texts) {
    set_color(cairo, group.color);
    for (const Text& text : group.texts) painter.draw(cairo, text, group.font, group.size);
  }
  check(cairo_status(cairo), operation);
}

cairo_status_t append(void* bytes, const unsigned char* data, unsigned int size) {
  try {
    static_cast<std::string*>(bytes)->append(reinterpret_cast<const char*>(data), size);
    return CAIRO_STATUS_SUCCESS;
  } catch (const std::exception&) {
    return CAIRO_STATUS_NO_MEMORY;
  }
}

Picture lay_out(const AlignmentFigure& figure, const TextPainter& painter) {
  return heat_map::lay_out(figure, [&](std::string_view text, Font font, double size) {
    return painter.width_of(text, font, size);
  });
}

}  // namespace

std::string to_png(const AlignmentFigure& figure) {
  const TextPainter painter;
  const Picture picture = lay_out(figure, painter);
  const double scale = std::min({2.0, 32000 / std::max(picture.width, picture.height),
                                 std::sqrt(1e8 / (picture.width * picture.height))});
  const Surface surface(cairo_image_surface_create(
      CAIRO_FORMAT_RGB24, static_cast<int>(std::ceil(picture.width * scale)),
      static_cast<int>(std::ceil(picture.height * scale))));
  draw(surface.get(), picture, painter, scale, "to_png");
  std::string bytes;
  check(cairo_surface_write_to_png_stream(surface.get(), append, &bytes), "to_png");
  return bytes;
}

std::string to_pdf(const AlignmentFigure& figure) {
  constexpr double kPoint = 0.75;  // points in a pixel
  const TextPainter painter;
  const Picture picture = lay_out(figure, painter);
  std::string bytes;
  const Surface surface(cairo_pdf_surface_create_for_stream(append, &bytes, picture.width * kPoint,
                                                            picture.height * kPoint));
  cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_TITLE, picture.title.c_str());
  draw(surface.get(), picture, painter, kPoint, "to_pdf");
  cairo_surface_finish(surface.get());
  check(cairo_surface_status(surface.get()), "to_pdf");
  return bytes;
}

#else

std::string to_png(const AlignmentFigure&) {
  require_cairo("to_png");
  return {};
}

std::string to_pdf(const AlignmentFigure&) {
  require_cairo("to_pdf");
  return {};
}

#endif

}  // namespace attune
