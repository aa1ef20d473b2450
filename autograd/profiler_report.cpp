#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/autograd/array/error.h"
#include "attune/autograd/array/threads.h"
#include "attune/autograd/profiler.h"

namespace attune {
namespace {

using Kind = ProfilerEvent::Kind;

double milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

// The sum of several spans.
struct Total {
  std::int64_t calls = 0;
  std::chrono::nanoseconds time{0};
  std::int64_t flops = 0, bytes = 0;

  void add(const ProfilerEvent& event) {
    ++calls;
    time += event.duration;
    flops += event.flops;
    bytes += event.bytes;
  }
  // "12  1.234  5.67  0.89": calls, milliseconds, GFLOP/s and MiB.
  std::string columns() const {
    if (calls == 0) return fmt::format("{:>8} {:>10} {:>9} {:>9}", "-", "-", "-", "-");
    const double ms = milliseconds(time);
    const std::string speed =
        flops == 0 || ms == 0 ? "-" : fmt::format("{:.2f}", static_cast<double>(flops) / ms * 1e-6);
    return fmt::format("{:>8} {:>10.3f} {:>9} {:>9.2f}", calls, ms, speed,
                       static_cast<double>(bytes) / (1 << 20));
  }
};

struct Row {
  Total forward, backward;
  std::chrono::nanoseconds time() const { return forward.time + backward.time; }
  void add(const ProfilerEvent& event) {
    (event.kind == Kind::forward ? forward : backward).add(event);
  }
};

bool is_operation(const ProfilerEvent& event) {
  return event.kind == Kind::forward || event.kind == Kind::backward;
}

using Rows = std::vector<std::pair<std::string, Row>>;

std::string table_of(const std::string& title, const Rows& rows, std::chrono::nanoseconds of_all) {
  std::size_t width = title.size();
  for (const auto& row : rows) width = std::max(width, row.first.size());
  std::string text = fmt::format("{:<{}}  {:>39}  {:>39}\n", "", width, "forward", "backward");
  constexpr auto kColumns = "   calls         ms   GFLOP/s       MiB";
  text += fmt::format("{:<{}}  {}  {}  share\n", title, width, kColumns, kColumns);
  for (const auto& [name, row] : rows)
    text += fmt::format("{:<{}}  {}  {}  {:>4.1f}%\n", name, width, row.forward.columns(),
                        row.backward.columns(),
                        of_all.count() == 0 ? 0 : 100 * (row.time() / 1.0) / of_all);
  return text;
}

// Longest first.
std::string by_operation(const std::vector<ProfilerEvent>& events) {
  std::map<std::string, Row> found;
  Row sum;
  for (const ProfilerEvent& event : events) {
    if (!is_operation(event)) continue;
    found[event.name].add(event);
    sum.add(event);
  }
  Rows rows(found.begin(), found.end());
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return a.second.time() > b.second.time(); });
  rows.emplace_back("all operations", sum);
  return table_of("operation", rows, sum.time());
}

// By path, each with the layers in it.
std::string by_layer(const std::vector<ProfilerEvent>& events) {
  std::map<std::string, Row> found;
  std::chrono::nanoseconds of_all{0};
  for (const ProfilerEvent& event : events) {
    if (!is_operation(event)) continue;
    of_all += event.duration;
    const std::string& path = event.layer_path;
    if (path.empty()) found["(no layer)"].add(event);
    for (std::size_t dot = 0; dot < path.size();) {
      dot = std::min(path.find('.', dot + 1), path.size());
      found[path.substr(0, dot)].add(event);
    }
  }
  return table_of("layer", Rows(found.begin(), found.end()), of_all);
}

std::string by_function(const std::vector<ProfilerEvent>& events) {
  std::map<std::string, Total> found;
  std::size_t width = std::strlen("function");
  for (const ProfilerEvent& event : events) {
    if (event.kind != Kind::function) continue;
    found[event.name].add(event);
    width = std::max(width, event.name.size());
  }
  std::string text =
      fmt::format("{:<{}}     calls         ms   GFLOP/s       MiB\n", "function", width);
  for (const auto& [name, total] : found)
    text += fmt::format("{:<{}}  {}\n", name, width, total.columns());
  return text;
}

const char* category(Kind kind) {
  switch (kind) {
    case Kind::forward:
      return "forward";
    case Kind::backward:
      return "backward";
    case Kind::layer:
      return "layer";
    case Kind::function:
      break;
  }
  return "function";
}

}  // namespace

std::string Profiler::table() const {
  const std::vector<ProfilerEvent> all = events();
  return by_operation(all) + "\n" + by_layer(all) + "\n" + by_function(all);
}

void Profiler::export_chrome_trace(const std::string& path) const {
  using Json = nlohmann::ordered_json;
  Json spans = Json::array();
  int threads = 0;
  const auto microseconds = [](std::chrono::nanoseconds time) {
    return std::chrono::duration<double, std::micro>(time).count();
  };
  for (const ProfilerEvent& event : events()) {
    if (event.thread >= threads) {
      threads = event.thread + 1;
      spans.push_back({{"name", "thread_name"},
                       {"ph", "M"},
                       {"pid", 0},
                       {"tid", event.thread},
                       {"args", {{"name", fmt::format("thread {}", event.thread)}}}});
    }
    spans.push_back(
        {{"name", event.name},
         {"cat", category(event.kind)},
         {"ph", "X"},
         {"ts", microseconds(event.begin)},
         {"dur", microseconds(event.duration)},
         {"pid", 0},
         {"tid", event.thread},
         {"args", {{"layer", event.layer_path}, {"flops", event.flops}, {"bytes", event.bytes}}}});
  }
  std::ofstream file(path, std::ios::binary);
  file << Json{{"displayTimeUnit", "ms"}, {"traceEvents", std::move(spans)}}.dump(
      -1, ' ', false, Json::error_handler_t::replace);
  file.close();
  ATTUNE_CHECK(file,
               "Profiler: the trace cannot be written to '{}': {}; name a file in a folder that "
               "exists and may be written to",
               path, std::strerror(errno));
}

}  // namespace attune
