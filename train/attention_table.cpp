#include "attune/train/attention_table.h"

#include <nlohmann/json.hpp>

#include "attune/data/messages.h"
#include "attune/models/mechanisms.h"

namespace attune {

std::string attention_table() {
  std::string text, family;
  for (const AttentionMechanism& member : attention_mechanisms()) {
    if (member.family != family)
      text += fmt::format("{}{}\n", family.empty() ? "" : "\n",
                          option_name(member.family == "score" ? "attention" : member.family));
    family = member.family;
    text += fmt::format("  {:<17} {:<64} {}\n", member.name, member.summary, member.source);
  }
  return text;
}

std::string attention_json() {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const AttentionMechanism& member : attention_mechanisms())
    list.push_back({{"family", member.family},
                    {"name", member.name},
                    {"summary", member.summary},
                    {"source", member.source}});
  return list.dump(2) + "\n";
}

}  // namespace attune
