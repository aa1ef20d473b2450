#include "attune/data/vocabulary.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "attune/autograd/array/error.h"
#include "attune/autograd/array/text.h"
#include "attune/data/files.h"
#include "attune/data/utf8.h"

namespace attune {
namespace {

constexpr std::array<std::string_view, 3> kind_names = {"chars", "words", "subwords"};
constexpr std::array<std::string_view, Vocabulary::specials> special_names = {"<pad>", "<s>",
                                                                              "</s>", "<unk>"};

bool is_special(std::string_view token) {
  return std::find(special_names.begin(), special_names.end(), token) != special_names.end();
}

constexpr std::string_view white_space = " \t\n\r\v\f";

void check_is_utf8(std::string_view line) {
  const auto bad = utf8::first_invalid_byte(line);
  ATTUNE_CHECK(!bad,
               "vocabulary: byte {} of {} does not start a valid character; expected UTF-8 text",
               *bad, line.size());
}

std::vector<std::string> words_of(std::string_view line) {
  check_is_utf8(line);
  std::vector<std::string> words;
  std::size_t at = line.find_first_not_of(white_space);
  while (at != std::string_view::npos) {
    const std::size_t stop = std::min(line.find_first_of(white_space, at), line.size());
    words.emplace_back(line.substr(at, stop - at));
    at = line.find_first_not_of(white_space, stop);
  }
  return words;
}

// The first line of a file: "words", or "words lowercase nfc".
std::string header_of(Tokens kind, const TextForm& form) {
  std::string header(name_of(kind));
  if (form.lowercase) header += " lowercase";
  if (form.normalization != NormalForm::none)
    header += fmt::format(" {}", name_of(form.normalization));
  return header;
}

struct Header {
  Tokens kind;
  TextForm form;
};

// The inverse of header_of(); nullopt if `line` is not a header.
std::optional<Header> read_header(std::string_view line) {
  for (const Tokens kind : {Tokens::chars, Tokens::words, Tokens::subwords})
    for (const bool lowercase : {false, true})
      for (const NormalForm form : {NormalForm::none, NormalForm::nfc, NormalForm::nfkc})
        if (line == header_of(kind, {lowercase, form})) return Header{kind, {lowercase, form}};
  return {};
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

// The vocabulary of a file of subwords; nullopt if it is of another kind.
std::optional<Vocabulary> load_subwords(const std::string& path) {
  std::string bytes = read_file(path);
  const std::size_t end = std::min(bytes.find('\n'), bytes.size());
  const std::optional<Header> header = read_header(std::string_view(bytes).substr(0, end));
  if (!header || header->kind != Tokens::subwords) return {};
  try {
    return Vocabulary(SubwordModel(bytes.substr(std::min(end + 1, bytes.size()))), header->form);
  } catch (const Error& error) {
    fail("vocabulary: {} (in '{}')", error.what(), path);
  }
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

Vocabulary::Vocabulary(Tokens kind, TextForm form)
    : kind_(kind), form_(form), tokens_(special_names.begin(), special_names.end()) {
  ATTUNE_CHECK(kind != Tokens::subwords, "vocabulary: subwords need a model; see SubwordModel");
}

Vocabulary::Vocabulary(SubwordModel subwords, TextForm form)
    : kind_(Tokens::subwords), form_(form), subwords_(std::move(subwords)) {
  for (std::string& piece : subwords_->pieces()) {
    if (size() >= specials) ids_.emplace(piece, size());
    tokens_.push_back(std::move(piece));
  }
}

Vocabulary Vocabulary::build(const VocabularyOptions& options, std::span<const std::string> lines) {
  VocabularyBuilder builder(options);
  for (const std::string& line : lines) builder.add(line);
  return builder.build();
}

Vocabulary Vocabulary::build(Tokens kind, std::span<const std::string> lines) {
  return build(VocabularyOptions{.kind = kind}, lines);
}

VocabularyBuilder::VocabularyBuilder(const VocabularyOptions& options)
    : options_(options),
      tokenizer_(options.kind == Tokens::subwords ? Tokens::words : options.kind, options.form) {}

void VocabularyBuilder::add(std::string_view line) {
  if (options_.kind != Tokens::subwords) {
    for (std::string& token : tokenizer_.tokenize(line)) ++counts_[std::move(token)];
    return;
  }
  check_is_utf8(line);
  // Vitter's algorithm R: line n takes the place of another one with probability kSubwordLines / n.
  ++seen_;
  if (lines_.size() < kSubwordLines) {
    lines_.push_back(in_form(line, options_.form));
    return;
  }
  const auto place = static_cast<std::size_t>(random_.below(static_cast<std::int64_t>(seen_)));
  if (place < kSubwordLines) lines_[place] = in_form(line, options_.form);
}

Vocabulary VocabularyBuilder::build() const {
  if (options_.kind == Tokens::subwords)
    return Vocabulary(SubwordModel::train(lines_, options_.subwords), options_.form);
  using Count = std::pair<std::string, std::size_t>;
  std::vector<Count> sorted;
  for (const auto& [token, count] : counts_)
    if (!is_special(token) && count >= options_.min_count) sorted.emplace_back(token, count);
  std::sort(sorted.begin(), sorted.end(), [](const Count& a, const Count& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  if (options_.max_tokens && sorted.size() > *options_.max_tokens)
    sorted.resize(*options_.max_tokens);
  Vocabulary vocabulary(options_.kind, options_.form);
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

std::vector<std::string> Vocabulary::split(std::string_view line) const {
  if (kind_ == Tokens::chars) return utf8::characters(line);
  return kind_ == Tokens::words ? words_of(line) : subwords_->split(line);
}

std::vector<std::string> Vocabulary::tokenize(std::string_view line) const {
  if (form_ == TextForm{} && kind_ != Tokens::subwords) return split(line);
  check_is_utf8(line);
  return split(in_form(line, form_));
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

std::string Vocabulary::decode(std::span<const int> ids) const { return join(tokens(ids)); }

std::string Vocabulary::join(std::span<const std::string> tokens) const {
  if (kind_ != Tokens::subwords) return joined(tokens, kind_ == Tokens::chars ? "" : " ");
  std::string line;
  for (std::string_view token : tokens) {
    if (token.starts_with(SubwordModel::space)) {
      token.remove_prefix(SubwordModel::space.size());
      if (!line.empty()) line += ' ';
    }
    line += token;
  }
  return line;
}

bool Vocabulary::operator==(const Vocabulary& other) const {
  const auto bytes = [](const Vocabulary& v) { return v.subwords_ ? v.subwords_->bytes() : ""; };
  return kind_ == other.kind_ && form_ == other.form_ && tokens_ == other.tokens_ &&
         bytes(*this) == bytes(other);
}

void Vocabulary::save(const std::string& path) const {
  std::string text = header_of(kind_, form_) + '\n';
  if (subwords_)
    text += subwords_->bytes();
  else
    for (const std::string& token : tokens_) text += escape(token) + '\n';
  try {
    write_file_atomically(path, text);
  } catch (const Error& error) {
    fail("vocabulary: {}", error.what());
  }
}

Vocabulary Vocabulary::load(const std::string& path) {
  if (std::optional<Vocabulary> subwords = load_subwords(path)) return *std::move(subwords);
  const std::vector<std::string> lines = utf8::read_lines(path, "vocabulary");
  const std::optional<Header> header = read_header(lines.empty() ? "" : lines[0]);
  ATTUNE_CHECK(header,
               "vocabulary: {}:1: '{}' is not a kind of tokens; expected 'chars', 'words' or "
               "'subwords'",
               path, lines.empty() ? "" : lines[0]);
  Vocabulary vocabulary(header->kind, header->form);
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
    const std::vector<std::string> parts = vocabulary.split(*token);
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
