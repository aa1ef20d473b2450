#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/autograd/array/family.h"
#include "attune/layers/layer.h"

namespace attune {

/// Tells a sequence's positions apart: attention by itself sees a set and no order. Adds to every
/// x_t something that depends on t alone.
class PositionalEncoding : public Layer {
 public:
  /// x [T, B, features] -> [T, B, features]. Position t of x is position first + t of the sequence:
  /// in decoding x is the newest position only.
  virtual Tensor operator()(const Tensor& x, std::int64_t first = 0) const = 0;

 protected:
  /// Errors: x is not [T, B, features]; `first` is below 0. `layer` names the layer in them.
  static void check(const char* layer, const Tensor& x, std::int64_t features, std::int64_t first);
};

using PositionalEncodingMaker =
    std::function<std::shared_ptr<PositionalEncoding>(std::int64_t features, std::int64_t longest)>;

/// The positional encodings that can be chosen by name. `longest` is for those that are learned.
Family<PositionalEncodingMaker>& positional_encodings();
/// A positional encoding by name. Errors: an unknown name; the message lists the known ones.
std::shared_ptr<PositionalEncoding> make_positional_encoding(std::string_view kind,
                                                             std::int64_t features,
                                                             std::int64_t longest);
/// The names that make_positional_encoding() knows.
std::vector<std::string> positional_encoding_names();

}  // namespace attune
