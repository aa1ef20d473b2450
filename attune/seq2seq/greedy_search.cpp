#include "attune/seq2seq/greedy_search.h"

#include <algorithm>
#include <cstddef>

#include "attune/autograd/array/error.h"
#include "attune/autograd/ops/reductions.h"
#include "attune/autograd/scopes.h"
#include "attune/seq2seq/vocabulary.h"

namespace attune {
namespace {

// Takes in the tokens that were chosen in one step, and where the decoder looked.
void extend(std::span<Hypothesis> found, std::span<const std::vector<int>> sources,
            const Indices& chosen, const Tensor& weights) {
  for (std::size_t b = 0; b < found.size(); ++b) {
    if (found[b].finished) continue;
    const int token = chosen.at(static_cast<std::int64_t>(b));
    found[b].finished = token == Vocabulary::end;
    if (found[b].finished) continue;
    found[b].tokens.push_back(token);
    if (!weights.defined()) continue;
    const float* row =
        weights.value().data<float>() + static_cast<std::int64_t>(b) * weights.size(1);
    found[b].weights.insert(found[b].weights.end(), row, row + sources[b].size());
  }
}

void search_batch(const Seq2SeqModel& model, std::span<const std::vector<int>> sources,
                  int max_length, std::span<Hypothesis> found) {
  const std::unique_ptr<Writing> writing = model.write(make_sources(sources));
  Indices previous(std::vector<std::int32_t>(sources.size(), Vocabulary::start));

  const auto finished = [](const Hypothesis& one) { return one.finished; };
  for (int t = 0; t < max_length && !std::all_of(found.begin(), found.end(), finished); ++t) {
    const NextToken next = writing->step(previous);
    previous = argmax(next.logits);
    extend(found, sources, previous, next.weights);
  }
}

}  // namespace

std::vector<int> Hypothesis::heaviest(std::size_t source_length) const {
  std::vector<int> positions;
  for (auto row = weights.begin(); row != weights.end();) {
    const auto end = row + static_cast<std::ptrdiff_t>(source_length);
    positions.push_back(static_cast<int>(std::max_element(row, end) - row));
    row = end;
  }
  return positions;
}

std::vector<Hypothesis> greedy_search(const Seq2SeqModel& model,
                                      std::span<const std::vector<int>> sources, int max_length,
                                      int batch_size) {
  ATTUNE_CHECK(batch_size >= 1, "greedy_search: batch size {}; expected at least 1", batch_size);
  const NoGrad no_grad;
  const Eval eval;
  std::vector<Hypothesis> found(sources.size());
  const auto size = static_cast<std::size_t>(batch_size);
  for (std::size_t first = 0; first < sources.size(); first += size) {
    const std::size_t count = std::min(size, sources.size() - first);
    search_batch(model, sources.subspan(first, count), max_length,
                 std::span(found).subspan(first, count));
  }
  return found;
}

}  // namespace attune
