#pragma once

#include <cstdint>
#include <functional>

#include "attune/autograd/tensor.h"

namespace attune {

/// Differentiates the loss of a batch in parts, or shards: data parallelism. `loss(i)` is the loss
/// of shard i in [0, shards), each of which is run as a whole, forward and backward, on a thread of
/// its own or on a team of threads. The shards' gradients are added up in a binary tree over their
/// indices, then to the parameters' own. Returns the sum of the losses.
///
///     const double loss = sharded_backward(shards, [&](std::int64_t i) {
///       return model.loss(parts[i]) * (parts[i].tokens / tokens);
///     });
///     optimizer.step();
///
/// is the same as `loss = model.loss(batch); loss.backward()`, except for rounding and random
/// numbers. It is faster if the operations of a batch are small, since threads are synchronised
/// once per step and not in every operation. It takes less memory for saved values if there are
/// more shards than threads, but each shard has gradients of all parameters until they are added.
/// The bits of the result depend on the number of shards, not on that of threads.
///
/// `loss` is called on several threads at once, so each call must build its graph from parameters
/// and constants alone: a tensor that was computed from parameters outside would be differentiated
/// by all. Nor may it add to the grad() of parameters that shards share: within a shard, use
/// backward(tensor), which gives gradients as a value. A hook of a parameter is called for each
/// shard, with that shard's gradient. Random numbers are each shard's own (Generator::split) except
/// those of batch_generator(), which are the same in all shards. Modes such as Eval are those of
/// the caller. If a loss throws, the exception is rethrown and no gradient is added.
/// Errors: shards < 1; as Tensor::backward() of each loss.
double sharded_backward(std::int64_t shards, const std::function<Tensor(std::int64_t)>& loss);

/// How many shards suit a batch of so many rows: 16 rows keep the products efficient, and four
/// shards a laptop's cores busy. Operations that are large by themselves, say of a thousand hidden
/// units, gain little from shards; one takes the least memory then.
std::int64_t suitable_shards(std::int64_t rows);

}  // namespace attune
