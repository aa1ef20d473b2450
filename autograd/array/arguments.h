#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace attune {

/// The options of one member of a Family, in text: "alpha=1.3" of "entmax:alpha=1.3". The maker of
/// the member reads all options that it has, with their defaults:
///
///     const double alpha = arguments.number("alpha", 1.5, {.above = 1});
///
/// Errors of all functions that read: a value that is not of the kind, or out of its range.
class Arguments {
 public:
  /// The range of a number.
  struct Range {
    double from = -std::numeric_limits<double>::infinity();
    double above = -std::numeric_limits<double>::infinity();  ///< excluded
    double to = std::numeric_limits<double>::infinity();
  };

  /// No options.
  Arguments() = default;
  /// The options NAME=VALUE,... of a member; `owner` names it in errors, such as "normalizer
  /// 'entmax'". Errors: a part of the text that is not NAME=VALUE; a name given twice.
  Arguments(std::string owner, std::string_view text);

  double number(std::string_view name, double otherwise, const Range& range) const;
  std::int64_t whole(std::string_view name, std::int64_t otherwise, std::int64_t from = 1) const;
  /// Whole numbers from 1 with an x between them: "64x32".
  std::vector<std::int64_t> sizes(std::string_view name, std::vector<std::int64_t> otherwise) const;
  std::string text(std::string_view name, std::string_view otherwise) const;
  bool flag(std::string_view name, bool otherwise) const;  ///< true or false

  /// Errors: an option was given that has not been read; the message lists those that have.
  void check_all_read() const;

 private:
  struct Given {
    std::string name, value;
  };
  const std::string* find(std::string_view name) const;
  [[noreturn]] void refuse(std::string_view name, std::string_view value,
                           std::string_view expected) const;

  std::string owner_;
  std::vector<Given> given_;
  // Shared by copies, so that a maker may take its options by value.
  std::shared_ptr<std::vector<std::string>> read_ = std::make_shared<std::vector<std::string>>();
};

}  // namespace attune
