#include "attune/train/live_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <sstream>
#include <string_view>
#include <utility>

#include "attune/alignment/heat_map.h"
#include "attune/autograd/array/random.h"
#include "attune/autograd/ops/reductions.h"
#include "attune/search/forced_decoding.h"
#include "attune/train/run.h"

namespace attune {
namespace {

constexpr int kNarrowest = 20;  // columns of a heat map

// Bars for values of a logarithmic scale, of which there are at most `columns`: means of
// consecutive ones.
std::string sparkline(const std::vector<double>& values, std::size_t columns) {
  constexpr std::array<std::string_view, 8> kBars = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const std::size_t bars = std::min(columns, values.size());
  std::vector<double> heights;
  for (std::size_t i = 0; i < bars; ++i) {
    const std::size_t first = i * values.size() / bars, last = (i + 1) * values.size() / bars;
    double sum = 0;
    for (std::size_t k = first; k < last; ++k) sum += values[k];
    heights.push_back(std::log(std::max(sum / static_cast<double>(last - first), 1e-12)));
  }
  const auto [low, high] = std::minmax_element(heights.begin(), heights.end());
  std::string line;
  for (const double height : heights) {
    const double part = *high > *low ? (height - *low) / (*high - *low) : 0;
    line += kBars[static_cast<std::size_t>(std::lround(part * (kBars.size() - 1)))];
  }
  return line;
}

// The alignment of a pair with its target given: the last layer's, averaged over its heads.
Alignment forced_alignment(const Run& run, const Question& question) {
  const GeneratorScope draws{Generator()};
  const Example example = example_of(question);
  const std::vector<Tensor> weights = attention_weights(*run.model, example);
  Hypothesis hypothesis;
  hypothesis.tokens = example.target;
  if (!weights.empty()) hypothesis.weights = mean(weights.back(), 0).value().to_vector<float>();
  return alignment_of(run, question.source, hypothesis, question.text.source);
}

}  // namespace

void LossHistory::add(double loss) {
  sum_ += loss;
  if (++count_ < each_) return;
  means_.push_back(sum_ / static_cast<double>(count_));
  sum_ = 0, count_ = 0;
  if (means_.size() < kMost) return;
  for (std::size_t i = 0; i < kMost / 2; ++i) means_[i] = (means_[2 * i] + means_[2 * i + 1]) / 2;
  means_.resize(kMost / 2);
  each_ *= 2;
}

std::vector<double> LossHistory::means() const {
  std::vector<double> finite;
  std::copy_if(means_.begin(), means_.end(), std::back_inserter(finite),
               [](double mean) { return std::isfinite(mean); });
  return finite;
}

std::string LossHistory::line(int columns) const {
  const std::vector<double> values = means();
  if (values.empty()) return "";
  const std::string before = fmt::format("loss {:.3g} ", values.front()),
                    after = fmt::format(" {:.3g}", values.back());
  const int room = columns - static_cast<int>(before.size() + after.size());
  constexpr int kFewest = 4, kMostBars = 60;
  if (room < kFewest) return "";
  return before + sparkline(values, static_cast<std::size_t>(std::min(room, kMostBars))) + after;
}

LiveView::LiveView(const Run& run, std::vector<Question> questions)
    : run_(run), questions_(std::move(questions)) {
  std::erase_if(questions_, [](const Question& question) {
    return question.source.empty() || question.references.front().empty();
  });
}

std::vector<std::string> LiveView::heat_map(TerminalSize room) const {
  if (room.columns < kNarrowest) return {};
  for (const Question& question : questions_) {
    std::vector<std::string> lines;
    std::istringstream text(
        to_terminal(forced_alignment(run_, question), terminal_color(stderr), room.columns));
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    if (static_cast<int>(lines.size()) <= room.rows) return lines;
  }
  return {};
}

std::vector<std::string> LiveView::lines(TerminalSize room) {
  std::vector<std::string> all;
  if (room.rows < 1) return all;
  if (std::string loss = losses_.line(room.columns); !loss.empty()) all.push_back(std::move(loss));
  const TerminalSize left{room.columns, room.rows - static_cast<int>(all.size())};
  if (const auto begin = Clock::now(); begin >= next_) {
    map_ = heat_map(left);
    map_columns_ = left.columns;
    const auto end = Clock::now();
    next_ = end + std::max<Clock::duration>(std::chrono::milliseconds(500), 20 * (end - begin));
  }
  // The terminal may have become smaller since the map was drawn.
  if (map_columns_ <= left.columns && std::ssize(map_) <= left.rows)
    all.insert(all.end(), map_.begin(), map_.end());
  return all;
}

}  // namespace attune
