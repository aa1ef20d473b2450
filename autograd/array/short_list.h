#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace attune {

/// A list that holds up to `Inline` members in place, and allocates only for more.
template <typename T, int Inline>
class ShortList {
 public:
  /// Appends a default-constructed member.
  T& add() {
    if (more_.empty() && count_ < Inline) return few_[count_++];
    if (more_.empty()) more_.assign(few_, few_ + count_);
    ++count_;
    return more_.emplace_back();
  }
  T* data() { return more_.empty() ? few_ : more_.data(); }
  const T* data() const { return more_.empty() ? few_ : more_.data(); }
  std::size_t size() const { return static_cast<std::size_t>(count_); }
  bool empty() const { return count_ == 0; }
  T& operator[](int i) { return data()[i]; }
  operator std::span<const T>() const { return {data(), size()}; }
  void clear() {
    for (int i = 0; i < count_ && i < Inline; ++i) few_[i] = T{};
    more_.clear();
    count_ = 0;
  }

 private:
  T few_[Inline]{};
  int count_ = 0;
  std::vector<T> more_;
};

}  // namespace attune
