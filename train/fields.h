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

struct SearchOptions;

/// An option with an invalid value, or options that cannot be combined.
class OptionError : public Error {
 public:
  using Error::Error;
};

/// The numbers from `low` to `high`.
struct Range {
  double low = 0;
  double high = std::numeric_limits<double>::infinity();  ///< for integers: the limit of the type
  bool above_low = false;                                 ///< whether `low` itself is excluded
  bool below_high = false;                                ///< whether `high` itself is excluded
};

/// Describes a member of an options struct for config.json, the checks before a training, and the
/// flags of a program with their help. fields(options) lists the members of a struct, so a new
/// option takes a member and an entry in that list:
///
///     for (const Field& field : fields(options))
///       fmt::print("{} = {}\n", field.name, field.text());
///
/// Fields point into the struct that they were listed from. `help` and `instead` have the names of
/// other options in backticks, for with_option_names().
struct Field {
  using Value =
      std::variant<bool*, int*, std::int64_t*, std::uint64_t*, double*, std::string*,
                   std::optional<int>*, std::optional<std::int64_t>*, std::optional<double>*>;

  std::string name;                       ///< of the option, such as max_length
  Value value;                            ///< the member
  std::string help = {};                  ///< a short description
  Range range = {};                       ///< of a number
  std::vector<std::string> choices = {};  ///< of a text; empty: any text
  bool takes_arguments = false;           ///< whether a choice may be followed by :NAME=VALUE,...
  std::string content = "TEXT";           ///< a placeholder for any text, such as FILE

  std::string group = {};                  ///< the heading in the help
  std::string alias = {};                  ///< the name in earlier versions
  bool required = false;                   ///< whether it must be set
  std::string needs = {};                  ///< an option without which it cannot be used
  std::string stands_for = {};             ///< another option, where that one is needed
  std::vector<std::string> excludes = {};  ///< options with which it cannot be combined
  std::string not_for = {}, instead = {};  ///< a kind of model without it, and what to use there
  bool decides = true;                     ///< whether it affects the result of a training
  bool is_recent = false;  ///< may be missing in config.json, and then has its default

  bool is_flag() const { return std::holds_alternative<bool*>(value); }
  bool is_text() const { return std::holds_alternative<std::string*>(value); }
  bool is_whole_number() const { return !is_flag() && !is_text() && !is_real_number(); }
  bool is_real_number() const {
    return std::holds_alternative<double*>(value) ||
           std::holds_alternative<std::optional<double>*>(value);
  }

  /// The value as text; empty if it is not set.
  std::string text() const;
  /// The valid values: "a whole number from 1", "one of chars, words".
  std::string expected() const;
  /// Sets the member from `text`; returns false if `text` is not valid.
  bool read(const std::string& text) const;
  /// Sets the member from `text`. Errors: OptionError, if `text` is not valid.
  void set(const std::string& text) const;
};

/// The field of that name or alias; null if there is none.
const Field* find_field(const std::vector<Field>& fields, std::string_view name);

/// Checks the values of fields. Errors: OptionError, an invalid value, or a missing one that is
/// required.
void check_values(const std::vector<Field>& fields);

// Fields that several structs have.
Field max_source_length_field(std::optional<int>& value);
Field max_output_length_field(std::optional<int>& value);
Field threads_field(int& value);
/// The beam, the length penalty and the coverage penalty.
std::vector<Field> beam_fields(SearchOptions& options);
/// The reference alignments of the pairs that the option `pairs` names.
Field reference_alignment_field(std::string& value, const std::string& pairs);
Field trained_run_field(std::string& value);

/// The command-line flag of an option: --max-length for max_length.
std::string flag_of(std::string_view option);

}  // namespace attune
