#include "attune/search/greedy_search.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>

#include "attune/autograd/array/error.h"
#include "attune/autograd/scopes.h"
#include "attune/data/vocabulary.h"

namespace attune {
namespace {

// The most probable token of one row of logits, the first in case of a tie. Of the special tokens
// only `</s>` is allowed.
template <typename T>
int most_probable(std::span<const T> logits) {
  static_assert(Vocabulary::end < Vocabulary::specials);
  std::size_t best = Vocabulary::end;
  bool has_nan = std::isnan(logits[best]);
  for (std::size_t id = Vocabulary::specials; id < logits.size(); ++id) {
    if (logits[id] > logits[best]) best = id;
    has_nan |= std::isnan(logits[id]);
  }
  ATTUNE_CHECK(!has_nan,
               "greedy_search: a logit is NaN, so no token is the most probable one; are the "
               "model's parameters finite?");
  return static_cast<int>(best);
}

// Generates the targets of one batch.
class Search {
 public:
  Search(const Seq2Seq& model, std::span<const std::vector<int>> sources,
         std::span<const int> max_lengths, std::span<Hypothesis> found)
      : sources_(sources),
        max_lengths_(max_lengths),
        found_(found),
        decoder_(model.decoder()),
        state_(decoder_.start(model.encode(make_sources(sources)))),
        previous_(sources.size(), Vocabulary::start),
        is_done_(sources.size(), false) {}

  void run() {
    while (!std::all_of(is_done_.begin(), is_done_.end(), std::identity{})) {
      const Prediction next = decoder_.predict(Indices(previous_), state_);
      ATTUNE_CHECK(next.logits.size(1) >= Vocabulary::specials,
                   "greedy_search: logits {} for a vocabulary without its {} special tokens",
                   next.logits.shape(), Vocabulary::specials);
      dispatch(next.logits.dtype(), [&](auto type) { extend<decltype(type)>(next); });
    }
  }

 private:
  // Appends the next token and its attention weights to each target.
  template <typename T>
  void extend(const Prediction& next) {
    const Tensor alignment = next.alignment();
    for (std::size_t b = 0; b < found_.size(); ++b) {
      if (is_done_[b]) continue;
      const int token = most_probable(row<T>(next.logits, b));
      found_[b].finished = token == Vocabulary::end;
      is_done_[b] = found_[b].finished || std::ssize(found_[b].tokens) == max_lengths_[b];
      if (is_done_[b]) continue;
      previous_[b] = token;
      found_[b].tokens.push_back(token);
      if (!alignment.defined()) continue;
      const std::span<const T> weights = row<T>(alignment, b).first(sources_[b].size());
      found_[b].weights.insert(found_[b].weights.end(), weights.begin(), weights.end());
    }
  }

  template <typename T>
  static std::span<const T> row(const Tensor& x, std::size_t b) {
    const auto columns = static_cast<std::size_t>(x.size(1));
    const Array& values = x.value();
    return {values.data<T>() + b * columns, columns};
  }

  std::span<const std::vector<int>> sources_;
  std::span<const int> max_lengths_;
  std::span<Hypothesis> found_;
  const Decoder& decoder_;
  DecoderState state_;
  std::vector<std::int32_t> previous_;
  std::vector<bool> is_done_;
};

}  // namespace

std::vector<int> Hypothesis::argmax(std::size_t source_length) const {
  if (weights.empty()) return {};
  ATTUNE_CHECK(source_length > 0 && weights.size() % source_length == 0,
               "argmax: {} weights are not whole rows for a source of {} tokens", weights.size(),
               source_length);
  std::vector<int> positions;
  for (auto row = weights.begin(); row != weights.end();) {
    const auto end = row + static_cast<std::ptrdiff_t>(source_length);
    positions.push_back(static_cast<int>(std::max_element(row, end) - row));
    row = end;
  }
  return positions;
}

std::vector<Hypothesis> greedy_search(const Seq2Seq& model,
                                      std::span<const std::vector<int>> sources,
                                      std::span<const int> max_lengths, int batch_size) {
  ATTUNE_CHECK(batch_size >= 1, "greedy_search: batch size {}; expected at least 1", batch_size);
  ATTUNE_CHECK(max_lengths.size() == sources.size(),
               "greedy_search: {} limits for {} sources; expected one for each", max_lengths.size(),
               sources.size());
  for (const int max_length : max_lengths)
    ATTUNE_CHECK(max_length >= 0, "greedy_search: a limit of {} tokens; expected at least 0",
                 max_length);
  const NoGrad no_grad;
  const Eval eval;
  std::vector<Hypothesis> found(sources.size());
  const auto size = static_cast<std::size_t>(batch_size);
  for (std::size_t first = 0; first < sources.size(); first += size) {
    const std::size_t count = std::min(size, sources.size() - first);
    Search(model, sources.subspan(first, count), max_lengths.subspan(first, count),
           std::span(found).subspan(first, count))
        .run();
  }
  return found;
}

std::vector<Hypothesis> greedy_search(const Seq2Seq& model,
                                      std::span<const std::vector<int>> sources, int max_length,
                                      int batch_size) {
  return greedy_search(model, sources, std::vector<int>(sources.size(), max_length), batch_size);
}

}  // namespace attune
