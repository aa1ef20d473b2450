// Profiles training steps of a GRU with attention and of a Transformer: prints where the time goes,
// how much of a step the spans within it cover, and what profiling costs.
//
//     build/bench/profiler [TRACE.json]
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "attune/autograd/all.h"
#include "attune/models/all.h"
#include "attune/optim/all.h"

using namespace attune;

namespace {

constexpr int kSteps = 31;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

Batch batch_of(int size, int length, int vocabulary) {
  std::vector<Example> examples;
  for (int i = 0; i < size; ++i) {
    Example example;
    for (int j = 0; j < length; ++j)
      example.source.push_back(4 + static_cast<int>(generator().below(vocabulary - 4)));
    example.target.assign(example.source.rbegin(), example.source.rend());
    examples.push_back(std::move(example));
  }
  return make_batch(examples);
}

// The shares of the steps that the functions, layers and operations directly in them cover.
std::vector<double> covered(const std::vector<ProfilerEvent>& events) {
  using Nanoseconds = std::chrono::nanoseconds;
  std::vector<double> shares;
  Nanoseconds first{}, last{}, end{}, sum{};
  const auto finish = [&] {
    if (last > first)
      shares.push_back(static_cast<double>(sum.count()) /
                       static_cast<double>((last - first).count()));
  };
  for (const ProfilerEvent& event : events) {
    if (event.thread != 0) continue;
    if (event.name == "step") {
      finish();
      first = end = event.begin, last = event.begin + event.duration, sum = {};
    } else if (event.begin >= end && event.begin < last) {
      end = event.begin + event.duration;
      sum += event.duration;
    }
  }
  finish();
  return shares;
}

void profile(const char* name, const EncoderDecoderOptions& options, const std::string& trace) {
  seed(1);
  const auto model = make_model(options);
  Adam optimizer(model->parameters(), {.learning_rate = 1e-3});
  const Batch batch = batch_of(32, 12, options.source_vocabulary);
  const auto milliseconds = [&] {
    const auto begin = std::chrono::steady_clock::now();
    {
      const RecordFunction span("step");
      optimizer.zero_grad();
      model->loss(batch).backward();
      clip_grad_norm(model->parameters(), 5);
      optimizer.step();
    }
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
        .count();
  };
  std::vector<double> plain, profiled, shares;
  for (int i = 0; i < kSteps; ++i) {
    plain.push_back(milliseconds());
    const Profiler profiler;
    profiled.push_back(milliseconds());
    for (const double share : covered(profiler.events())) shares.push_back(share);
    if (i + 1 < kSteps) continue;
    fmt::print("{}", profiler.table());
    if (!trace.empty()) profiler.export_chrome_trace(trace);
  }
  fmt::print("\n{}: {:.1f}% of a step are covered; {:.3f} ms a step, {:.3f} ms with a Profiler\n\n",
             name, 100 * median(shares), median(plain), median(profiled));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string trace = argc > 1 ? argv[1] : "";
  EncoderDecoderOptions options{.source_vocabulary = 30, .target_vocabulary = 30};
  options.embedding = 64, options.hidden = 128;
  profile("GRU", options, trace);
  options.model = "transformer", options.embedding = 128, options.heads = 4;
  profile("Transformer", options, "");
}
