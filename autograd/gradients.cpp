#include "attune/autograd/gradients.h"

#include <utility>

#include "attune/autograd/affine_gradients.h"
#include "attune/autograd/array/error.h"

namespace attune {

Gradients::Gradients() = default;
Gradients::Gradients(Gradients&& other) noexcept = default;
Gradients& Gradients::operator=(Gradients&& other) noexcept = default;
Gradients::~Gradients() = default;

// Nodes lie further apart than any operation has outputs that are asked for.
std::uintptr_t Gradients::key(const Node& node, int output) {
  return reinterpret_cast<std::uintptr_t>(&node) + static_cast<std::uintptr_t>(output);
}

GradientSlot& Gradients::slot(Node& node, int output) {
  const auto [found, is_new] = by_key_.try_emplace(key(node, output), nullptr);
  if (is_new) {
    node.references_.fetch_add(1, std::memory_order_relaxed);
    entries_.push_back(
        {NodeRef(&node), output, {.shape = node.shape(output), .dtype = node.dtype(output)}});
    found->second = &entries_.back();
  }
  return found->second->slot;
}

const Array* Gradients::find(const Tensor& tensor) const {
  if (!tensor.requires_grad()) return nullptr;
  const auto found = by_key_.find(key(*tensor.node().get(), tensor.output()));
  if (found == by_key_.end() || !found->second->slot.gradient.defined()) return nullptr;
  return &found->second->slot.gradient;
}

const Array& Gradients::at(const Tensor& tensor) const {
  const Array* gradient = find(tensor);
  ATTUNE_CHECK(gradient,
               "gradients: there is none for the tensor of shape {}; does the result depend on it, "
               "and was it a parameter or named to grad()?",
               tensor.shape());
  return *gradient;
}

std::size_t Gradients::size() const {
  std::size_t count = 0;
  for (const Entry& entry : entries_) count += entry.slot.gradient.defined();
  return count;
}

void Gradients::add(Gradients other) {
  for (Entry& entry : other.entries_)
    if (entry.slot.gradient.defined())
      slot(*entry.node.get(), entry.output).add(std::move(entry.slot.gradient), /*for_keeps=*/true);
}

void Gradients::add_to_parameters() {
  for (Entry& entry : entries_) {
    if (!entry.slot.gradient.defined()) continue;
    GradientSlot& sum = entry.node->slots_[entry.output];
    sum.shared = true;  // somebody may have kept what grad() gave
    sum.add(std::move(entry.slot.gradient), /*for_keeps=*/true);
  }
  by_key_.clear();
  entries_.clear();
}

void Gradients::move_from(Gradients& other, const Tensor& tensor) {
  if (!other.find(tensor)) return;
  Node& node = *tensor.node().get();
  slot(node, tensor.output())
      .add(std::move(other.slot(node, tensor.output()).gradient), /*for_keeps=*/true);
}

void Gradients::flush() {
  if (affine_) affine_->flush(*this);
}

}  // namespace attune
