#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "attune/autograd/array/work.h"

/// What a Profiler records: spans of named parts of a program, of layers' calls and of operations.
/// Without an active Profiler, each costs the check of a flag.
namespace attune {
namespace detail {

/// The time and the work of the calling thread at some moment.
struct ProfilerMark {
  std::int64_t nanoseconds;  ///< 0 if no Profiler was active
  std::int64_t flops, bytes;
};

/// Begins a span. The end functions do nothing if no Profiler was active at its beginning.
ProfilerMark begin_span();
void end_function(const std::string& name, const ProfilerMark& begin);
void end_layer(const char* path, const ProfilerMark& begin);
ProfilerMark begin_backward();
void end_backward(const char* name, const char* path, const ProfilerMark& begin);
/// Ends the forward pass of an operation, which began where the thread's last span began or ended.
void end_forward(const char* name);

inline thread_local const char* layer_path = "";

}  // namespace detail

/// A named part of a program, for the lifetime of the object: a span of an active Profiler, as
/// torch.profiler.record_function.
///
///     const RecordFunction span("read batch");
class RecordFunction {
 public:
  [[nodiscard]] explicit RecordFunction(std::string_view name) {
    if (!Work::is_counted()) return;
    name_ = name;
    begin_ = detail::begin_span();
  }
  ~RecordFunction() {
    if (begin_.nanoseconds != 0) [[unlikely]]
      detail::end_function(name_, begin_);
  }
  RecordFunction(const RecordFunction&) = delete;
  RecordFunction& operator=(const RecordFunction&) = delete;

 private:
  std::string name_;
  detail::ProfilerMark begin_{};
};

/// The path of the layer in whose call the calling thread is, such as "decoder.layer0"; "" outside
/// of layers. It is that of the layer's parameters, without their own names.
inline const char* current_layer_path() { return detail::layer_path; }

/// A copy of a layer's path that is never freed. Equal paths have the same address.
const char* permanent_layer_path(const std::string& path);

/// Sets current_layer_path() for the lifetime of the object; "" leaves it as it is. `path` must be
/// permanent. Layers use LayerScope instead.
class LayerPathScope {
 public:
  [[nodiscard]] explicit LayerPathScope(const char* path)
      : outer_(std::exchange(detail::layer_path, *path ? path : detail::layer_path)) {
    if (Work::is_counted() && *path) [[unlikely]]
      begin_ = detail::begin_span();
  }
  ~LayerPathScope() {
    if (begin_.nanoseconds != 0) [[unlikely]]
      detail::end_layer(detail::layer_path, begin_);
    detail::layer_path = outer_;
  }
  LayerPathScope(const LayerPathScope&) = delete;
  LayerPathScope& operator=(const LayerPathScope&) = delete;

 private:
  const char* outer_;
  detail::ProfilerMark begin_{};
};

/// The backward pass of an operation, for the lifetime of the object. Operations called within it
/// count as parts of it.
class BackwardScope {
 public:
  BackwardScope(const char* name, const char* path) {
    if (!Work::is_counted()) [[likely]]
      return;
    name_ = name;
    outer_ = std::exchange(detail::layer_path, path);
    begin_ = detail::begin_backward();
  }
  ~BackwardScope() {
    if (!name_) [[likely]]
      return;
    detail::end_backward(name_, detail::layer_path, begin_);
    detail::layer_path = outer_;
  }
  BackwardScope(const BackwardScope&) = delete;
  BackwardScope& operator=(const BackwardScope&) = delete;

 private:
  const char* name_ = nullptr;  // null: no Profiler was active
  const char* outer_ = nullptr;
  detail::ProfilerMark begin_{};
};

}  // namespace attune
