#include "attune/train/metrics_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <system_error>
#include <type_traits>
#include <utility>

#include "attune/autograd/array/error.h"

namespace attune {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const MetricsField& field) {
  return std::visit(
      [](const auto& value) -> Json {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, float>) {
          // The double of the same shortest digits: 0.1 and not 0.10000000149011612.
          const std::string digits = fmt::format("{}", value);
          double result = 0;
          std::from_chars(digits.data(), digits.data() + digits.size(), result);
          return result;
        } else {
          return value;
        }
      },
      field.value);
}

}  // namespace

MetricsLog::MetricsLog(std::string path)
    : path_(std::move(path)),
      descriptor_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
  ATTUNE_CHECK(descriptor_ >= 0, "metrics_log: cannot open '{}': {}", path_,
               std::generic_category().message(errno));
}

MetricsLog::~MetricsLog() { ::close(descriptor_); }

void MetricsLog::write(const std::vector<MetricsField>& fields) {
  Json object = Json::object();
  for (const MetricsField& field : fields) object[std::string(field.name)] = json_of(field);
  // Text that is not UTF-8 gets replacement characters rather than ending a training run.
  const std::string line = object.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';

  const off_t size_before = ::lseek(descriptor_, 0, SEEK_END);
  std::size_t done = 0;
  while (done < line.size()) {
    const ssize_t written = ::write(descriptor_, line.data() + done, line.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int error = errno;
      // No half a line: it would make the whole log unreadable. A device has nothing to cut.
      const bool cut = size_before < 0 || ::ftruncate(descriptor_, size_before) == 0;
      fail("metrics_log: cannot write '{}': {}{}", path_, std::generic_category().message(error),
           cut || done == 0 ? "" : "; its last line is incomplete");
    }
    done += static_cast<std::size_t>(written);
  }
}

}  // namespace attune
