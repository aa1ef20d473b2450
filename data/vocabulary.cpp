#include "attune/data/vocabulary.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

#include "attune/autograd/array/error.h"
#include "attune/autograd/array/text.h"
#include "attune/data/utf8.h"

namespace attune {
namespace {

constexpr std::array<std::string_view, 2> kind_names = {"chars", "words"};
constexpr std::array<std::string_view, Vocabulary::specials> special_names = {"<pad>", "<s>",
                                                                              "</s>", "<unk>"};

bool is_special(std::string_view token) {
  return std::find(special_names.begin(), special_names.end(), token) != special_names.end();
}

constexpr std::string_view white_space = " \t\n\r\v\f";

std::vector<std::string> words_of(std::string_view line) {
  const auto bad = utf8::first_invalid_byte(line);
  ATTUNE_CHECK(!bad,
               "vocabulary: byte {} of {} does not start a valid character; expected UTF-8 text",
               *bad, line.size());
  std::vector<std::string> words;
  std::size_t at = line.find_first_not_of(white_space);
  while (at != std::string_view::npos) {
    const std::size_t stop = std::min(line.find_first_of(white_space, at), line.size());
    words.emplace_back(line.substr(at, stop - at));
    at = line.find_first_not_of(white_space, stop);
  }
  return words;
}

std::vector<std::string> tokens_of(Tokens kind, std::string_view line) {
  return kind == Tokens::chars ? utf8::characters(line) : words_of(line);
}

struct Escape {
  char byte, letter;
};
constexpr std::array<Escape, 5> short_escapes = {
    {{' ', 's'}, {'\t', 't'}, {'\n', 'n'}, {'\r', 'r'}, {'\\', '\\'}}};

// Characters that some editors treat as the end of a line, or that are invisible in them.
bool needs_escape(std::string_view character) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
  const bool control = byte(0) < 0x20 || byte(0) == 0x7F || (byte(0) == 0xC2 && byte(1) < 0xA0);
  return control || character == "\u2028" || character == "\u2029" || character == "\uFEFF";
}

std::string escape(std::string_view token) {
  std::string result;
  for (const std::string& character : utf8::characters(token)) {
    const auto found = std::find_if(short_escapes.begin(), short_escapes.end(),
                                    [&](Escape e) { return character[0] == e.byte; });
    if (found != short_escapes.end()) {
      result += {'\\', found->letter};
    } else if (needs_escape(character)) {
      for (const unsigned char byte : character) result += fmt::format("\\x{:02X}", byte);
    } else {
      result += character;
    }
  }
  return result;
}

// The inverse of escape(); nullopt if an escape is malformed.
std::optional<std::string> unescape(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      result += text[at];
      continue;
    }
    if (++at == text.size()) return std::nullopt;
    if (text[at] == 'x') {
      unsigned char byte = 0;
      const std::string_view digits = text.substr(at + 1, 2);
      const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
      if (parsed.ptr != digits.data() + 2) return std::nullopt;
      result += static_cast<char>(byte);
      at += 2;
    } else {
      const auto found = std::find_if(short_escapes.begin(), short_escapes.end(),
                                      [&](Escape e) { return text[at] == e.letter; });
      if (found == short_escapes.end()) return std::nullopt;
      result += found->byte;
    }
  }
  return result;
}

}  // namespace

std::string_view name_of(Tokens kind) { return kind_names[static_cast<std::size_t>(kind)]; }

Tokens tokens_named(std::string_view name) {
  const auto found = std::find(kind_names.begin(), kind_names.end(), name);
  ATTUNE_CHECK(found != kind_names.end(), "tokens: unknown kind '{}'; known kinds: {}", name,
               joined(kind_names));
  return static_cast<Tokens>(found - kind_names.begin());
}

void UnknownTokens::add(const std::string& token) {
  ++occurrences_;
  if (seen_.insert(token).second) tokens_.push_back(token);
}

Vocabulary::Vocabulary(Tokens kind)
    : kind_(kind), tokens_(special_names.begin(), special_names.end()) {}

Vocabulary Vocabulary::build(Tokens kind, std::span<const std::string> lines,
                             std::size_t min_count) {
  VocabularyBuilder builder(kind);
  for (const std::string& line : lines) builder.add(line);
  return builder.build(min_count);
}

void VocabularyBuilder::add(std::string_view line) {
  for (std::string& token : tokens_of(kind_, line)) ++counts_[std::move(token)];
}

Vocabulary VocabularyBuilder::build(std::size_t min_count) const {
  std::vector<std::pair<std::string, std::size_t>> sorted(counts_.begin(), counts_.end());
  std::erase_if(sorted, [&](const auto& entry) {
    return is_special(entry.first) || entry.second < min_count;
  });
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  Vocabulary vocabulary(kind_);
  for (auto& [token, count] : sorted) vocabulary.add(std::move(token));
  return vocabulary;
}

void Vocabulary::add(std::string token) {
  ids_.emplace(token, size());
  tokens_.push_back(std::move(token));
}

const std::string& Vocabulary::token(int id) const {
  ATTUNE_CHECK(id >= 0 && id < size(),
               "vocabulary: index {} is outside of its {} tokens; expected 0 ... {}", id, size(),
               size() - 1);
  return tokens_[static_cast<std::size_t>(id)];
}

int Vocabulary::id(std::string_view token) const {
  const auto found = ids_.find(std::string(token));
  return found == ids_.end() ? unknown : found->second;
}

std::vector<std::int32_t> Vocabulary::ids_in(const Vocabulary& other) const {
  std::vector<std::int32_t> ids;
  for (int id = 0; id < size(); ++id) ids.push_back(id < specials ? id : other.id(token(id)));
  return ids;
}

std::vector<std::string> Vocabulary::tokenize(std::string_view line) const {
  return tokens_of(kind_, line);
}

std::vector<int> Vocabulary::encode(std::string_view line, UnknownTokens* unknown_tokens) const {
  std::vector<int> ids;
  for (const std::string& token : tokenize(line)) {
    ids.push_back(id(token));
    if (ids.back() == unknown && unknown_tokens != nullptr) unknown_tokens->add(token);
  }
  return ids;
}

std::vector<std::string> Vocabulary::tokens(std::span<const int> ids) const {
  std::vector<std::string> result;
  for (const int id : ids) {
    if (id == end) break;
    if (id != pad && id != start) result.push_back(token(id));
  }
  return result;
}

std::string Vocabulary::decode(std::span<const int> ids) const {
  return joined(tokens(ids), kind_ == Tokens::chars ? "" : " ");
}

void Vocabulary::save(const std::string& path) const {
  // Write a temporary file and rename it, so that a full disk does not leave half a vocabulary.
  const std::string beside = path + ".tmp";
  std::ofstream file(beside, std::ios::binary | std::ios::trunc);
  file << name_of(kind_) << '\n';
  for (const std::string& token : tokens_) file << escape(token) << '\n';
  file.close();
  std::error_code error;
  if (file) {
    std::filesystem::rename(beside, path, error);
  } else {
    error.assign(errno, std::generic_category());
  }
  if (!error) return;
  std::error_code ignored;
  std::filesystem::remove(beside, ignored);
  fail("vocabulary: cannot write '{}': {}", path, error.message());
}

Vocabulary Vocabulary::load(const std::string& path) {
  const std::vector<std::string> lines = utf8::read_lines(path, "vocabulary");
  ATTUNE_CHECK(!lines.empty() && (lines[0] == "chars" || lines[0] == "words"),
               "vocabulary: {}:1: '{}' is not a kind of tokens; expected 'chars' or 'words'", path,
               lines.empty() ? "" : lines[0]);
  Vocabulary vocabulary(tokens_named(lines[0]));
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::string where = fmt::format("vocabulary: {}:{}:", path, i + 1);
    if (i <= special_names.size()) {
      ATTUNE_CHECK(lines[i] == special_names[i - 1], "{} found '{}' where '{}' is expected", where,
                   lines[i], special_names[i - 1]);
      continue;
    }
    std::optional<std::string> token = unescape(lines[i]);
    ATTUNE_CHECK(token && !utf8::first_invalid_byte(*token),
                 "{} '{}' has a bad escape; known are \\s \\t \\n \\r \\\\ and \\xHH", where,
                 lines[i]);
    const std::vector<std::string> parts = vocabulary.tokenize(*token);
    ATTUNE_CHECK(parts.size() == 1 && parts[0] == *token,
                 "{} '{}' is {} tokens of kind {}; expected one token a line", where, lines[i],
                 parts.size(), lines[0]);
    ATTUNE_CHECK(vocabulary.id(*token) == unknown && !is_special(*token),
                 "{} '{}' is listed twice; expected every token once", where, lines[i]);
    vocabulary.add(std::move(*token));
  }
  ATTUNE_CHECK(lines.size() > special_names.size(),
               "vocabulary: {}:{}: the file ends before '{}'; it was not saved completely", path,
               lines.size() + 1, special_names[lines.size() - 1]);
  return vocabulary;
}

}  // namespace attune
