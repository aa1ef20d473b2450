#include "attune/search/search.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/ops/matmul.h"
#include "attune/data/vocabulary.h"
#include "attune/search/target_search.h"

namespace attune {
namespace {

void check(const SamplingOptions& options) {
  ATTUNE_CHECK(options.temperature > 0 && std::isfinite(options.temperature),
               "search: temperature {}; expected a number above 0", options.temperature);
  ATTUNE_CHECK(options.top_k >= 0, "search: top-k {}; expected at least 1, or 0 for all tokens",
               options.top_k);
  ATTUNE_CHECK(options.top_p > 0 && options.top_p <= 1,
               "search: top-p {}; expected a probability in (0, 1]", options.top_p);
}

void check(const SearchOptions& options) {
  ATTUNE_CHECK(options.beam >= 1, "search: a beam of {}; expected at least 1", options.beam);
  ATTUNE_CHECK(options.n_best >= 1 && (options.sampling || options.n_best <= options.beam),
               "search: the {} best hypotheses of a beam of {}; expected at least 1, and no more "
               "than the beam",
               options.n_best, options.beam);
  for (const double penalty : {options.length_penalty, options.coverage_penalty})
    ATTUNE_CHECK(penalty >= 0 && std::isfinite(penalty),
                 "search: a penalty of {}; expected a number from 0", penalty);
  ATTUNE_CHECK(options.no_repeat_ngram >= 0,
               "search: no repeated n-grams of {} tokens; expected at least 1, or 0 to allow them",
               options.no_repeat_ngram);
  ATTUNE_CHECK(options.batch_size >= 1, "search: batch size {}; expected at least 1",
               options.batch_size);
  if (options.sampling) check(*options.sampling);
}

void check(const SearchInput& input) {
  ATTUNE_CHECK(input.max_length >= 0, "search: a limit of {} tokens; expected at least 0",
               input.max_length);
  ATTUNE_CHECK(std::ssize(input.prefix) <= input.max_length,
               "search: a prefix of {} tokens for targets of at most {}", input.prefix.size(),
               input.max_length);
  for (const int token : input.prefix)
    ATTUNE_CHECK(token >= Vocabulary::specials || token == Vocabulary::unknown,
                 "search: a prefix with token {}, which targets never contain", token);
}

Encoded encode(const Seq2Seq& model, std::span<const SearchInput* const> inputs) {
  if (!model.has_encoder()) return {};
  std::vector<std::vector<int>> sources;
  for (const SearchInput* input : inputs) sources.push_back(input->source);
  return model.encode(make_sources(sources));
}

bool is_identity(const std::vector<std::int32_t>& rows, std::int64_t count) {
  if (std::ssize(rows) != count) return false;
  for (std::int32_t i = 0; i < count; ++i)
    if (rows[static_cast<std::size_t>(i)] != i) return false;
  return true;
}

// Looks at the tokens that may follow the hypotheses: those of the most probable hypothesis of each
// source first, and then those of others that the next step still depends on.
void look_at_tokens(std::span<TargetSearch> searches, NextTokens& next) {
  // Logits are computed for so many rows at a time, or nearly twice as many: for fewer, a product
  // mostly waits for its weights, and those of more do not fit into the L2 cache.
  constexpr std::size_t kRows = 16;
  const auto open = static_cast<std::size_t>(
      std::count_if(searches.begin(), searches.end(),
                    [](const TargetSearch& search) { return search.rows() > 0; }));
  const auto of_each = static_cast<std::int64_t>((kRows + open - 1) / open);
  struct Needed {
    TargetSearch* search;
    std::int64_t index;
  };
  for (std::int64_t first = 0;; first += of_each) {
    std::vector<Needed> needed;
    std::vector<std::int32_t> rows;
    std::int64_t row = 0;
    for (TargetSearch& search : searches) {
      for (std::int64_t i = first; i < first + of_each && search.needs(i); ++i) {
        needed.push_back({&search, i});
        rows.push_back(static_cast<std::int32_t>(row + i));
      }
      row += search.rows();
    }
    if (needed.empty()) return;
    const std::size_t parts = std::max<std::size_t>(1, needed.size() / kRows);
    for (std::size_t part = 0; part < parts; ++part) {
      const std::size_t begin = part * kRows;
      const std::size_t end = part + 1 < parts ? begin + kRows : needed.size();
      next.compute(std::span(rows).subspan(begin, end - begin));
      for (std::size_t i = begin; i < end; ++i)
        needed[i].search->look_at(needed[i].index, next, rows[i]);
    }
  }
}

// Searches the targets of one batch of sources. The rows of a step are the live hypotheses of the
// first source, then those of the second, and so on.
std::vector<TargetSearch> search_batch(const Seq2Seq& model,
                                       std::span<const SearchInput* const> inputs,
                                       const SearchOptions& options) {
  const NoGrad no_grad;
  const Eval eval;
  std::vector<TargetSearch> searches;
  for (const SearchInput* input : inputs) searches.emplace_back(*input, options);
  const Decoder& decoder = model.decoder();
  DecoderState state = decoder.start(encode(model, inputs));
  state.weights = options.weights || options.coverage_penalty > 0;
  state.logits = false;
  std::vector<std::int32_t> tokens(searches.size(), Vocabulary::start);
  while (!tokens.empty()) {
    const Prediction prediction = decoder.predict(Indices(tokens), state);
    NextTokens next(prediction);
    look_at_tokens(searches, next);
    const Tensor alignment = prediction.alignment();
    NextRows going_on;
    std::int64_t row = 0;
    for (TargetSearch& search : searches) {
      const std::int64_t rows = search.rows();
      if (rows > 0) search.step(next, alignment, row, going_on);
      row += rows;
    }
    if (!going_on.rows.empty() && !is_identity(going_on.rows, row))
      state = state.select(Indices(going_on.rows));
    tokens = std::move(going_on.tokens);
  }
  return searches;
}

// The indices of the inputs, the longest sources first.
std::vector<std::size_t> by_length(std::span<const SearchInput> inputs) {
  std::vector<std::size_t> order(inputs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return inputs[a].source.size() > inputs[b].source.size();
  });
  return order;
}

}  // namespace

std::vector<std::vector<Hypothesis>> search(const Seq2Seq& model,
                                            std::span<const SearchInput> inputs,
                                            const SearchOptions& options) {
  check(options);
  for (const SearchInput& input : inputs) check(input);
  const std::vector<std::size_t> order = by_length(inputs);
  std::vector<const SearchInput*> sorted;
  for (const std::size_t i : order) sorted.push_back(&inputs[i]);
  // Smaller batches if there would otherwise be threads without one; but where the bits of a row
  // depend on how many there are, batches must not depend on the number of threads.
  const std::int64_t count = std::ssize(inputs);
  const std::int64_t parts = rows_are_independent() ? threads() : 1;
  const std::int64_t size =
      std::clamp<std::int64_t>((count + parts - 1) / parts, 1, options.batch_size);
  std::vector<std::vector<Hypothesis>> found(inputs.size());
  const auto run_batch = [&](std::int64_t first, std::int64_t last) {
    const auto begin = static_cast<std::size_t>(first), end = static_cast<std::size_t>(last);
    const auto batch = std::span(sorted).subspan(begin, end - begin);
    const std::vector<TargetSearch> searches = search_batch(model, batch, options);
    for (std::size_t i = begin; i < end; ++i) found[order[i]] = searches[i - begin].found();
  };
  parallel_for(count, size, run_batch, Teams::of_equal_parts);
  return found;
}

}  // namespace attune
