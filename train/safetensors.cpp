#include "attune/train/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "attune/autograd/array/digest.h"
#include "attune/data/files.h"

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

namespace attune {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kAlignment = 8;
constexpr std::uint64_t kMaxHeader = 100'000'000;  // the format's own limit
constexpr const char* kMetadata = "__metadata__";

// The start of a header with a digest, followed by 16 hexadecimal digits. The digest is computed
// with these digits set to zero.
constexpr const char* kDigest = "digest";
constexpr std::string_view kDigestKind = "fnv1a-64:";
constexpr std::string_view kDigestStart = R"({"__metadata__":{"digest":"fnv1a-64:)";
constexpr std::string_view kNoDigits = "0000000000000000";

constexpr const char* name_in_file(DType dtype) {
  return dtype == DType::f32 ? "F32" : (dtype == DType::f64 ? "F64" : "BOOL");
}

template <typename... Args>
void check(bool good, const std::string& path, fmt::format_string<Args...> fault, Args&&... args) {
  if (!good)
    fail("load_safetensors: '{}' is not a valid safetensors file: {}", path,
         fmt::format(fault, std::forward<Args>(args)...));
}

// A value from the file, as one short printable line for messages.
std::string shown(const Json& text) {
  constexpr std::size_t kLongest = 80;
  std::string line = text.dump(-1, ' ', true);
  if (line.size() > kLongest) line = line.substr(0, kLongest) + "...";
  return line;
}

std::string to_header(const std::vector<const NamedArrays::value_type*>& arrays,
                      const std::map<std::string, std::string>& metadata, bool digest) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (digest) header[kMetadata][kDigest] = std::string(kDigestKind) + std::string(kNoDigits);
  for (const auto& [key, text] : metadata) {
    ATTUNE_CHECK(!digest || key != kDigest,
                 "save_safetensors: the metadata '{}' is reserved for the file's own", kDigest);
    header[kMetadata][key] = text;
  }
  std::set<std::string> names{kMetadata};
  std::size_t offset = 0;
  for (const auto* named : arrays) {
    const auto& [name, array] = *named;
    ATTUNE_CHECK(array.defined(), "save_safetensors: the array '{}' is not defined", name);
    ATTUNE_CHECK(names.insert(name).second,
                 "save_safetensors: two arrays cannot both be called '{}'; names must be unique "
                 "and not {}",
                 name, kMetadata);
    header[name] = {{"dtype", name_in_file(array.dtype())},
                    {"shape", std::vector(array.shape().begin(), array.shape().end())},
                    {"data_offsets", {offset, offset + array.bytes()}}};
    offset += array.bytes();
  }
  std::string text = header.dump();
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  return text;
}

// An array as described by the header.
struct Entry {
  std::string name;
  DType dtype;
  Shape shape;
  std::uint64_t begin, end;
};

// Reads a header, which is untrusted input.
class Header {
 public:
  Header(const std::string& path, std::string_view text) : path_(path) {
    const Json header = parse(text);
    check(header.is_object(), path_, "its header is not a JSON object");
    for (const auto& [name, value] : header.items()) {
      if (name == kMetadata)
        read_metadata(value);
      else
        entries_.push_back(read_entry(name, value));
    }
    std::stable_sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
      return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
  }

  // The arrays in the order of their data, which must fill `bytes` bytes without gaps or overlaps.
  const std::vector<Entry>& entries(std::uint64_t bytes) const {
    std::uint64_t at = 0;
    for (const Entry& entry : entries_) {
      check(entry.end <= bytes, path_, "array {} ends at byte {} of {}; the file is cut off",
            shown(entry.name), entry.end, bytes);
      check(entry.begin == at, path_,
            "array {} begins at byte {} and not at {}, where the one before ends",
            shown(entry.name), entry.begin, at);
      at = entry.end;
    }
    check(at == bytes, path_, "its arrays fill {} bytes, but it has {}", at, bytes);
    return entries_;
  }

  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  // JSON allows repeated keys; without this check the last one would silently be used.
  Json parse(std::string_view text) const {
    std::vector<std::set<std::string>> keys;  // of the objects that are open
    const auto watch = [&](int, Json::parse_event_t event, Json& value) {
      if (event == Json::parse_event_t::object_start) keys.emplace_back();
      if (event == Json::parse_event_t::object_end) keys.pop_back();
      if (event == Json::parse_event_t::key) {
        const auto& key = value.get_ref<const std::string&>();
        check(keys.back().insert(key).second, path_, "its header has {} twice", shown(key));
      }
      return true;
    };
    try {
      return Json::parse(text, watch);
    } catch (const Json::exception&) {
      fail("load_safetensors: '{}' is not a valid safetensors file: its header is not JSON", path_);
    }
  }

  void read_metadata(const Json& value) {
    check(value.is_object(), path_, "its {} is not an object", kMetadata);
    for (const auto& [key, text] : value.items()) {
      check(text.is_string(), path_, "its metadata {} is not a string", shown(key));
      metadata_[key] = text.get<std::string>();
    }
  }

  Entry read_entry(const std::string& name, const Json& value) const {
    check(value.is_object() && value.size() == 3 && value.contains("dtype") &&
              value.contains("shape") && value.contains("data_offsets"),
          path_, "array {} must have exactly dtype, shape and data_offsets", shown(name));
    const std::vector<std::uint64_t> offsets = whole_numbers(name, value["data_offsets"]);
    check(offsets.size() == 2 && offsets[0] <= offsets[1], path_,
          "the data_offsets of array {} are not a begin and an end", shown(name));
    const Entry entry{name, read_dtype(name, value["dtype"]), read_shape(name, value["shape"]),
                      offsets[0], offsets[1]};
    const auto bytes = static_cast<std::uint64_t>(entry.shape.elements()) * size_of(entry.dtype);
    check(entry.end - entry.begin == bytes, path_, "array {} {} {} needs {} bytes, but has {}",
          shown(name), name_of(entry.dtype), entry.shape, bytes, entry.end - entry.begin);
    return entry;
  }

  std::vector<std::uint64_t> whole_numbers(const std::string& name, const Json& value) const {
    check(value.is_array(), path_, "array {} has a shape or data_offsets that is not a list",
          shown(name));
    std::vector<std::uint64_t> numbers;
    for (const Json& number : value) {
      check(number.is_number_unsigned(), path_,
            "array {} has a size or offset that is not a whole number", shown(name));
      numbers.push_back(number.get<std::uint64_t>());
    }
    return numbers;
  }

  DType read_dtype(const std::string& name, const Json& value) const {
    for (const DType dtype : {DType::f32, DType::f64, DType::boolean})
      if (value == name_in_file(dtype)) return dtype;
    fail("load_safetensors: '{}': array {} has the type {}; Attune has only F32, F64 and BOOL",
         path_, shown(name), shown(value));
  }

  Shape read_shape(const std::string& name, const Json& value) const {
    const std::vector<std::uint64_t> sizes = whole_numbers(name, value);
    ATTUNE_CHECK(sizes.size() <= static_cast<std::size_t>(Shape::kMaxRank),
                 "load_safetensors: '{}': array {} has {} axes; Attune has at most {}", path_,
                 shown(name), sizes.size(), Shape::kMaxRank);
    // A bound on the product of the sizes, ignoring zeros, prevents overflow in all later
    // computations.
    constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 56;
    std::uint64_t elements = 1;
    std::vector<std::int64_t> shape;
    for (const std::uint64_t size : sizes) {
      check(size <= kMaxElements / elements, path_, "array {} has impossibly many elements",
            shown(name));
      elements *= std::max<std::uint64_t>(1, size);
      shape.push_back(static_cast<std::int64_t>(size));
    }
    return Shape(std::span<const std::int64_t>(shape));
  }

  const std::string& path_;
  std::vector<Entry> entries_;
  std::map<std::string, std::string> metadata_;
};

bool has_digest(std::string_view header) {
  return header.starts_with(kDigestStart) &&
         header.size() >= kDigestStart.size() + kNoDigits.size();
}

// Computes the digest of a file that has one: of all its bytes, with the stored digits set to 0.
std::string digest_of(std::string_view file) {
  const std::size_t digits = kLengthBytes + kDigestStart.size();
  return Digest()
      .add(file.substr(0, digits))
      .add(kNoDigits)
      .add(file.substr(digits + kNoDigits.size()))
      .text();
}

}  // namespace

void save_safetensors(const std::string& path, const Safetensors& content) {
  std::vector<const NamedArrays::value_type*> arrays;
  for (const auto& named : content.arrays) arrays.push_back(&named);
  std::stable_sort(arrays.begin(), arrays.end(), [](const auto* a, const auto* b) {
    return size_of(a->second.dtype()) > size_of(b->second.dtype());
  });

  std::string header;
  try {
    header = to_header(arrays, content.metadata, content.digest);
  } catch (const Json::exception&) {
    fail("save_safetensors: '{}': a name or a text is not UTF-8", path);
  }
  const std::uint64_t length = header.size();
  std::vector<std::string_view> parts = {
      std::string_view(reinterpret_cast<const char*>(&length), kLengthBytes), header};
  for (const auto* named : arrays)
    parts.emplace_back(static_cast<const char*>(named->second.raw()), named->second.bytes());
  if (content.digest) {
    Digest digest;
    for (const std::string_view part : parts) digest.add(part);
    header.replace(kDigestStart.size(), kNoDigits.size(), digest.text());
  }
  write_file_atomically(path, parts);
}

Safetensors load_safetensors(const std::string& path) {
  const std::string file = read_file(path);
  std::string_view rest = file;
  check(rest.size() >= kLengthBytes, path, "it has only {} bytes", rest.size());
  std::uint64_t length;
  std::memcpy(&length, rest.data(), kLengthBytes);
  rest.remove_prefix(kLengthBytes);
  check(length <= rest.size(), path, "its header should have {} bytes, but only {} follow", length,
        rest.size());
  check(length <= kMaxHeader, path, "its header has {} bytes; the format allows at most {}", length,
        kMaxHeader);
  const bool digest = has_digest(rest.substr(0, length));
  check(!digest || digest_of(file) == rest.substr(kDigestStart.size(), kNoDigits.size()), path,
        "its digest does not match its content; the file was changed after it was written");
  const Header header(path, rest.substr(0, length));
  rest.remove_prefix(length);

  Safetensors content;
  content.metadata = header.metadata();
  content.digest = digest;
  if (digest) content.metadata.erase(kDigest);
  for (const Entry& entry : header.entries(rest.size())) {
    const std::string_view bytes = rest.substr(entry.begin, entry.end - entry.begin);
    check(entry.dtype != DType::boolean ||
              std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == 0 || c == 1; }),
          path, "array {} has booleans that are neither 0 nor 1", shown(entry.name));
    Array array(entry.shape, entry.dtype);
    std::memcpy(array.mutable_raw(), bytes.data(), bytes.size());
    content.arrays.emplace_back(entry.name, std::move(array));
  }
  return content;
}

}  // namespace attune
