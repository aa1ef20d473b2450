// The workloads that speed is measured on, written as a user would with the public layers. A step
// is zero gradients, forward, loss, backward, Adam, on random tokens of fixed length.

#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "attune/autograd.h"
#include "attune/layers.h"
#include "attune/optim.h"

namespace {

using namespace attune;

// RNNsearch (Bahdanau et al. 2015) with a GRU encoder in one direction.
struct RnnSearchSizes {
  std::int64_t vocabulary, embedding, hidden, attention, batch, length;
};

class RnnSearch : public Layer {
 public:
  explicit RnnSearch(const RnnSearchSizes& n)
      : source_embedding_(child("source_embedding", Embedding(n.vocabulary, n.embedding))),
        target_embedding_(child("target_embedding", Embedding(n.vocabulary, n.embedding))),
        encoder_(child("encoder", GRU(n.embedding, n.hidden))),
        attention_(child("attention", Attention("additive", n.hidden, n.hidden, n.attention))),
        cell_(child("cell", GRUCell(n.embedding + n.hidden, n.hidden))),
        output_(child("output", Linear(2 * n.hidden, n.vocabulary))) {}

  // source [S, B], target_input [T, B] -> logits [T, B, V]
  Tensor operator()(const Indices& source, const Indices& target_input) const {
    const RecurrentResult encoded = encoder_(source_embedding_(source));
    const Memory memory = attention_.memorize(encoded.output);
    const Tensor embedded = target_embedding_(target_input);
    RecurrentState state = encoded.states.back();
    std::vector<Tensor> steps;
    for (std::int64_t t = 0; t < embedded.size(0); ++t) {
      const Tensor context = attention_.attend(state.h, memory).context;
      state = cell_(concat({embedded[t], context}, -1), state);
      steps.push_back(concat({state.h, context}, -1));
    }
    return output_(stack(steps));
  }

 private:
  Embedding source_embedding_, target_embedding_;
  GRU encoder_;
  Attention attention_;
  GRUCell cell_;
  Linear output_;
};

struct Workload {
  std::int64_t tokens;           // a step; for W6 operations
  std::function<double()> step;  // returns the loss
};

Indices random_tokens(std::int64_t vocabulary, std::int64_t steps, std::int64_t batch) {
  std::vector<std::int32_t> ids(static_cast<std::size_t>(steps * batch));
  for (std::int32_t& id : ids) id = static_cast<std::int32_t>(generator().below(vocabulary));
  return Indices(ids, {steps, batch});
}

Workload rnnsearch(const RnnSearchSizes& n) {
  const RnnSearch model(n);
  std::vector<Tensor> parameters;
  for (const Param& param : model.parameters()) parameters.push_back(param.value);
  auto optimizer = std::make_shared<Adam>(parameters, AdamOptions{.learn_rate = 1e-3});
  const Indices source = random_tokens(n.vocabulary, n.length, n.batch);
  const Indices target = random_tokens(n.vocabulary, n.length + 1, n.batch);
  return {2 * n.batch * n.length, [=] {
            optimizer->zero_grad();
            const Tensor logits = model(source, target.block(0, n.length));
            const Tensor loss = cross_entropy(logits, target.block(1, n.length));
            loss.backward();
            optimizer->step();
            return loss.item();
          }};
}

// A chain of 1000 element-wise operations on 8 elements: what an operation costs beside its work.
Workload chain() {
  Tensor x = Tensor::parameter(Array::full({8}, 1));
  const Tensor y(Array::full({8}, 0.01));
  return {1000, [=]() mutable {
            x.zero_grad();
            Tensor z = x;
            for (int i = 0; i < 500; ++i) z = tanh(z + y);
            const Tensor loss = sum(z);
            loss.backward();
            return loss.item();
          }};
}

const std::map<std::string, std::function<Workload()>> kWorkloads{
    {"W1",
     [] {
       return rnnsearch({64, 128, 256, 256, 64, 20});
     }},
    {"W2",
     [] {
       return rnnsearch({16, 32, 64, 64, 32, 10});
     }},
    {"W4",
     [] {
       return rnnsearch({4000, 256, 512, 512, 64, 30});
     }},
    {"W6", chain},
};

double peak_rss_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
#if defined(__APPLE__)
  return static_cast<double>(usage.ru_maxrss) / (1 << 20);
#else
  return static_cast<double>(usage.ru_maxrss) / (1 << 10);
#endif
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

struct Options {
  std::string workload = "W1";
  int threads = attune::threads();
  double seconds = 5;
  bool json = false;
};

nlohmann::json measure(const Options& options) {
  using Clock = std::chrono::steady_clock;
  const auto seconds_since = [](Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
  };
  set_threads(options.threads);
  seed(1);
  const Workload workload = kWorkloads.at(options.workload)();
  double loss = 0;
  for (int i = 0; i < 3; ++i) loss = workload.step();  // fills the pool
  std::vector<double> times;
  const auto begin = Clock::now();
  while (seconds_since(begin) < options.seconds || times.size() < 5) {
    const auto step_begin = Clock::now();
    loss = workload.step();
    times.push_back(seconds_since(step_begin));
  }
  const double seconds = median(times);
  return {{"workload", options.workload},
          {"ms_per_step", seconds * 1e3},
          {"tokens_per_second", static_cast<double>(workload.tokens) / seconds},
          {"peak_rss_mb", peak_rss_mb()},
          {"threads", options.threads},
          {"loss", loss}};
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{
      "Times training steps of one workload; the median step counts.\n"
      "W1 RNNsearch, small; W2 RNNsearch, tiny; W4 RNNsearch, big;\n"
      "W6 a chain of 1000 element-wise operations on 8 elements (tokens are operations there)."};
  std::vector<std::string> names;
  for (const auto& [name, make] : kWorkloads) names.push_back(name);
  app.add_option("--workload", options.workload, "what to run")
      ->check(CLI::IsMember(names))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "threads to use")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "how long to measure")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("--json", options.json, "print one JSON object");
  app.footer("Example: workloads --workload W1 --threads 2 --seconds 10 --json");
  CLI11_PARSE(app, argc, argv);
  try {
    const nlohmann::json result = measure(options);
    if (options.json)
      fmt::print("{}\n", result.dump());
    else
      fmt::print("{}: {:.3f} ms/step, {:.0f} tokens/s, {:.0f} MB, {} threads, loss {:.4f}\n",
                 options.workload, result["ms_per_step"].get<double>(),
                 result["tokens_per_second"].get<double>(), result["peak_rss_mb"].get<double>(),
                 options.threads, result["loss"].get<double>());
  } catch (const std::exception& error) {
    fmt::print(stderr, "workloads: error: {}\n", error.what());
    return 1;
  }
}
