#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "attune/autograd/array/error.h"

namespace attune {

/// Options that make no sense, alone or together.
class OptionError : public Error {
 public:
  using Error::Error;
};

/// The numbers from `low` to `high`.
struct Range {
  double low = 0;
  double high = std::numeric_limits<double>::infinity();  ///< for whole numbers, as far as they go
  bool below_high = false;                                ///< without `high` itself
};

/// A member of an options struct, described for config.json, for the checks before a training, and
/// for the flags of a program with their help. fields(options) lists the members of a struct, so
/// that a new option is a member and an entry in that list:
///
///     for (const Field& field : fields(options))
///       fmt::print("{} = {}\n", field.name, field.text());
///
/// Fields refer to the struct that they were listed from. `help` and `instead` have names of other
/// options in backticks, for with_option_names().
struct Field {
  using Value =
      std::variant<bool*, int*, std::int64_t*, std::uint64_t*, double*, std::string*,
                   std::optional<int>*, std::optional<std::int64_t>*, std::optional<double>*>;

  std::string name;                       ///< of the option, such as max_length
  Value value;                            ///< the member
  std::string help = {};                  ///< in a few words what it is
  Range range = {};                       ///< of a number
  std::vector<std::string> choices = {};  ///< of a text; empty: any text
  std::string content = "TEXT";           ///< of any text: what it is, such as FILE

  std::string group = {};                  ///< the heading in the help
  std::string alias = {};                  ///< its name in earlier versions
  bool required = false;                   ///< must be chosen
  std::string needs = {};                  ///< makes sense only beside this option
  std::vector<std::string> excludes = {};  ///< makes no sense beside these
  std::string not_for = {}, instead = {};  ///< the kind of model that lacks it, and what that has
  bool decides = true;                     ///< on the result of a training
  bool is_recent = false;  ///< may be missing in config.json, where it has its default

  bool is_flag() const { return std::holds_alternative<bool*>(value); }
  bool is_text() const { return std::holds_alternative<std::string*>(value); }
  bool is_whole_number() const { return !is_flag() && !is_text() && !is_real_number(); }
  bool is_real_number() const {
    return std::holds_alternative<double*>(value) ||
           std::holds_alternative<std::optional<double>*>(value);
  }

  /// The value as text; empty where there is none.
  std::string text() const;
  /// What it may be: "a whole number from 1", "one of chars, words".
  std::string expected() const;
  /// Sets the member, if `text` is what it may be; false if it is not.
  bool read(const std::string& text) const;
  /// The same. Errors: OptionError, with the reason.
  void set(const std::string& text) const;
};

/// The field of that name or alias; null if there is none.
const Field* find_field(const std::vector<Field>& fields, std::string_view name);

/// Errors: OptionError, a value that a field may not have, or none where one is required.
void check_values(const std::vector<Field>& fields);

// Fields that several structs have.
Field max_source_length_field(std::optional<int>& value);
Field max_output_length_field(std::optional<int>& value);
Field threads_field(int& value);

/// The flag by which a program's users set an option: --max-length for max_length.
std::string flag_of(std::string_view option);

}  // namespace attune
