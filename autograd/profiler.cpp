#include "attune/autograd/profiler.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "attune/autograd/array/error.h"

namespace attune {

using detail::ProfilerMark;

namespace {

struct Span {
  ProfilerEvent::Kind kind;
  const char *name, *layer_path;
  ProfilerMark begin, end;
};

// The spans of one thread. Other threads read them in Profiler::events().
struct ThreadSpans {
  std::mutex mutex;
  std::deque<Span> spans;
  std::deque<std::string> names;  // of functions; the others are permanent
};

std::mutex active_mutex;
std::atomic<std::uint64_t> changes{0};  // of the active recording, which active_mutex guards

ProfilerMark mark() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::nanoseconds(now).count(), Work::own().flops(), Work::own().bytes()};
}

}  // namespace

struct Profiler::Recording {
  std::int64_t begin = mark().nanoseconds;
  std::vector<std::shared_ptr<ThreadSpans>> threads;  // guarded by active_mutex

  static inline std::shared_ptr<Recording> active;  // guarded by active_mutex
};

/// The calling thread's part in the active recording.
class RecordingThread {
 public:
  static RecordingThread& own() {
    static thread_local RecordingThread thread;
    return thread;
  }

  // False if no Profiler is active.
  bool join() {
    if (seen_ == changes.load(std::memory_order_acquire)) return spans_ != nullptr;
    const std::lock_guard lock(active_mutex);
    seen_ = changes.load(std::memory_order_relaxed);
    spans_.reset();
    last_.nanoseconds = 0;
    const auto& recording = Profiler::Recording::active;
    if (!recording) return false;
    begin_ = recording->begin;
    spans_ = recording->threads.emplace_back(std::make_shared<ThreadSpans>());
    return true;
  }

  ProfilerMark begin() {
    if (!join()) return {};
    return last_ = mark();
  }

  // A thread's first span has no known beginning, unless it is that of a function or layer.
  ProfilerMark last() {
    if (last_.nanoseconds == 0) last_.nanoseconds = mark().nanoseconds;
    return last_;
  }

  // Ends a span. `name` is permanent, or else `copied` is set.
  void add(ProfilerEvent::Kind kind, const char* name, const char* path, const ProfilerMark& begin,
           bool copied = false) {
    if (!join() || begin.nanoseconds < begin_) return;  // begun under an earlier Profiler
    const std::lock_guard lock(spans_->mutex);
    if (copied) name = spans_->names.emplace_back(name).c_str();
    last_ = mark();
    spans_->spans.push_back({kind, name, path, begin, last_});
  }

  int open_backward = 0;  // BackwardScopes

 private:
  std::uint64_t seen_ = 0;  // `changes` when it joined
  std::int64_t begin_ = 0;  // of the recording
  std::shared_ptr<ThreadSpans> spans_;
  ProfilerMark last_{};  // the beginning or end of the last span
};

namespace detail {

ProfilerMark begin_span() { return RecordingThread::own().begin(); }

void end_function(const std::string& name, const ProfilerMark& begin) {
  RecordingThread::own().add(ProfilerEvent::Kind::function, name.c_str(), layer_path, begin,
                             /*copied=*/true);
}

void end_layer(const char* path, const ProfilerMark& begin) {
  RecordingThread::own().add(ProfilerEvent::Kind::layer, path, path, begin);
}

ProfilerMark begin_backward() {
  RecordingThread& thread = RecordingThread::own();
  ++thread.open_backward;
  return thread.begin();
}

void end_backward(const char* name, const char* path, const ProfilerMark& begin) {
  RecordingThread& thread = RecordingThread::own();
  if (--thread.open_backward == 0 && begin.nanoseconds != 0)
    thread.add(ProfilerEvent::Kind::backward, name, path, begin);
}

void end_forward(const char* name) {
  RecordingThread& thread = RecordingThread::own();
  if (thread.open_backward == 0 && thread.join())
    thread.add(ProfilerEvent::Kind::forward, name, layer_path, thread.last());
}

}  // namespace detail

const char* permanent_layer_path(const std::string& path) {
  static std::mutex mutex;
  static auto* const paths = new std::unordered_set<std::string>;  // threads may outlive statics
  const std::lock_guard lock(mutex);
  return paths->insert(path).first->c_str();
}

Profiler::Profiler() : recording_(std::make_shared<Recording>()) {
  {
    const std::lock_guard lock(active_mutex);
    ATTUNE_CHECK(
        !Recording::active,
        "Profiler: another Profiler is active; only one can be at a time: let it go out of "
        "scope first, or use RecordFunction for a part of what it measures");
    Recording::active = recording_;
    changes.fetch_add(1, std::memory_order_release);
    Work::set_counted(true);
  }
  RecordingThread::own().begin();  // this thread is number 0
}

Profiler::~Profiler() {
  const std::lock_guard lock(active_mutex);
  Work::set_counted(false);
  Recording::active = nullptr;
  changes.fetch_add(1, std::memory_order_release);
  // Threads keep their part until they join the next recording.
  for (const auto& thread : recording_->threads) {
    const std::lock_guard thread_lock(thread->mutex);
    thread->spans.clear();
    thread->names.clear();
  }
}

std::vector<ProfilerEvent> Profiler::events() const {
  std::vector<ProfilerEvent> all;
  const std::lock_guard lock(active_mutex);
  int number = 0;
  for (const auto& thread : recording_->threads) {
    const std::lock_guard thread_lock(thread->mutex);
    for (const Span& span : thread->spans) {
      const auto& [kind, name, layer_path, begin, end] = span;
      using std::chrono::nanoseconds;
      all.push_back({kind, name, layer_path, number,
                     nanoseconds(begin.nanoseconds - recording_->begin),
                     nanoseconds(end.nanoseconds - begin.nanoseconds), end.flops - begin.flops,
                     end.bytes - begin.bytes});
    }
    ++number;
  }
  std::stable_sort(all.begin(), all.end(), [](const ProfilerEvent& a, const ProfilerEvent& b) {
    return std::tuple(a.thread, a.begin, b.duration) < std::tuple(b.thread, b.begin, a.duration);
  });
  return all;
}

}  // namespace attune
