#pragma once

#include <fmt/core.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

namespace attune {

/// Sizes of an array's axes, outermost first: at most seven, stored inline (64 bytes). Rank 0 is a
/// scalar.
class Shape {
 public:
  static constexpr int kMaxRank = 7;
  /// The largest number of elements, beyond any real memory; up to it no size in bytes overflows.
  static constexpr std::int64_t kMaxElements = std::int64_t{1} << 59;

  Shape() = default;
  /// A size of -1 is inferred by functions that allow it (reshape). Errors: more than seven axes; a
  /// size below -1; too large (check()).
  Shape(std::initializer_list<std::int64_t> sizes);
  explicit Shape(std::span<const std::int64_t> sizes);

  int rank() const { return rank_; }
  /// The size of one axis, unchecked; `axis` in [0, rank).
  std::int64_t operator[](int axis) const { return sizes_[axis]; }
  std::int64_t& operator[](int axis) { return sizes_[axis]; }
  /// The size of one axis counted from the end: last(0) is the last axis.
  std::int64_t last(int back = 0) const { return sizes_[rank_ - 1 - back]; }
  /// Product of all sizes; 1 for a scalar.
  std::int64_t elements() const { return elements(0, rank_); }

  const std::int64_t* begin() const { return sizes_.data(); }
  const std::int64_t* end() const { return sizes_.data() + rank_; }
  bool operator==(const Shape& other) const {
    if (rank_ != other.rank_) return false;
    for (int i = 0; i < rank_; ++i)
      if (sizes_[i] != other.sizes_[i]) return false;
    return true;
  }

  /// Converts `axis` from [-rank, rank) to [0, rank). Errors, prefixed with `op`: out of range.
  int axis(int axis, const char* op) const;
  /// This shape without one axis, or with size 1 there if `keep`.
  Shape without(int axis, bool keep = false) const;
  /// This shape with a new axis of `size` before `axis`. Errors: seven axes already.
  Shape with(int axis, std::int64_t size) const;
  /// Product of the sizes of axes [first, last).
  std::int64_t elements(int first, int last) const {
    std::uint64_t n = 1;  // check() fails if this overflows
    for (int i = first; i < last; ++i) n *= static_cast<std::uint64_t>(sizes_[i]);
    return static_cast<std::int64_t>(n);
  }
  /// Checks that products of sizes do not overflow; every array's shape is checked. Errors: the
  /// product of all sizes but 0 and -1 exceeds kMaxElements.
  void check() const {
    bool fits = true;
    std::int64_t n = 1;
    for (int i = 0; i < rank_; ++i)
      fits &= sizes_[i] <= 0 || (!__builtin_mul_overflow(n, sizes_[i], &n) && n <= kMaxElements);
    if (!fits) [[unlikely]]
      too_large();
  }

 private:
  [[noreturn]] void too_large() const;

  std::array<std::int64_t, kMaxRank> sizes_{};
  int rank_ = 0;
};

/// The shape that `a` and `b` broadcast to, as in NumPy: axes are matched from the last, and
/// missing axes and those of size 1 are stretched. Errors, prefixed with `op`: sizes differ and
/// neither is 1.
Shape broadcast(const Shape& a, const Shape& b, const char* op);

}  // namespace attune

/// Formats a shape in messages: fmt::format("{}", shape) gives "[2, 3]".
template <>
struct fmt::formatter<attune::Shape> {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
  fmt::format_context::iterator format(const attune::Shape& shape,
                                       fmt::format_context& context) const;
};
