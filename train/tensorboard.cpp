#include "attune/train/tensorboard.h"

#include <array>
#include <bit>
#include <chrono>
#include <type_traits>
#include <utility>

#include "attune/autograd/array/error.h"

namespace attune {
namespace {

constexpr std::array<std::uint32_t, 256> kCrcOfByte = [] {
  std::array<std::uint32_t, 256> table = {};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78 : 0);
    table[byte] = crc;
  }
  return table;
}();

// An unsigned number as its bytes, the lowest first.
template <typename T>
std::string little_endian(T number) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof(T); ++i) bytes += static_cast<char>(number >> (8 * i) & 0xFF);
  return bytes;
}

std::string masked_crc(std::string_view bytes) {
  return little_endian(std::rotr(crc32c(bytes), 15) + 0xA282EAD8);
}

std::string record(std::string_view data) {
  const std::string length = little_endian(std::uint64_t{data.size()});
  return length + masked_crc(length) + std::string(data) + masked_crc(data);
}

std::string varint(std::uint64_t number) {
  std::string bytes;
  for (; number >= 0x80; number >>= 7) bytes += static_cast<char>(number | 0x80);
  return bytes + static_cast<char>(number);
}

// Fields of a message. The key of a field has its number and how its value is encoded: 0 for a
// varint, 1 for 8 bytes, 2 for a length and so many bytes, 5 for 4 bytes.
std::string key(int number, unsigned encoding) {
  return varint(static_cast<std::uint64_t>(number) << 3 | encoding);
}
std::string int_field(int number, std::int64_t value) {
  return key(number, 0) + varint(static_cast<std::uint64_t>(value));
}
std::string double_field(int number, double value) {
  return key(number, 1) + little_endian(std::bit_cast<std::uint64_t>(value));
}
std::string bytes_field(int number, std::string_view value) {
  return key(number, 2) + varint(value.size()) + std::string(value);
}
std::string float_field(int number, float value) {
  return key(number, 5) + little_endian(std::bit_cast<std::uint32_t>(value));
}

// A big-endian number in the header of a PNG file.
std::int64_t number_at(std::string_view png, std::size_t at) {
  std::int64_t number = 0;
  for (const char byte : png.substr(at, 4)) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char byte : bytes)
    crc = kCrcOfByte[(crc ^ static_cast<unsigned char>(byte)) & 0xFF] ^ crc >> 8;
  return ~crc;
}

EventLog::EventLog(std::string path, std::int64_t bytes) : file_(std::move(path), bytes) {
  if (bytes == 0) write(bytes_field(3, "brain.Event:2"));
}

void EventLog::scalars(std::int64_t step, const std::vector<MetricsField>& fields) {
  std::string summary;
  for (const MetricsField& field : fields) {
    const auto add = [&](const auto& value) {
      if constexpr (std::is_arithmetic_v<std::decay_t<decltype(value)>>)
        summary +=
            bytes_field(1, bytes_field(1, field.name) + float_field(2, static_cast<float>(value)));
    };
    std::visit(add, field.value);
  }
  write(int_field(2, step) + bytes_field(5, summary));
}

void EventLog::image(std::int64_t step, std::string_view tag, std::string_view png) {
  constexpr std::size_t kWidth = 16, kHeight = 20;  // offsets in the header
  constexpr int kRgb = 3;
  ATTUNE_CHECK(png.size() > kHeight + 4 && png.substr(1, 3) == "PNG",
               "event_log: the picture '{}' is not a PNG file", tag);
  const std::string image = int_field(1, number_at(png, kHeight)) +
                            int_field(2, number_at(png, kWidth)) + int_field(3, kRgb) +
                            bytes_field(4, png);
  write(int_field(2, step) +
        bytes_field(5, bytes_field(1, bytes_field(1, tag) + bytes_field(4, image))));
}

// Writes an event with these fields and the time.
void EventLog::write(std::string_view fields) {
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  file_.append(record(double_field(1, now.count()) + std::string(fields)));
}

}  // namespace attune
