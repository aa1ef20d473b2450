#include "attune/layers/known_input.h"

#include "attune/autograd/ops/linear.h"
#include "attune/autograd/ops/padding.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/layers/gated_cell.h"

namespace attune {

KnownInput::KnownInput(const RecurrentCell& cell, const Tensor& y)
    : cell_(&cell), gated_(dynamic_cast<const GatedCell*>(&cell)), part_(y) {
  const LayerScope scope(cell);
  if (!gated_) return;
  part_ = linear(y, gated_->weights().weight_ih, {}, 0);
  columns_ = y.shape().last();
}

KnownInput::KnownInput(const RecurrentCell& cell, const Embedding& embedding, const Indices& ids)
    : cell_(&cell), gated_(dynamic_cast<const GatedCell*>(&cell)) {
  const LayerScope scope(cell);
  if (!gated_) {
    part_ = embedding(ids);
    return;
  }
  part_ = embedding_linear(embedding.weight(), ids, gated_->weights().weight_ih);
  columns_ = embedding.features();
}

KnownInput KnownInput::operator[](std::int64_t step) const {
  KnownInput result = *this;
  result.part_ = part_[step];
  return result;
}

KnownInput KnownInput::masked(const Indices& lengths) const {
  KnownInput result = *this;
  result.part_ = mask_padding(std::move(result.part_), lengths);
  return result;
}

RecurrentState KnownInput::step(const Tensor& x, const RecurrentState& state) const {
  const LayerScope scope(*cell_);
  if (!gated_) return (*cell_)(x.defined() ? concat({part_, x}, -1) : part_, state);
  LstmState next =
      recurrent_cell(gated_->kind(), {x, {part_, columns_}}, {state.h, state.c}, gated_->weights());
  return {std::move(next.h), std::move(next.c)};
}

SequenceResult KnownInput::run(const RecurrentState& state, const SequenceOptions& options) const {
  const LayerScope scope(*cell_);
  if (!gated_) return cell_->run(part_, state, options);
  return recurrent_sequence(gated_->kind(), {{}, {part_, columns_}}, {state.h, state.c},
                            gated_->weights(), options);
}

}  // namespace attune
