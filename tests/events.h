#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// Reads TensorBoard's event files, independently of the library that writes them.
namespace events {

struct Event {
  double wall_time = 0;
  std::int64_t step = 0;
  std::string version;
  std::map<std::string, float> scalars;
  std::map<std::string, std::string> images;  ///< encoded
  std::int64_t width = 0, height = 0;         ///< of an image
};

/// CRC-32C bit by bit, as its definition.
inline std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = ~std::uint32_t{0};
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78u : crc >> 1;
  }
  return ~crc;
}

/// Takes the next `count` bytes of `text`. Errors: there are fewer.
inline std::string_view take(std::string_view& text, std::size_t count) {
  if (text.size() < count) throw std::runtime_error("an event file that ends too early");
  const std::string_view taken = text.substr(0, count);
  text.remove_prefix(count);
  return taken;
}

template <typename T>
T number(std::string_view bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

inline std::uint64_t varint(std::string_view& text) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(take(text, 1)[0]);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
}

/// A field of a message: its number, and its value as a number or as bytes.
struct Field {
  std::uint64_t key, value = 0;
  std::string_view bytes = {};
  std::uint64_t id() const { return key >> 3; }
};

inline std::vector<Field> fields(std::string_view message) {
  std::vector<Field> found;
  while (!message.empty()) {
    Field field{varint(message)};
    switch (field.key & 7) {
      case 0:
        field.value = varint(message);
        break;
      case 1:
        field.bytes = take(message, 8);
        break;
      case 2:
        field.bytes = take(message, varint(message));
        break;
      case 5:
        field.bytes = take(message, 4);
        break;
      default:
        throw std::runtime_error("a field of an unknown kind");
    }
    found.push_back(field);
  }
  return found;
}

inline void read_value(std::string_view message, Event& event) {
  std::string tag;
  for (const Field& field : fields(message)) {
    if (field.id() == 1) tag = field.bytes;
    if (field.id() == 2) event.scalars[tag] = number<float>(field.bytes);
    if (field.id() != 4) continue;
    for (const Field& of_image : fields(field.bytes)) {
      if (of_image.id() == 1) event.height = static_cast<std::int64_t>(of_image.value);
      if (of_image.id() == 2) event.width = static_cast<std::int64_t>(of_image.value);
      if (of_image.id() == 4) event.images[tag] = of_image.bytes;
    }
  }
}

/// The events of a file. Errors: it is not a sequence of whole records with the right CRCs.
inline std::vector<Event> read(std::string_view file) {
  std::vector<Event> found;
  const auto checked = [&](std::string_view bytes) {
    const std::uint32_t crc = crc32c(bytes), masked = ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
    if (number<std::uint32_t>(take(file, 4)) != masked) throw std::runtime_error("a wrong CRC");
    return bytes;
  };
  while (!file.empty()) {
    const auto length = number<std::uint64_t>(checked(take(file, 8)));
    Event event;
    for (const Field& field : fields(checked(take(file, length)))) {
      if (field.id() == 1) event.wall_time = number<double>(field.bytes);
      if (field.id() == 2) event.step = static_cast<std::int64_t>(field.value);
      if (field.id() == 3) event.version = field.bytes;
      if (field.id() == 5)
        for (const Field& value : fields(field.bytes)) read_value(value.bytes, event);
    }
    found.push_back(std::move(event));
  }
  return found;
}

}  // namespace events
