#include "attune/layers/attention/locality.h"

namespace attune {

Family<LocalityMaker>& localities() {
  static Family<LocalityMaker> family(
      "locality",
      {
          {"global", "all keys", "Luong et al. 2015, sec. 3.1",
           [](const LocalityOptions&) { return nullptr; }},
          {"local_m", "the keys around position t at step t; window=10",
           "Luong et al. 2015, sec. 3.2", ATTUNE_MAKER(LocalityMaker, make_monotonic_locality)},
          {"local_p", "the keys around a predicted position; window=10, hidden=Q",
           "Luong et al. 2015, eq. 9 and 10",
           ATTUNE_MAKER(LocalityMaker, make_predictive_locality)},
      });
  return family;
}

std::shared_ptr<Locality> make_locality(std::string_view name, const LocalityOptions& options) {
  return localities().make(name, options);
}

std::vector<std::string> locality_names() { return localities().names(); }

}  // namespace attune
