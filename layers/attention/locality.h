#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/autograd/array/family.h"
#include "attune/autograd/ops/mask.h"
#include "attune/layers/attention/attention_state.h"
#include "attune/layers/layer.h"

namespace attune {

/// The part of the source that one step of attention is limited to.
struct Neighbourhood {
  Mask mask = {};      ///< of one query for each row
  Tensor factor = {};  ///< [B, S]: multiplies the normalised weights; not defined: 1
};

/// Base class of what restricts attention to a part of the source before its scores are normalised.
/// A new one is a small class in a file of its own, and a row of localities().
class Locality : public Layer {
 public:
  /// The neighbourhood of one query for each row, query [B, Q], over S keys, of which lengths [B]
  /// are present (not defined: all). `state` is that of the previous step.
  virtual Neighbourhood operator()(const Tensor& query, const Indices& lengths, std::int64_t keys,
                                   const AttentionState& state) const = 0;
};

/// What a locality that is chosen by name is made from.
struct LocalityOptions {
  std::int64_t query_size = 0;  ///< Q
  Arguments arguments = {};     ///< options of that locality alone
};

using LocalityMaker = std::function<std::shared_ptr<Locality>(const LocalityOptions&)>;

/// The localities that can be chosen by name; the maker of "global" gives null, no restriction.
Family<LocalityMaker>& localities();
/// Makes the locality called `name`, which may be followed by options of its own, as in
/// "local_m:window=3"; see Family::make(). Errors: an unknown name (the message lists the valid
/// ones); an unknown option, or a value out of its range.
std::shared_ptr<Locality> make_locality(std::string_view name, const LocalityOptions& options);
/// The names that make_locality() accepts.
std::vector<std::string> locality_names();

}  // namespace attune
