#include "attune/data/text_windows.h"

#include <algorithm>
#include <utility>

#include "attune/autograd/array/digest.h"
#include "attune/autograd/array/error.h"
#include "attune/data/vocabulary.h"

namespace attune {
namespace {

// Part of a text: the tokens from `first` on, of which the first `known` do not count.
struct Window {
  std::size_t first, length, known = 0;
};

Batch batch_of(std::span<const int> text, std::span<const Window> windows) {
  std::size_t steps = 0;
  for (const Window& window : windows) steps = std::max(steps, window.length);
  const std::size_t columns = windows.size();
  std::vector<std::int32_t> input(steps * columns, Vocabulary::pad);
  std::vector<std::int32_t> output(steps * columns, kIgnore);
  std::int64_t tokens = 0;
  for (std::size_t b = 0; b < columns; ++b) {
    const auto [first, length, known] = windows[b];
    input[b] = Vocabulary::start;
    for (std::size_t t = 0; t + 1 < length; ++t) input[(t + 1) * columns + b] = text[first + t];
    for (std::size_t t = known; t < length; ++t) output[t * columns + b] = text[first + t];
    tokens += static_cast<std::int64_t>(length - known);
  }
  const Shape shape{static_cast<std::int64_t>(steps), static_cast<std::int64_t>(columns)};
  return {{}, Indices(input, shape), Indices(output, shape), tokens};
}

}  // namespace

double fingerprint_of(std::span<const int> text) {
  Digest digest;
  for (const int token : text) digest.add(static_cast<std::uint64_t>(token));
  return static_cast<double>(digest.value() >> 11);
}

TextWindows::TextWindows(std::vector<int> text, int context, int batch_size, std::uint64_t seed)
    : text_(std::move(text)), context_(context), batch_size_(batch_size), generator_(seed) {
  ATTUNE_CHECK(context >= 1, "TextWindows: a context of {} tokens; expected at least 1", context);
  ATTUNE_CHECK(batch_size >= 1, "TextWindows: batch size {}; expected at least 1", batch_size);
  ATTUNE_CHECK(std::ssize(text_) >= context,
               "TextWindows: a text of {} tokens, but windows of {}; expected a longer text",
               text_.size(), context);
  fingerprint_ = fingerprint_of(text_);
}

Batch TextWindows::next() {
  std::vector<Window> windows;
  const auto length = static_cast<std::size_t>(context_);
  for (int b = 0; b < batch_size_; ++b)
    windows.push_back(
        {static_cast<std::size_t>(generator_.below(std::ssize(text_) - context_ + 1)), length});
  return batch_of(text_, windows);
}

NamedArrays TextWindows::state() const {
  return {{"draws", number_array(static_cast<double>(generator_.draws()))},
          {"text", number_array(fingerprint_)}};
}

void TextWindows::load_state(const NamedArrays& state) {
  const auto draws = static_cast<std::uint64_t>(count_in(state, "draws"));
  ATTUNE_CHECK(number_in(state, "text") == fingerprint_,
               "TextWindows: the state is that of another text");
  generator_ = Generator(generator_.seed(), draws);
}

std::vector<Batch> overlapping_windows(std::span<const int> text, int context, int batch_size) {
  ATTUNE_CHECK(!text.empty(), "overlapping_windows: the text has no tokens");
  ATTUNE_CHECK(context >= 2, "overlapping_windows: a context of {} tokens; expected at least 2",
               context);
  ATTUNE_CHECK(batch_size >= 1, "overlapping_windows: batch size {}; expected at least 1",
               batch_size);
  const auto longest = static_cast<std::size_t>(context), step = longest - longest / 2;
  std::vector<Window> windows;
  for (std::size_t first = 0, counted = 0; counted < text.size(); first += step) {
    const std::size_t length = std::min(longest, text.size() - first);
    windows.push_back({first, length, counted - first});
    counted = first + length;
  }
  std::vector<Batch> batches;
  const auto size = static_cast<std::size_t>(batch_size);
  for (std::size_t i = 0; i < windows.size(); i += size)
    batches.push_back(
        batch_of(text, std::span(windows).subspan(i, std::min(size, windows.size() - i))));
  return batches;
}

}  // namespace attune
