#include "attune/train/fields.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "attune/autograd/array/parse_number.h"
#include "attune/autograd/array/text.h"
#include "attune/data/messages.h"
#include "attune/search/search.h"

namespace attune {
namespace {

std::string text_of(bool value) { return value ? "true" : "false"; }
std::string text_of(const std::string& value) { return value; }
template <typename Number>
std::string text_of(Number value) {
  return fmt::format("{}", value);
}
template <typename T>
std::string text_of(const std::optional<T>& value) {
  return value ? text_of(*value) : "";
}

// The largest value of an integer option; that of a counting type leaves room for arithmetic.
template <typename T>
constexpr double kLargest = static_cast<double>(std::numeric_limits<T>::max());
template <>
constexpr double kLargest<std::int64_t> = 1e15;

template <typename Number>
bool is_in(const Range& range, Number number) {
  const auto value = static_cast<double>(number);
  if constexpr (std::is_integral_v<Number>)
    if (value > kLargest<Number>) return false;
  return (range.above_low ? value > range.low : value >= range.low) &&
         (range.below_high ? value < range.high : value <= range.high);
}

bool read_value(const Field&, const std::string& text, bool& value) {
  value = text == "true";
  return value || text == "false";
}

bool read_value(const Field& field, const std::string& text, std::string& value) {
  const std::vector<std::string>& choices = field.choices;
  const std::string choice = field.takes_arguments ? text.substr(0, text.find(':')) : text;
  if (!choices.empty() && std::find(choices.begin(), choices.end(), choice) == choices.end())
    return false;
  value = text;
  return true;
}

template <typename Number>
bool read_value(const Field& field, const std::string& text, Number& value) {
  const std::optional<Number> number = parse_number<Number>(text);
  if (!number || !is_in(field.range, *number)) return false;
  value = *number;
  return true;
}

template <typename T>
bool read_value(const Field& field, const std::string& text, std::optional<T>& value) {
  T read{};
  if (!read_value(field, text, read)) return false;
  value = read;
  return true;
}

std::string fault_of(const Field& field, const std::string& text) {
  if (field.is_flag()) return fmt::format("'{}' is neither true nor false", text);
  if (field.is_text()) return fmt::format("{} not in {{{}}}", text, joined(field.choices, ","));
  const std::optional<std::int64_t> number = parse_number<std::int64_t>(text);
  const bool is_large = field.is_whole_number() && number && *number > kLargest<int>;
  return is_large ? fmt::format("'{}' is too large", text)
                  : fmt::format("'{}' is not {}", text, field.expected());
}

}  // namespace

std::string Field::text() const {
  return std::visit([](const auto* member) { return text_of(*member); }, value);
}

std::string Field::expected() const {
  if (is_flag()) return "true or false";
  if (is_text()) return choices.empty() ? "text" : "one of " + joined(choices);
  std::string text = fmt::format("a {}number {} {}", is_real_number() ? "" : "whole ",
                                 range.above_low ? "above" : "from", range.low);
  // The limit of the type need not be mentioned.
  if (std::isfinite(range.high) && range.high < kLargest<int>)
    text += fmt::format(" {}to {}{}", range.above_low ? "up " : "",
                        range.below_high ? "below " : "", range.high);
  else if (std::holds_alternative<std::uint64_t*>(value))
    text += fmt::format(" to {}", std::numeric_limits<std::uint64_t>::max());
  return text;
}

bool Field::read(const std::string& text) const {
  return std::visit([&](auto* member) { return read_value(*this, text, *member); }, value);
}

void Field::set(const std::string& text) const {
  if (!read(text)) throw OptionError(option_name(name) + ": " + fault_of(*this, text));
}

const Field* find_field(const std::vector<Field>& fields, std::string_view name) {
  for (const Field& field : fields)
    if (field.name == name || (!field.alias.empty() && field.alias == name)) return &field;
  return nullptr;
}

void check_values(const std::vector<Field>& fields) {
  for (const Field& field : fields) {
    const std::string text = field.text();
    if (!text.empty())
      field.set(text);
    else if (field.required)
      throw OptionError(option_name(field.name) + ": there is none; it is required");
  }
}

Field max_source_length_field(std::optional<int>& value) {
  return {.name = "max_source_length",
          .value = &value,
          .help = "most tokens of a source; longer ones are an error; as in training by default",
          .range = {.low = 1}};
}

Field max_output_length_field(std::optional<int>& value) {
  return {.name = "max_output_length",
          .value = &value,
          .help =
              "most tokens to write for a source; by default twice its own and 10 more, and at "
              "least as many as the longest target of the training has",
          .range = {.low = 1}};
}

Field reference_alignment_field(std::string& value, const std::string& pairs) {
  return {.name = "reference_alignment",
          .value = &value,
          .help = fmt::format(
              "the correct alignment of each line of `{}`, in Moses form: links SOURCE-TARGET of "
              "positions counted from 0, or SOURCEpTARGET if they are only possible; for the "
              "alignment error rate, precision and recall of attention",
              pairs),
          .content = "FILE",
          .needs = pairs};
}

Field trained_run_field(std::string& value) {
  return {.name = "run",
          .value = &value,
          .help = "a run folder that train has written",
          .content = "DIR",
          .required = true};
}

Field threads_field(int& value) {
  return {.name = "threads",
          .value = &value,
          .help = "threads to use; results do not depend on it",
          .range = {.low = 1, .high = 1024},
          .decides = false};
}

std::vector<Field> beam_fields(SearchOptions& options) {
  return {
      {.name = "beam",
       .value = &options.beam,
       .help = "hypotheses kept at each step (beam search); 1 always takes the most probable token",
       .range = {.low = 1}},
      {.name = "length_penalty",
       .value = &options.length_penalty,
       .help =
           "alpha of Wu et al. 2016: divides the log-probability of n tokens by "
           "((5 + n) / 6)^alpha, so that long outputs are not at a disadvantage; often 0.6 to 1",
       .range = {.low = 0}},
      {.name = "coverage_penalty",
       .value = &options.coverage_penalty,
       .help = "beta of Wu et al. 2016: lowers the score of outputs that leave out parts of the "
               "source, by its attention; often 0.2",
       .range = {.low = 0}},
      {.name = "no_repeat_ngram",
       .value = &options.no_repeat_ngram,
       .help = "never write the same n tokens in a row twice (Paulus et al. 2018), such as 3; 0: "
               "they may be repeated (the default)",
       .range = {.low = 0}},
  };
}

std::string flag_of(std::string_view option) {
  std::string flag = "--" + std::string(option);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

}  // namespace attune
