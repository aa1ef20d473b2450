#include "attune/train/parameter_copy.h"

#include <cstddef>
#include <utility>

#include "attune/autograd/array/error.h"

namespace attune {

ParameterCopy::ParameterCopy(const Layer& model) : parameters_(model.parameters()) {
  for (Param& buffer : model.buffers()) parameters_.push_back(std::move(buffer));
}

void ParameterCopy::take() {
  const bool first = copies_.empty();
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Array& value = std::as_const(parameters_[i].value).value();
    first ? copies_.push_back(value.clone()) : copies_[i].assign(value);
  }
}

void ParameterCopy::restore() {
  for (std::size_t i = 0; i < copies_.size(); ++i) parameters_[i].value.value().assign(copies_[i]);
}

NamedArrays ParameterCopy::state() const {
  NamedArrays result;
  for (std::size_t i = 0; i < copies_.size(); ++i)
    result.emplace_back(parameters_[i].name, copies_[i]);
  return result;
}

void ParameterCopy::load_state(const NamedArrays& state) {
  ATTUNE_CHECK(state.empty() || state.size() == parameters_.size(),
               "load_state: {} arrays for a copy of {} parameters", state.size(),
               parameters_.size());
  std::vector<Array> copies;
  for (std::size_t i = 0; i < state.size(); ++i) {
    const auto& [name, value] = state[i];
    const Tensor& parameter = parameters_[i].value;
    ATTUNE_CHECK(name == parameters_[i].name && value.shape() == parameter.shape(),
                 "load_state: '{}' of shape {} does not match the parameter '{}' of shape {}", name,
                 value.shape(), parameters_[i].name, parameter.shape());
    copies.push_back(value.to(parameter.dtype()).clone());
  }
  copies_ = std::move(copies);
}

}  // namespace attune
