// random_programs: checks operations and layers with random programs; see --help.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <new>

#include "random_programs/builder.h"
#include "random_programs/checks.h"

namespace {

using namespace attune::random_programs;

struct Flags {
  std::uint64_t seed = 1;
  std::uint64_t count = 10000;
  int jobs = 1;
  int failures = 1;
  bool show = false;
  bool operations = false;
  Fault plant = Fault::none;
};

// The counts of a job, in memory shared with the main process.
struct Progress {
  std::uint64_t seed, programs, steps, gradients, kinks, hiding, garbage_runs, failures;
};

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

// Programs first, first + jobs, ...
void run(const Flags& flags, int first, Progress& progress) {
  const FaultScope fault(flags.plant);
  for (std::uint64_t i = static_cast<std::uint64_t>(first); i < flags.count;
       i += static_cast<std::uint64_t>(flags.jobs)) {
    progress.seed = flags.seed + i;
    const Program program = make_program(progress.seed);
    if (flags.show) print(fmt::format("seed {}\n{}", program.seed, to_text(program)));
    const Outcome outcome = check(program);
    ++progress.programs;
    progress.steps += program.steps.size();
    progress.gradients += static_cast<std::uint64_t>(outcome.gradients);
    progress.kinks += static_cast<std::uint64_t>(outcome.kinks);
    progress.hiding += program.hides_something();
    progress.garbage_runs += static_cast<std::uint64_t>(outcome.garbage_runs);
    if (outcome.ok()) continue;
    print(report(program, outcome));
    if (++progress.failures >= static_cast<std::uint64_t>(flags.failures)) return;
  }
}

// How often each operation occurs.
void print_operations(const Flags& flags) {
  std::map<std::string, std::uint64_t> uses;
  for (std::uint64_t i = 0; i < flags.count; ++i)
    for (const Step& step : make_program(flags.seed + i).steps) ++uses[step.name];
  for (const auto& [name, count] : uses) print(fmt::format("{:9} {}\n", count, name));
}

int run_jobs(const Flags& flags) {
  const std::size_t bytes = sizeof(Progress) * static_cast<std::size_t>(flags.jobs);
  void* const memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  auto* const progress = static_cast<Progress*>(memory);
  const auto begin = std::chrono::steady_clock::now();
  std::map<pid_t, int> jobs;
  for (int job = 0; job < flags.jobs; ++job) {
    const pid_t child = fork();
    if (child < 0) throw std::runtime_error(fmt::format("fork: {}", std::strerror(errno)));
    if (child == 0) {
      run(flags, job, progress[job]);
      std::fflush(stdout);
      _exit(0);
    }
    jobs[child] = job;
  }
  bool failed = false;
  int status = 0;
  for (pid_t child = wait(&status); child > 0; child = wait(&status)) {
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
    failed = true;
    print(fmt::format("the program of seed {} ends the process ({} {})\n",
                      progress[jobs[child]].seed, WIFSIGNALED(status) ? "signal" : "status",
                      WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)));
  }
  Progress all{};
  for (int job = 0; job < flags.jobs; ++job) {
    const Progress& part = progress[job];
    all.programs += part.programs;
    all.steps += part.steps;
    all.gradients += part.gradients;
    all.kinks += part.kinks;
    all.hiding += part.hiding;
    all.garbage_runs += part.garbage_runs;
    all.failures += part.failures;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  print(fmt::format(
      "{} programs of {} steps from seed {}: {} gradients agree with finite differences ({} more "
      "have a kink too near), {} programs hide garbage, run {} times with others; {} failed; "
      "{:.1f} s\n",
      all.programs, all.steps, flags.seed, all.gradients, all.kinks, all.hiding, all.garbage_runs,
      all.failures, took.count()));
  return failed || all.failures > 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Makes random programs from all differentiable operations and several layers, and checks of "
      "each: gradients in float64 against finite differences; that whatever a length, a mask or an "
      "ignored target hides changes no visible bit and gets gradient 0; that threads, observers "
      "and a second pass change no bit; that float32 agrees with float64. Prints what fails, "
      "shrunk, and exits 1 then.",
      "random_programs");
  Flags flags;
  app.add_option("--seed", flags.seed, "the first program's seed")->capture_default_str();
  app.add_option("--count", flags.count, "how many programs")->capture_default_str();
  app.add_option("--jobs", flags.jobs, "processes")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  app.add_option("--failures", flags.failures, "after how many failures a process stops")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_flag("--show", flags.show, "print every program");
  app.add_flag("--operations", flags.operations, "count the operations, and check nothing");
  app.add_option("--plant", flags.plant, "a fault in every program, to see it found")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Fault>{
          {"wrong_gradient", Fault::wrong_gradient}, {"leak", Fault::leak}}));
  CLI11_PARSE(app, argc, argv);
  try {
    if (flags.operations) return print_operations(flags), 0;
    return run_jobs(flags);
  } catch (const std::exception& error) {
    fmt::print(stderr, "random_programs: {}\n", error.what());
    return 1;
  }
}
