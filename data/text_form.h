#pragma once

#include <string>
#include <string_view>

namespace attune {

/// Unicode's normal forms (Unicode Standard Annex #15): nfc composes letters and their accents,
/// nfkc also replaces variants of a character, such as full-width letters and ligatures, by the
/// plain one.
enum class NormalForm { none, nfc, nfkc };

/// "none", "nfc" or "nfkc".
std::string_view name_of(NormalForm form);

/// The form called `name`. Errors: an unknown name (the message lists the valid ones).
NormalForm normal_form_named(std::string_view name);

/// How text is changed before it is split into tokens.
struct TextForm {
  bool lowercase = false;
  NormalForm normalization = NormalForm::none;
  bool operator==(const TextForm&) const = default;
};

/// `line` in this form: normalised first, then in lower case. Errors: `line` is not UTF-8.
std::string in_form(std::string_view line, const TextForm& form);

}  // namespace attune
