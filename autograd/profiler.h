#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "attune/autograd/spans.h"

namespace attune {

/// A span that a Profiler recorded.
struct ProfilerEvent {
  enum class Kind {
    forward,   ///< an operation; it began where the thread's last span began or ended
    backward,  ///< the gradients of an operation's inputs, or a product for a weight's gradient
    layer,     ///< the call of a layer, with everything in it
    function,  ///< a RecordFunction, with everything in it
  };
  Kind kind;
  std::string name;                ///< of the operation or RecordFunction; a layer's path
  std::string layer_path;          ///< of the layer in whose call it was; "" outside of layers
  int thread;                      ///< 0 for that of the Profiler, then in order of first use
  std::chrono::nanoseconds begin;  ///< since that of the Profiler
  std::chrono::nanoseconds duration;
  std::int64_t flops;  ///< multiplications and additions of matrix products and attention
  std::int64_t bytes;  ///< of memory allocated, including what was freed again
};

/// Measures all operations, forward and backward, all layers' calls, and every RecordFunction, on
/// all threads, during its lifetime.
///
///     Profiler profiler;
///     {
///       const RecordFunction span("step");
///       optimizer.zero_grad();
///       model.loss(batch).backward();
///       optimizer.step();
///     }
///     fmt::print("{}", profiler.table());
///     profiler.export_chrome_trace("trace.json");
///
/// It changes no bit of any result. An operation's work in other threads counts as that of the
/// thread which called it. A product of m x k and k x n numbers has 2 m n k FLOPs; element-wise
/// functions and reductions count as none.
/// Errors: another Profiler is active.
class Profiler {
 public:
  [[nodiscard]] Profiler();
  ~Profiler();
  Profiler(const Profiler&) = delete;
  Profiler& operator=(const Profiler&) = delete;

  /// All spans that have ended, by thread and time; one that contains others comes before them.
  std::vector<ProfilerEvent> events() const;

  /// Three tables: calls, time, GFLOP/s and allocated MiB of operations, forward and backward, by
  /// name and by layer, and those of RecordFunctions. A layer includes the layers in it. Times of
  /// several threads are added.
  std::string table() const;

  /// Writes events() in the Chrome trace format, for chrome://tracing or https://ui.perfetto.dev.
  /// Errors: the file cannot be written.
  void export_chrome_trace(const std::string& path) const;

 private:
  struct Recording;
  friend class RecordingThread;
  std::shared_ptr<Recording> recording_;
};

}  // namespace attune
