#include <nlohmann/json.hpp>

#include "attune/layers/attention/mechanisms.h"
#include "attune/train/fields.h"
#include "commands.h"

namespace seq2seq {

int run(const AttentionsCommand& command) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  std::string family;
  for (const attune::AttentionMechanism& member : attune::attention_mechanisms()) {
    if (command.json) {
      list.push_back({{"family", member.family},
                      {"name", member.name},
                      {"summary", member.summary},
                      {"source", member.source}});
      continue;
    }
    if (member.family != family)
      fmt::print("{}{}\n", family.empty() ? "" : "\n",
                 attune::flag_of(member.family == "score" ? "attention" : member.family));
    family = member.family;
    fmt::print("  {:<17} {:<64} {}\n", member.name, member.summary, member.source);
  }
  if (command.json) fmt::print("{}\n", list.dump(2));
  return 0;
}

}  // namespace seq2seq
