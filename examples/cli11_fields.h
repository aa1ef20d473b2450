#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "attune/data/messages.h"
#include "attune/data/settings.h"
#include "attune/train/fields.h"

/// Lists of options (see attune::Field) as flags of CLI11. Values are parsed and checked by
/// the fields, so that flags, config.json and the library accept the same values.
namespace flags {

/// "INT:a whole number from 1", "TEXT:{chars,words}", "FILE".
inline std::string type_of(const attune::Field& field) {
  if (field.is_text()) {
    if (field.choices.empty()) return field.content;
    std::string type;
    for (const std::string& choice : field.choices) type += (type.empty() ? "" : ",") + choice;
    return "TEXT:{" + type + "}";
  }
  const bool is_unsigned = std::holds_alternative<std::uint64_t*>(field.value);
  return (field.is_real_number() ? "FLOAT:" : is_unsigned ? "UINT:" : "INT:") + field.expected();
}

// What is wrong with the value of a flag such as --bidirectional=false; nothing if it is right.
inline std::string fault_of_switch(const std::string& text) {
  try {
    CLI::detail::to_flag_value(text);
    return "";
  } catch (const std::logic_error&) {
    return "'" + text + "' is neither true nor false";
  }
}

inline CLI::Option* add_field(CLI::App& command, const attune::Field& field,
                              const std::string& name) {
  const std::string flag = attune::flag_of(name), help = attune::with_option_names(field.help);
  if (field.is_flag()) {
    bool& value = *std::get<bool*>(field.value);
    const std::string off = value ? ",!" + attune::flag_of("no_" + name) : "";
    return command.add_flag(flag + off, value, help)->check(fault_of_switch);
  }
  const auto set = [field](const std::string& text) { field.set(text); };
  return command.add_option_function<std::string>(flag, set, help)
      ->type_name(type_of(field))
      ->default_str(field.text())
      ->required(field.required);
}

/// Adds a flag for each field, which sets its member. The members must outlive the parsing.
inline void add_fields(CLI::App& command, const std::vector<attune::Field>& fields) {
  for (const attune::Field& field : fields) {
    CLI::Option* option = add_field(command, field, field.name);
    if (!field.group.empty()) option->group(field.group);
    if (!field.alias.empty()) {
      CLI::Option* alias = add_field(command, field, field.alias)->excludes(option)->group("");
      option->remove_excludes(alias);  // which the help would show
    }
  }
  const auto flag = [&](const std::string& option) {
    return command.get_option(attune::flag_of(option));
  };
  // CLI11 cannot express that one of several flags is needed; check() of the options does.
  const auto has_substitute = [&](const std::string& option) {
    return std::any_of(fields.begin(), fields.end(),
                       [&](const attune::Field& field) { return field.stands_for == option; });
  };
  for (const attune::Field& field : fields) {
    if (!field.needs.empty() && !has_substitute(field.needs))
      flag(field.name)->needs(flag(field.needs));
    for (const std::string& other : field.excludes) flag(field.name)->excludes(flag(other));
  }
}

/// The names of the fields whose flags were given, also in a file of flags.
inline std::vector<std::string> given_fields(const CLI::App& command,
                                             const std::vector<attune::Field>& fields) {
  const auto is_given = [&](const std::string& name) {
    return !name.empty() && command.count(attune::flag_of(name)) > 0;
  };
  std::vector<std::string> names;
  for (const attune::Field& field : fields)
    if (is_given(field.name) || is_given(field.alias)) names.push_back(field.name);
  return names;
}

// Applies the flags of the file that are not on the command line.
inline void apply_file(CLI::App& command, const std::string& file,
                       std::span<const std::string_view> sections) {
  std::vector<CLI::Option*> given;
  for (CLI::Option* option : command.get_options())
    if (option->count() > 0) given.push_back(option);
  // The option itself, or one that excludes it, is given.
  const auto is_decided = [&](CLI::Option* option) {
    return std::any_of(given.begin(), given.end(), [&](CLI::Option* other) {
      return other == option || other->get_excludes().contains(option) ||
             option->get_excludes().contains(other);
    });
  };

  for (const attune::Setting& line : attune::read_settings(file, sections, "--config")) {
    if (!line.section.empty() && line.section != command.get_name()) continue;
    CLI::Option* option = command.get_option_no_throw("--" + line.key);
    if (option == nullptr || line.key == "config" || line.key == "help")
      throw CLI::ValidationError(line.where, "unknown key '" + line.key + "'");
    if (is_decided(option)) continue;
    try {
      if (option->get_items_expected_max() > 0)
        option->add_result(line.value);
      else if (line.value == "true" || line.value == "false")
        option->add_result(option->get_flag_value(line.key, line.value));
      else
        throw CLI::ValidationError("--" + line.key,
                                   "'" + line.value + "' is neither true nor false");
      option->run_callback();
    } catch (const std::exception& error) {
      throw CLI::ValidationError(line.where, error.what());
    }
  }
}

/// Adds --config FILE: a file of settings (see attune::read_settings()) that are flags of this
/// command. A section is for the command of its name alone.
inline void add_flag_file(CLI::App& command, std::span<const std::string_view> sections) {
  const auto apply = [&command, sections](const std::string& file) {
    apply_file(command, file, sections);
  };
  command
      .add_option_function<std::string>(
          "--config", apply,
          "read flags from a file of lines such as steps = 2000 or json = true; flags on the "
          "command line take precedence")
      ->type_name("FILE");
}

/// The words of a command line: flags with their values, for CLI11, and all others, which are not
/// interpreted. (CLI11 would split '[a,b]' and give ++ and names of commands a meaning.)
struct Words {
  std::vector<std::string> flags, others;
};

inline bool is_flag(const std::string& text) {
  const bool is_number = text.size() > 1 && text[1] >= '0' && text[1] <= '9';
  return text.size() > 1 && text[0] == '-' && !is_number;
}

/// Words after -- are not flags. Errors: CLI::ValidationError for a flag without a value.
inline Words split(const CLI::App& command, const std::vector<std::string>& words) {
  Words result;
  const auto option_of = [&](const std::string& word) {
    return command.get_option_no_throw(word.substr(0, word.find('=')));
  };
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") {
      result.others.insert(result.others.end(), words.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                           words.end());
      break;
    }
    if (!is_flag(word)) {
      result.others.push_back(word);
      continue;
    }
    const CLI::Option* option = option_of(word);
    if (option == nullptr || option->get_items_expected_max() == 0) {
      result.flags.push_back(word);
      continue;
    }
    // Two separate words preserve an empty value.
    const std::size_t equals = word.find('=');
    result.flags.push_back(word.substr(0, equals));
    if (equals != std::string::npos) {
      result.flags.push_back(word.substr(equals + 1));
    } else if (i + 1 < words.size()) {
      const std::string& value = words[++i];
      if (value.starts_with("--") && (value == "--" || option_of(value) != nullptr))
        throw CLI::ValidationError(
            word, "there is no value before " + value + "; if that is it: " + word + "=" + value);
      result.flags.push_back(value);
    }
  }
  return result;
}

}  // namespace flags
