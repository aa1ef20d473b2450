#include "attune/train/metrics_log.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <type_traits>

#include <fmt/format.h>

namespace attune {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const MetricsField& field) {
  return std::visit(
      [](const auto& value) -> Json {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, float>) {
          // The double with the same shortest digits: 0.1 rather than 0.10000000149011612.
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

void MetricsLog::write(const std::vector<MetricsField>& fields) {
  Json object = Json::object();
  for (const MetricsField& field : fields) object[field.name] = json_of(field);
  // Text that is not UTF-8 gets replacement characters, which is better than to end a training.
  file_.append(object.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n');
}

}  // namespace attune
