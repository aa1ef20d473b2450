#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
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
    int i = 0;
    for (; number != 0; ++i, number >>= 8) hash_ = (hash_ ^ (number & 0xFF)) * kPrime;
    hash_ *= kPowers[static_cast<std::size_t>(8 - i)];  // for the bytes that are 0, all at once
    return *this;
  }
  /// Adds bytes eight at a time, each as one number of this machine, which is several times as
  /// fast as add() and gives another digest. The last ones are filled up with zeros.
  Digest& add_words(std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data() + at, std::min<std::size_t>(8, bytes.size() - at));
      hash_ = (hash_ ^ word) * kPrime;
    }
    return *this;
  }
  std::uint64_t value() const { return hash_; }
  /// The value as 16 hexadecimal digits.
  std::string text() const { return fmt::format("{:016x}", hash_); }

 private:
  static constexpr std::uint64_t kPrime = 0x100000001B3;
  static constexpr std::array<std::uint64_t, 9> kPowers = [] {  // kPowers[n] = kPrime^n
    std::array<std::uint64_t, 9> powers = {1};
    for (std::size_t n = 1; n < powers.size(); ++n) powers[n] = powers[n - 1] * kPrime;
    return powers;
  }();
  std::uint64_t hash_ = 0xCBF29CE484222325;
};

}  // namespace attune
