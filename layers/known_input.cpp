#include "attune/layers/known_input.h"

#include "attune/autograd/ops/linear.h"
#include "attune/autograd/ops/padding.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/layers/gated_cell.h"

namespace attune {
namespace {

const GatedCell* gated(const RecurrentCell& cell) { return dynamic_cast<const GatedCell*>(&cell); }

}  // namespace

KnownInput::KnownInput(const RecurrentCell& cell, const Tensor& y) : cell_(&cell), part_(y) {
  if (const GatedCell* const of_gates = gated(cell)) {
    part_ = linear(y, of_gates->weights().weight_ih, {}, 0);
    columns_ = y.shape().last();
  }
}

KnownInput::KnownInput(const RecurrentCell& cell, const Embedding& embedding, const Indices& ids)
    : cell_(&cell) {
  if (const GatedCell* const of_gates = gated(cell)) {
    part_ = embedding_linear(embedding.weight(), ids, of_gates->weights().weight_ih);
    columns_ = embedding.features();
  } else {
    part_ = embedding(ids);
  }
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
  if (columns_ == 0) return (*cell_)(x.defined() ? concat({part_, x}, -1) : part_, state);
  const GatedCell& cell = *gated(*cell_);
  LstmState next =
      recurrent_cell(cell.kind(), {x, {part_, columns_}}, {state.h, state.c}, cell.weights());
  return {std::move(next.h), std::move(next.c)};
}

SequenceResult KnownInput::run(const RecurrentState& state, const SequenceOptions& options) const {
  if (columns_ == 0) return cell_->run(part_, state, options);
  const GatedCell& cell = *gated(*cell_);
  return recurrent_sequence(cell.kind(), {{}, {part_, columns_}}, {state.h, state.c},
                            cell.weights(), options);
}

}  // namespace attune
