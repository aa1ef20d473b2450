#include "attune/autograd/shards.h"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/array/random.h"
#include "attune/autograd/scopes.h"

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

}  // namespace

double sharded_backward(std::int64_t shards, const std::function<Tensor(std::int64_t)>& loss) {
  ATTUNE_CHECK(shards >= 1, "sharded_backward: {} shards; at least 1 is needed", shards);
  const Setting setting;
  // One for each shard, and one for what all shards draw alike.
  const std::vector<Generator> random = generator().split(shards + 1);
  std::deque<GradientBuffers> buffers(static_cast<std::size_t>(shards));
  std::vector<double> losses(static_cast<std::size_t>(shards));
  const auto run = [&](std::int64_t first, std::int64_t) {
    const auto i = static_cast<std::size_t>(first);
    const SettingScope settings(setting, random[i], random.back());
    const GradientBuffers::Scope scope(buffers[i]);
    const Tensor shard_loss = loss(first);
    shard_loss.backward();
    losses[i] = shard_loss.item();
  };
  parallel_for(shards, 1, run, Teams::of_equal_parts);
  double sum = 0;
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    buffers[i].add_to_leaves();
    sum += losses[i];
  }
  return sum;
}

std::int64_t suitable_shards(std::int64_t rows) {
  constexpr std::int64_t kRows = 16, kMost = 4;
  return std::clamp<std::int64_t>(rows / kRows, 1, kMost);
}

}  // namespace attune
