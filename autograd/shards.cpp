#include "attune/autograd/shards.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/array/random.h"
#include "attune/autograd/backward.h"
#include "attune/autograd/scopes.h"
#include "attune/autograd/spans.h"

namespace attune {
namespace {

// What belongs to a thread and decides on results.
struct Setting {
  bool no_grad = NoGrad::active(), eval = Eval::active(), check_finite = CheckFinite::active();
  DType dtype = DefaultDType::current();
};

class SettingScope {
 public:
  SettingScope(const Setting& setting, const Generator& random, const Generator& random_of_batch)
      : no_grad_(setting.no_grad),
        eval_(setting.eval),
        check_finite_(setting.check_finite),
        dtype_(setting.dtype),
        generator_(random),
        batch_(random_of_batch) {}

 private:
  NoGrad no_grad_;
  Eval eval_;
  CheckFinite check_finite_;
  DefaultDType dtype_;
  GeneratorScope generator_;
  BatchGenerator batch_;
};

// The sum, in a binary tree over the shards' indices: ((0 + 1) + (2 + 3)) + ((4 + 5) + ...). So
// several processes, each with a part of the shards, can come to the same bits.
Gradients add_up(std::vector<Gradients>& shards) {
  for (std::size_t step = 1; step < shards.size(); step *= 2)
    for (std::size_t i = 0; i + step < shards.size(); i += 2 * step)
      shards[i].add(std::move(shards[i + step]));
  return std::move(shards.front());
}

}  // namespace

double sharded_backward(std::int64_t shards, const std::function<Tensor(std::int64_t)>& loss) {
  ATTUNE_CHECK(shards >= 1, "sharded_backward: {} shards; at least 1 is needed", shards);
  const RecordFunction span("sharded_backward");
  const Setting setting;
  // One for each shard, and one for the draws that all shards share.
  const std::vector<Generator> random = generator().split(shards + 1);
  std::vector<Gradients> gradients(static_cast<std::size_t>(shards));
  std::vector<double> losses(static_cast<std::size_t>(shards));
  const auto run = [&](std::int64_t first, std::int64_t) {
    const auto i = static_cast<std::size_t>(first);
    const SettingScope settings(setting, random[i], random.back());
    const RecordFunction span("shard");
    const Tensor shard_loss = loss(first);
    gradients[i] = backward(shard_loss);
    losses[i] = shard_loss.item();
  };
  parallel_for(shards, 1, run, Teams::of_equal_parts);
  add_up(gradients).add_to_parameters();
  return std::accumulate(losses.begin(), losses.end(), 0.0);
}

std::int64_t suitable_shards(std::int64_t rows) {
  constexpr std::int64_t kRows = 16, kMost = 4;
  return std::clamp<std::int64_t>(rows / kRows, 1, kMost);
}

}  // namespace attune
