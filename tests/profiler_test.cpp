#include "attune/autograd/profiler.h"

#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "attune/attune.h"
#include "catch.h"
#include "temporary_folder.h"

using namespace attune;

namespace {

using Kind = ProfilerEvent::Kind;

// Restores the number of threads.
class Threads {
 public:
  explicit Threads(int count) : before_(threads()) { set_threads(count); }
  ~Threads() { set_threads(before_); }

 private:
  int before_;
};

Tensor random_parameter(const Shape& shape, DType dtype = DType::f32) {
  Array values(shape, dtype);
  generator().normal(values, 0, 1);
  return Tensor::parameter(std::move(values));
}

std::vector<ProfilerEvent> found(const Profiler& profiler, Kind kind, const std::string& name) {
  std::vector<ProfilerEvent> all;
  for (const ProfilerEvent& event : profiler.events())
    if (event.kind == kind && event.name == name) all.push_back(event);
  return all;
}

std::int64_t flops(const Profiler& profiler, Kind kind) {
  std::int64_t sum = 0;
  for (const ProfilerEvent& event : profiler.events())
    if (event.kind == kind) sum += event.flops;
  return sum;
}

EncoderDecoderOptions gru() {
  EncoderDecoderOptions options{.source_vocabulary = 12, .target_vocabulary = 12};
  options.embedding = 16, options.hidden = 32;
  return options;
}

EncoderDecoderOptions transformer() {
  EncoderDecoderOptions options = gru();
  options.model = "transformer", options.heads = 2, options.dropout = 0.1;
  return options;
}

// Sequences and their reverses.
Batch batch_of(int size) {
  std::vector<Example> examples;
  for (int i = 0; i < size; ++i) {
    Example example;
    for (int j = 0; j <= i % 4 + 6; ++j) example.source.push_back(4 + (i * 3 + j * 5) % 8);
    example.target.assign(example.source.rbegin(), example.source.rend());
    examples.push_back(example);
  }
  return make_batch(examples);
}

// A training of some steps.
class Training {
 public:
  Training(const EncoderDecoderOptions& options, int shards)
      : model_((seed(3), make_model(options))),
        adam_(model_->parameters(), {.learning_rate = 0.01}),
        batch_(batch_of(24)),
        shards_(shards_of(batch_, shards)) {}

  void step() {
    const RecordFunction span("step");
    adam_.zero_grad();
    if (shards_.size() == 1)
      model_->loss(batch_).backward();
    else
      sharded_backward(std::ssize(shards_), [&](std::int64_t i) {
        return model_->loss(shards_[static_cast<std::size_t>(i)]);
      });
    clip_grad_norm(model_->parameters(), 0.5);
    adam_.step();
  }
  std::vector<Param> parameters() const { return model_->parameters(); }

 private:
  std::shared_ptr<Seq2Seq> model_;
  Adam adam_;
  Batch batch_;
  std::vector<Batch> shards_;
};

struct Span {
  double begin, end;
  std::string name;
};

// The spans of each thread of a Chrome trace, in its order.
std::map<int, std::vector<Span>> spans_of(const nlohmann::json& trace) {
  std::map<int, std::vector<Span>> threads;
  for (const auto& event : trace.at("traceEvents"))
    if (event.at("ph") == "X")
      threads[event.at("tid")].push_back(
          {event.at("ts"), event.at("ts").get<double>() + event.at("dur").get<double>(),
           event.at("name")});
  return threads;
}

constexpr double kEpsilon = 1e-4;  // us; rounding of the end

// Checks that each span is within or after each earlier one.
void check_nested(const std::vector<Span>& spans) {
  std::vector<Span> open;
  double last = 0;
  for (const Span& span : spans) {
    REQUIRE(span.begin >= last);
    last = span.begin;
    while (!open.empty() && open.back().end <= span.begin + kEpsilon) open.pop_back();
    INFO(span.name << " in " << (open.empty() ? "" : open.back().name));
    if (!open.empty()) REQUIRE(span.end <= open.back().end + kEpsilon);
    open.push_back(span);
  }
}

// The names of the spans directly in `outer`, in order.
std::vector<std::string> names_in(const std::vector<Span>& spans, const Span& outer) {
  std::vector<std::string> names;
  double end = outer.begin;
  for (const Span& span : spans) {
    if (&span == &outer || span.begin < end - kEpsilon || span.end > outer.end + kEpsilon) continue;
    names.push_back(span.name);
    end = span.end;
  }
  return names;
}

}  // namespace

TEST_CASE("profiler: a product of m x k and k x n numbers has 2 m n k FLOPs") {
  const DType dtype = GENERATE(DType::f32, DType::f64);
  const auto [m, n, k] = GENERATE(std::tuple(3, 5, 7), std::tuple(1, 40, 33),
                                  std::tuple(130, 70, 300), std::tuple(257, 300, 129));
  const Threads scope(GENERATE(1, 3));
  const Tensor a = random_parameter({m, k}, dtype), b = random_parameter({k, n}, dtype);
  const Profiler profiler;
  const Tensor y = matmul(a, b);
  const auto forward = found(profiler, Kind::forward, "matmul");
  REQUIRE(forward.size() == 1);
  CHECK(forward[0].flops == 2 * m * n * k);
  sum(y).backward();
  const auto backward = found(profiler, Kind::backward, "matmul");
  REQUIRE(backward.size() == 1);
  CHECK(backward[0].flops == 2 * 2 * m * n * k);
  CHECK(flops(profiler, Kind::forward) == 2 * m * n * k);
}

TEST_CASE("profiler: FLOPs do not depend on the number of threads") {
  const EncoderDecoderOptions options = GENERATE(gru(), transformer());
  std::vector<std::int64_t> counts;
  for (const int count : {1, 2, 3}) {
    const Threads scope(count);
    Training training(options, 1);
    training.step();  // packs weights
    const Profiler profiler;
    training.step();
    CHECK(flops(profiler, Kind::forward) > 0);
    // The gradient of each product has two products, but for those of known inputs.
    CHECK(flops(profiler, Kind::backward) > flops(profiler, Kind::forward));
    counts.push_back(flops(profiler, Kind::forward));
    counts.push_back(flops(profiler, Kind::backward));
  }
  CHECK(counts[0] == counts[2]);
  CHECK(counts[0] == counts[4]);
  CHECK(counts[1] == counts[3]);
  CHECK(counts[1] == counts[5]);
}

TEST_CASE("profiler: attention has the FLOPs of its products") {
  const std::int64_t T = 5, S = 7, B = 2, H = 2, d = 4;
  const Tensor query = random_parameter({T, B, H * d}), key = random_parameter({S, B, H * d});
  const Tensor keys = random_parameter({S, B, d}), row = random_parameter({B, d});
  const Profiler profiler;
  scaled_dot_product_attention(query, key, key, {.heads = H});
  CHECK(flops(profiler, Kind::forward) == 2 * 2 * T * S * B * H * d);
  dot_score(row, keys);
  CHECK(flops(profiler, Kind::forward) == 2 * 2 * T * S * B * H * d + 2 * S * B * d);
}

TEST_CASE("profiler: an operation allocates the memory of its result") {
  const Tensor x = Array::full({100, 100}, 1);
  const Profiler profiler;
  const Tensor y = exp(x);
  const auto forward = found(profiler, Kind::forward, "exp");
  REQUIRE(forward.size() == 1);
  CHECK(forward[0].bytes >= 100 * 100 * 4);
  CHECK(forward[0].bytes <= 100 * 100 * 4 + 256);  // with its header
}

TEST_CASE("profiler: operations have times, in the layers that call them") {
  struct Network : Layer {
    Sequential layers = child("layers", Sequential(Linear(3, 4), relu, Linear(4, 2)));
  };
  const Network network;
  const Profiler profiler;
  const Tensor loss = sum(network.layers(Array::full({5, 3}, 1)));
  loss.backward();
  const auto linear = found(profiler, Kind::forward, "linear");
  const auto layers = found(profiler, Kind::layer, "layers");
  REQUIRE(linear.size() == 2);
  CHECK(linear[0].layer_path == "layers.0");
  CHECK(linear[1].layer_path == "layers.2");
  CHECK(found(profiler, Kind::forward, "relu").at(0).layer_path == "layers");
  CHECK(found(profiler, Kind::forward, "sum").at(0).layer_path.empty());
  REQUIRE(layers.size() == 1);
  for (const ProfilerEvent& event : linear) {
    CHECK(event.thread == 0);
    CHECK(event.duration.count() > 0);
    CHECK(event.begin >= layers[0].begin);
    CHECK(event.begin + event.duration <= layers[0].begin + layers[0].duration);
  }
  const auto backward = found(profiler, Kind::backward, "linear");
  REQUIRE(backward.size() == 2);
  CHECK(backward[0].layer_path == "layers.2");
  CHECK(backward[1].layer_path == "layers.0");
  const auto weights = found(profiler, Kind::backward, "weight_gradient");
  REQUIRE(weights.size() == 2);
  CHECK(weights[0].layer_path == "layers.2");
  CHECK(weights[0].flops == 2 * 5 * 4 * 2);
  CHECK(found(profiler, Kind::function, "backward").size() == 1);
}

TEST_CASE("profiler: what a gradient calls is part of it") {
  Tensor w = random_parameter({3});
  const Tensor y = record("own", w.value().clone(), {w},
                          [](Grads& g) { g.add(0, (Tensor(g.dy()) * 2.0).value()); });
  const Profiler profiler;
  sum(y).backward();
  CHECK(found(profiler, Kind::backward, "own").size() == 1);
  CHECK(found(profiler, Kind::forward, "mul").empty());
}

TEST_CASE("profiler: the table lists operations, layers and functions, forward and backward") {
  Training training(gru(), 1);
  const Profiler profiler;
  training.step();
  const std::string table = profiler.table();
  INFO(table);
  for (const char* part :
       {"operation ", "forward", "backward", "GFLOP/s", "MiB", "share", "weight_gradient ",
        "cross_entropy ", "all operations ", "layer ", "(no layer) ", "encoder ", "decoder ",
        "decoder.attention.score ", "function ", "Optimizer.step ", "clip_grad_norm ", "step "})
    CHECK(contains(part).match(table));
  // Both passes of an operation are in its row: calls, ms, GFLOP/s and MiB of each, and the share.
  const std::size_t at = table.find("\nlinear ");
  REQUIRE(at != std::string::npos);
  const std::string row = table.substr(at + 1, table.find('\n', at + 1) - at - 1);
  INFO(row);
  int forward = 0, backward = 0;
  double ms = 0, gflops = 0, mib = 0, backward_ms = 0;
  REQUIRE(std::sscanf(row.c_str(), "linear %d %lf %lf %lf %d %lf", &forward, &ms, &gflops, &mib,
                      &backward, &backward_ms) == 6);
  CHECK(forward > 0);
  CHECK(backward == forward);
  CHECK(ms > 0);
  CHECK(gflops > 0);
  CHECK(backward_ms > 0);
  CHECK(row.back() == '%');
}

TEST_CASE("profiler: the nested spans of a Chrome trace cover all parts of a training step") {
  const EncoderDecoderOptions options = GENERATE(gru(), transformer());
  const Threads scope(2);
  const TemporaryFolder folder;
  Training training(options, 1);
  const Profiler profiler;
  training.step();
  profiler.export_chrome_trace(folder.path("trace.json"));
  const auto threads = spans_of(nlohmann::json::parse(folder.read("trace.json")));
  REQUIRE_FALSE(threads.empty());
  for (const auto& [thread, spans] : threads) check_nested(spans);
  const std::vector<Span>& main = threads.at(0);
  REQUIRE(main[0].name == "step");
  CHECK(names_in(main, main[0]) == std::vector<std::string>{"Optimizer.zero_grad", "encoder",
                                                            "decoder", "cross_entropy", "backward",
                                                            "clip_grad_norm", "Optimizer.step"});
}

TEST_CASE("profiler: each shard of a batch is a span with its passes in it") {
  const Threads scope(2);
  Training training(gru(), 2);
  const Profiler profiler;
  training.step();
  const auto shards = found(profiler, Kind::function, "shard");
  const auto passes = found(profiler, Kind::function, "backward");
  REQUIRE(shards.size() == 2);
  REQUIRE(passes.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(passes[i].thread == shards[i].thread);
    CHECK(passes[i].begin >= shards[i].begin);
    CHECK(passes[i].begin + passes[i].duration <= shards[i].begin + shards[i].duration);
  }
}

TEST_CASE("profiler: a training has the same bits with and without it, on any number of threads") {
  const EncoderDecoderOptions options = GENERATE(gru(), transformer());
  const int shards = GENERATE(1, 2);
  const auto trained = [&](bool profiled, int count) {
    const Threads scope(count);
    Training training(options, shards);
    std::optional<Profiler> profiler;
    if (profiled) profiler.emplace();
    for (int step = 0; step < 3; ++step) training.step();
    if (profiled) CHECK(found(*profiler, Kind::function, "step").size() == 3);
    return training.parameters();
  };
  const std::vector<Param> expected = trained(false, 1);
  for (const int count : {1, 2, 3}) {
    const std::vector<Param> parameters = trained(true, count);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const Array &a = expected[i].value.value(), &b = parameters[i].value.value();
      REQUIRE(std::memcmp(a.raw(), b.raw(), a.bytes()) == 0);
    }
  }
}

TEST_CASE("profiler: each thread has its own spans") {
  const Profiler profiler;
  const auto work = [](const std::string& name) {
    const RecordFunction span(name);
    const Tensor x = random_parameter({20, 20});
    for (int i = 0; i < 50; ++i) sum(matmul(x, x)).backward();
  };
  std::thread a([&] { work("a"); }), b([&] { work("b"); });
  a.join();
  b.join();
  const auto of_a = found(profiler, Kind::function, "a"),
             of_b = found(profiler, Kind::function, "b");
  REQUIRE(of_a.size() == 1);
  REQUIRE(of_b.size() == 1);
  CHECK(of_a[0].thread + of_b[0].thread == 3);  // 1 and 2
  for (const ProfilerEvent& event : {of_a[0], of_b[0]}) CHECK(event.flops == 50 * 3 * 2 * 8000);
}

TEST_CASE("profiler: names in a trace are escaped, and its numbers are those of events()") {
  const TemporaryFolder folder;
  const std::string name = "a \"b\" \\ \n\té π";
  const Profiler profiler;
  {
    const RecordFunction span(name);
    const RecordFunction broken("\xff");
    const Tensor a = random_parameter({2, 3});
    matmul(a, a, {.transpose_b = true});
  }
  profiler.export_chrome_trace(folder.path("trace.json"));
  const auto trace = nlohmann::json::parse(folder.read("trace.json"));
  bool seen = false;
  for (const auto& event : trace.at("traceEvents")) {
    if (event.at("name") == name) seen = true;
    if (event.at("name") == "matmul") {
      CHECK(event.at("cat") == "forward");
      CHECK(event.at("args").at("flops") == 2 * 2 * 2 * 3);
    }
  }
  CHECK(seen);
}

TEST_CASE("profiler: nothing is recorded before and after its life") {
  const Tensor a = random_parameter({8, 8});
  const auto run = [&] { sum(matmul(a, a)).backward(); };
  run();
  std::optional<RecordFunction> open("begun before");
  {
    const Profiler profiler;
    open.reset();
    CHECK(profiler.events().empty());
    run();
    CHECK(found(profiler, Kind::forward, "matmul").size() == 1);
    open.emplace("ended after");
  }
  run();
  {
    const Profiler profiler;
    open.reset();
    CHECK(profiler.events().empty());
    run();
    const auto products = found(profiler, Kind::forward, "matmul");
    REQUIRE(products.size() == 1);
    CHECK(products[0].flops == 2 * 8 * 8 * 8);
  }
  CHECK_FALSE(Work::is_counted());
}

TEST_CASE("profiler: errors say what to do") {
  const Profiler profiler;
  CHECK_THROWS_WITH(Profiler(),
                    "Profiler: another Profiler is active; only one can be at a time: let it go "
                    "out of scope first, or use RecordFunction for a part of what it measures");
  CHECK(Work::is_counted());
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(profiler.export_chrome_trace(folder.path("missing/trace.json")),
                    contains("Profiler: the trace cannot be written to '") &&
                        contains("missing/trace.json': No such file or directory; name a file in "
                                 "a folder that exists and may be written to"));
}
