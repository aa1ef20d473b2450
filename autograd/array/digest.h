#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "attune/autograd/array/error.h"

namespace attune {

/// A 64-bit digest for detecting changes in bytes: FNV-1a (Fowler, Noll and Vo). Any change of a
/// single byte changes the digest. It is not cryptographic.
class Digest {
 public:
  Digest& add(std::string_view bytes) {
    for (const char byte : bytes) hash_ = (hash_ ^ static_cast<unsigned char>(byte)) * kPrime;
    return *this;
  }
  /// Adds the eight bytes of a number, lowest first.
  Digest& add(std::uint64_t number) {
    for (int i = 0; i < 8; ++i) hash_ = (hash_ ^ (number >> (8 * i) & 0xFF)) * kPrime;
    return *this;
  }
  std::uint64_t value() const { return hash_; }
  /// The value as 16 hexadecimal digits.
  std::string text() const { return fmt::format("{:016x}", hash_); }

 private:
  static constexpr std::uint64_t kPrime = 0x100000001B3;
  std::uint64_t hash_ = 0xCBF29CE484222325;
};

}  // namespace attune
