#include "attune/data/text_form.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include "attune/autograd/array/error.h"
#include "attune/autograd/array/text.h"
#include "attune/data/utf8_words.h"

namespace attune {
namespace {

constexpr std::array<std::string_view, 3> form_names = {"none", "nfc", "nfkc"};

std::string normalized(std::string_view line, NormalForm form) {
  const int compatible = form == NormalForm::nfkc ? UTF8PROC_COMPAT : 0;
  utf8proc_uint8_t* result = nullptr;
  const utf8proc_ssize_t size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(line.data()),
                   static_cast<utf8proc_ssize_t>(line.size()), &result,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | compatible));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(result, &std::free);
  ATTUNE_CHECK(size >= 0, "text: cannot be normalised: {}", utf8proc_errmsg(size));
  return {reinterpret_cast<const char*>(result), static_cast<std::size_t>(size)};
}

}  // namespace

std::string_view name_of(NormalForm form) { return form_names[static_cast<std::size_t>(form)]; }

NormalForm normal_form_named(std::string_view name) {
  const auto found = std::find(form_names.begin(), form_names.end(), name);
  ATTUNE_CHECK(found != form_names.end(), "normal form: unknown name '{}'; known names: {}", name,
               joined(form_names));
  return static_cast<NormalForm>(found - form_names.begin());
}

std::string in_form(std::string_view line, const TextForm& form) {
  std::string text = form.normalization == NormalForm::none ? std::string(line)
                                                            : normalized(line, form.normalization);
  return form.lowercase ? utf8::lower(text) : text;
}

}  // namespace attune
