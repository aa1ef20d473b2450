#pragma once

#include <string>
#include <vector>

#include "attune/layers/layer.h"

namespace seq2seq {

/// A copy of a model's parameters to go back to when a loss is no number.
class LastGood {
 public:
  explicit LastGood(const attune::Layer& model) : parameters_(model.parameters()) {}
  /// Takes a copy, in memory that is used again.
  void keep();
  /// Sets the parameters to the copy, if there is one.
  void restore();
  /// Where the trouble shows first, in the order of the parameters: one with a value that is NaN
  /// or infinite, or else with such a gradient; "" if there is none.
  std::string culprit() const;

 private:
  std::vector<attune::Param> parameters_;
  std::vector<attune::Array> copies_;
};

}  // namespace seq2seq
