#include "last_good.h"

#include <fmt/format.h>

#include <cstddef>

namespace seq2seq {

void LastGood::keep() {
  const bool first = copies_.empty();
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const attune::Array& value = parameters_[i].value.value();
    first ? copies_.push_back(value.clone()) : copies_[i].assign(value);
  }
}

void LastGood::restore() {
  for (std::size_t i = 0; i < copies_.size(); ++i) parameters_[i].value.value().assign(copies_[i]);
}

std::string LastGood::culprit() const {
  for (const auto& [name, tensor] : parameters_)
    if (!tensor.value().all_finite()) return fmt::format("the values of parameter '{}'", name);
  for (const auto& [name, tensor] : parameters_)
    if (tensor.grad().defined() && !tensor.grad().all_finite())
      return fmt::format("the gradient of parameter '{}'", name);
  return "";
}

}  // namespace seq2seq
