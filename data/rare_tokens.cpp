#include "attune/data/rare_tokens.h"

#include <cstddef>

#include "attune/autograd/array/error.h"
#include "attune/data/vocabulary.h"

namespace attune {

RareTokens::RareTokens(const std::vector<std::int64_t>& counts, double alpha) {
  ATTUNE_CHECK(alpha > 0, "RareTokens: alpha {}; expected a number above 0", alpha);
  for (std::size_t id = 0; id < counts.size(); ++id)
    probability_.push_back(
        id < Vocabulary::specials ? 0 : alpha / (alpha + static_cast<double>(counts[id])));
}

RareTokens::RareTokens(const std::vector<std::int64_t>& counts, double alpha,
                       const std::vector<std::int32_t>& copied_as)
    : RareTokens(counts, alpha) {
  const auto size = static_cast<std::int32_t>(copied_as.size());
  for (std::int32_t id = 0; id < size; ++id) {
    const std::int32_t target = copied_as[static_cast<std::size_t>(id)];
    replacement_.push_back(target == Vocabulary::unknown ? id : size + target);
  }
}

Indices RareTokens::replace(const Indices& ids, Generator& random) const {
  std::vector<std::int32_t> replaced = ids.to_vector();
  for (std::int32_t& id : replaced) {
    const auto place = static_cast<std::size_t>(id);
    if (!replacement_.empty() && place >= replacement_.size()) continue;
    ATTUNE_CHECK(id >= 0 && place < probability_.size(),
                 "RareTokens: index {} is outside of the {} counts", id, probability_.size());
    const double probability = probability_[place];
    if (probability > 0 && random.uniform() < probability)
      id = replacement_.empty() ? Vocabulary::unknown : replacement_[place];
  }
  return Indices(replaced, ids.shape());
}

}  // namespace attune
