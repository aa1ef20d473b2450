#include "attune/train/token_files.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "attune/autograd/array/digest.h"
#include "attune/data/files.h"
#include "attune/data/mapped_file.h"
#include "attune/data/messages.h"

namespace attune {
namespace {

constexpr const char *kTokens = "pairs.tokens", *kSource = "source.vocab",
                     *kTarget = "target.vocab";
constexpr std::array<char, 8> kMagic = {'a', 't', 't', 'u', 'n', 'e', '-', 't'};
// Of this format, and of how text becomes tokens: files of other versions are made again.
constexpr std::uint64_t kVersion = 1;

struct Header {
  std::array<char, 8> magic = kMagic;
  std::uint64_t version = kVersion, digest = 0;
  std::uint64_t id_bytes = 0, pairs = 0, ids = 0, text_bytes = 0, unused = 0;
};
static_assert(sizeof(Header) == 64);

std::uint64_t filled(std::uint64_t bytes) { return (bytes + 7) / 8 * 8; }

template <typename T>
std::string_view bytes_of(std::span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

// The values at the start of `bytes`, which then begins after them.
template <typename T>
std::span<const T> take(std::string_view& bytes, std::uint64_t count) {
  const std::span<const T> values(reinterpret_cast<const T*>(bytes.data()), count);
  bytes.remove_prefix(filled(values.size_bytes()));
  return values;
}

// The file with header, offsets, ids and text.
struct Parts {
  PairTable pairs;
  nlohmann::json texts;
};

Parts parse(std::shared_ptr<const MappedFile> file, const std::string& path) {
  std::string_view bytes = file->bytes();
  Header header;
  ATTUNE_CHECK(bytes.size() >= sizeof(header), "'{}' ends early", path);
  std::memcpy(&header, bytes.data(), sizeof(header));
  ATTUNE_CHECK(header.magic == kMagic, "'{}' is no file of tokens", path);
  ATTUNE_CHECK(header.version == kVersion, "'{}' is of version {}; this one is {}", path,
               header.version, kVersion);
  const std::uint64_t most = bytes.size();
  ATTUNE_CHECK((header.id_bytes == 2 || header.id_bytes == 4) && header.pairs < most &&
                   header.ids < most && header.text_bytes < most &&
                   sizeof(header) + 8 * (2 * header.pairs + 1) +
                           filled(header.id_bytes * header.ids) + header.text_bytes ==
                       most,
               "'{}' has {} bytes, which do not fit its header", path, most);
  const std::string_view hashed = bytes.substr(offsetof(Header, id_bytes));
  ATTUNE_CHECK(Digest().add_words(hashed).value() == header.digest, "'{}' is damaged", path);

  bytes.remove_prefix(sizeof(header));
  const auto offsets = take<std::uint64_t>(bytes, 2 * header.pairs + 1);
  PairTable::Ids ids = header.id_bytes == 2 ? PairTable::Ids(take<std::uint16_t>(bytes, header.ids))
                                            : PairTable::Ids(take<std::int32_t>(bytes, header.ids));
  return {PairTable(offsets, ids, std::move(file)), nlohmann::json::parse(bytes)};
}

// Writes the file; `texts` are what load() needs beside the pairs.
void write(const std::string& path, const PairTable& pairs, const nlohmann::json& texts) {
  const std::string text = texts.dump();
  const std::string_view ids =
      std::visit([](const auto& all) { return bytes_of(all); }, pairs.ids());
  const std::string filling(filled(ids.size()) - ids.size(), '\0');
  Header header{.id_bytes = std::holds_alternative<std::span<const std::uint16_t>>(pairs.ids())
                                ? std::uint64_t{2}
                                : std::uint64_t{4},
                .pairs = pairs.size(),
                .text_bytes = text.size()};
  header.ids = ids.size() / header.id_bytes;
  const std::string_view head(reinterpret_cast<const char*>(&header), sizeof(header));
  header.digest = Digest()
                      .add_words(head.substr(offsetof(Header, id_bytes)))
                      .add_words(bytes_of(pairs.offsets()))
                      .add_words(ids)
                      .add_words(text)
                      .value();
  const std::array<std::string_view, 5> parts = {head, bytes_of(pairs.offsets()), ids, filling,
                                                 text};
  write_file_atomically(path, parts);
}

// The first line of a key that differs from another key.
std::string difference(const std::vector<std::string>& before,
                       const std::vector<std::string>& now) {
  const auto [was, is] = std::mismatch(before.begin(), before.end(), now.begin(), now.end());
  const auto text = [](auto line, const std::vector<std::string>& key) {
    return line == key.end() ? std::string("nothing") : *line;
  };
  return fmt::format("{} then, {} now", text(was, before), text(is, now));
}

}  // namespace

std::vector<std::string> token_key(const TrainOptions& options) {
  std::vector<std::string> key;
  for (const std::string& path : options.data.pairs().paths()) {
    std::error_code error;
    ATTUNE_CHECK(std::filesystem::is_regular_file(path, error),
                 "{}: {} is no plain file, so that it cannot be told whether it changes",
                 option_name("token_files"), name_of_input(path));
    const auto changed = std::filesystem::last_write_time(path).time_since_epoch();
    key.push_back(fmt::format("{} with {} bytes of {}",
                              std::filesystem::absolute(path).lexically_normal().string(),
                              std::filesystem::file_size(path), changed.count()));
  }
  TrainOptions all = with_defaults(options);
  const std::vector<Field> fields = attune::fields(all);
  const std::string group = find_field(fields, "data")->group;
  for (const Field& field : fields)  // but not those of validation, and of how tokens are used
    if (field.group == group && field.decides && field.content != "FILE" &&
        field.name != "valid_count" && field.name != "rare_as_unknown" &&
        field.name != "subword_dropout")
      key.push_back(fmt::format("{}={}", field.name, field.text()));
  key.push_back(fmt::format("copies tokens={}", copies_tokens(options.model)));
  return key;
}

std::string TokenFiles::vocabulary_digest(const char* name) const {
  return Digest().add(read_file(file(name))).text();
}

std::optional<Corpus> TokenFiles::load() const {
  if (!std::filesystem::exists(file(kTokens))) return std::nullopt;
  try {
    Parts parts = parse(std::make_shared<const MappedFile>(file(kTokens)), file(kTokens));
    const auto key = parts.texts.at("key").get<std::vector<std::string>>();
    if (key != key_) {
      warn("the token files in '{}' are of other data or options: {}; they are made again", folder_,
           difference(key, key_));
      return std::nullopt;
    }
    for (const char* name : {kSource, kTarget})
      ATTUNE_CHECK(vocabulary_digest(name) == parts.texts.at(name).get<std::string>(),
                   "'{}' is damaged, or of other tokens", file(name));
    return Corpus{Vocabulary::load(file(kSource)), Vocabulary::load(file(kTarget)),
                  std::move(parts.pairs), parts.texts.at("sample").get<std::string>(),
                  parts.texts.at("left_out").get<std::string>()};
  } catch (const std::exception& error) {
    warn("the token files in '{}' cannot be used: {}; they are made again", folder_, error.what());
    return std::nullopt;
  }
}

bool TokenFiles::save(const Corpus& corpus, const std::vector<std::string>& key) const {
  if (key != key_) {
    warn("the data changed while it was read, so its tokens are not kept: {}",
         difference(key_, key));
    return false;
  }
  try {
    std::filesystem::create_directories(folder_);
    corpus.source.save(file(kSource));
    corpus.target.save(file(kTarget));
    write(file(kTokens), corpus.pairs,
          {{"key", key_},
           {"sample", corpus.sample},
           {"left_out", corpus.left_out},
           {kSource, vocabulary_digest(kSource)},
           {kTarget, vocabulary_digest(kTarget)}});
    return true;
  } catch (const std::exception& error) {
    warn("the tokens cannot be kept in '{}': {}", folder_, error.what());
    return false;
  }
}

}  // namespace attune
