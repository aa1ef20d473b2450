#include "bench/harness/run.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "examples/cli11_numbers.h"

namespace bench {
namespace {

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
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

nlohmann::json measure(const Program& program, const Options& options) {
  using Clock = std::chrono::steady_clock;
  const auto seconds_since = [](Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
  };
  program.set_threads(options.threads);
  const Workload workload = program.workloads.at(options.workload)(options);
  double loss = 0;
  auto begin = Clock::now();
  for (int i = 0; i < 3 && (i == 0 || seconds_since(begin) < 10 * options.seconds); ++i)
    loss = workload.step();  // warm-up: fills pools and caches
  std::vector<double> times;
  begin = Clock::now();
  while (seconds_since(begin) < options.seconds || times.empty() ||
         (times.size() < 5 && seconds_since(begin) < 10 * options.seconds)) {
    const auto step_begin = Clock::now();
    loss = workload.step();
    times.push_back(seconds_since(step_begin));
  }
  const double seconds = median(times);
  nlohmann::json result{{"workload", options.workload},
                        {"ms_per_step", seconds * 1e3},
                        {"tokens_per_second", static_cast<double>(workload.tokens) / seconds},
                        {"peak_rss_mb", peak_rss_mb()},
                        {"threads", options.threads},
                        {"loss", loss},
                        {"version", program.version}};
  if (workload.gflop > 0) {
    result["gflop_per_step"] = workload.gflop;
    result["gflop_per_second"] = workload.gflop / seconds;
  }
  if (!workload.variant.empty()) result["variant"] = workload.variant;
  return result;
}

// The exit code: 1 if standard output could not be written completely.
int exit_code(const Program& program) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return 0;
  fmt::print(stderr, "{}: error: cannot write to standard output\n", program.name);
  return 1;
}

}  // namespace

int run(const Program& program, int argc, char** argv) {
  Options options{.threads = program.default_threads};
  CLI::App app{
      "Times steps of one workload; the median counts.\n"
      "W1 RNNsearch, small; W2 RNNsearch, tiny; W3 Transformer; W4 RNNsearch, big;\n"
      "W5 attention alone; W6 a chain of 1000 element-wise operations (tokens are operations);\n"
      "W8 a language model."};
  std::vector<std::string> names;
  for (const auto& [name, make] : program.workloads) names.push_back(name);
  app.add_option("--workload", options.workload, "what to run")
      ->check(CLI::IsMember(names))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "threads to use")
      ->check(flags::in_range<int>(1, 1024, "a whole number from 1 to 1024"))
      ->capture_default_str();
  app.add_option("--seconds", options.seconds,
                 "how long to measure; slow steps up to ten times as long, for five of them")
      ->check(flags::in_range(1e-3, 1e6, "a number from 0.001 to 1000000"))
      ->capture_default_str();
  app.add_option("--length", options.length, "of the sequences of W5")
      ->check(flags::in_range<std::int64_t>(1, 1'000'000, "a whole number from 1 to 1000000"))
      ->capture_default_str();
  app.add_option("--window", options.window, "of W5: keys seen on either side of a query; 0: all")
      ->check(flags::in_range<std::int64_t>(0, 1'000'000, "a whole number from 0 to 1000000"))
      ->capture_default_str();
  app.add_flag("--json", options.json, "print one JSON object");
  app.footer("Example: " + program.name + " --workload W1 --threads 2 --seconds 10 --json");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    app.exit(help);
    return exit_code(program);
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "{}: error: {}; see --help\n", program.name, flags::reason_of(error));
    return 2;
  }
  try {
    const nlohmann::json result = measure(program, options);
    if (options.json) {
      fmt::print("{}\n", result.dump());
      return exit_code(program);
    }
    fmt::print("{}: {:.3f} ms/step, {:.0f} tokens/s, {:.0f} MB, {} threads, loss {:.4f} ({})\n",
               options.workload, result["ms_per_step"].get<double>(),
               result["tokens_per_second"].get<double>(), result["peak_rss_mb"].get<double>(),
               options.threads, result["loss"].get<double>(), program.version);
    if (result.contains("gflop_per_step"))
      fmt::print("{:.3f} GFLOP a step, {:.1f} GFLOP/s, {}\n",
                 result["gflop_per_step"].get<double>(), result["gflop_per_second"].get<double>(),
                 result["variant"].get<std::string>());
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: error: {}\n", program.name, error.what());
    return 1;
  }
  return exit_code(program);
}

}  // namespace bench
