#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/autograd/array/family.h"
#include "attune/layers/layer.h"

namespace attune {

/// Base class of positional encodings, which add to every x_t a vector that depends only on t.
/// Without them, attention does not depend on the order of positions.
class PositionalEncoding : public Layer {
 public:
  /// x [T, B, features] -> [T, B, features]. Position t of x is position first + t of the sequence,
  /// since in decoding x is the newest position only. Errors: as check().
  virtual Tensor operator()(const Tensor& x, std::int64_t first = 0) const = 0;

 protected:
  /// Errors: x is not [T, B, features]; `first` is below 0. Messages start with `layer`.
  static void check(const char* layer, const Tensor& x, std::int64_t features, std::int64_t first);
};

using PositionalEncodingMaker =
    std::function<std::shared_ptr<PositionalEncoding>(std::int64_t features, std::int64_t longest)>;

/// The positional encodings that can be chosen by name. Only learned ones use `longest`.
Family<PositionalEncodingMaker>& positional_encodings();
/// Makes the positional encoding called `kind`. Errors: an unknown name (the message lists the
/// valid ones); `features` below 1.
std::shared_ptr<PositionalEncoding> make_positional_encoding(std::string_view kind,
                                                             std::int64_t features,
                                                             std::int64_t longest);
/// The names that make_positional_encoding() accepts.
std::vector<std::string> positional_encoding_names();

}  // namespace attune
