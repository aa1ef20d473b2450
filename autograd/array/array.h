#pragma once

#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "attune/autograd/array/dtype.h"
#include "attune/autograd/array/error.h"
#include "attune/autograd/array/nested.h"
#include "attune/autograd/array/shape.h"
#include "attune/autograd/array/storage.h"

namespace attune {

/// A dense, row-major block of float32 or float64 numbers, or booleans: memory without history.
/// Copies share the memory. Views are reshapes and blocks along the leading axis; anything else
/// copies.
class Array {
 public:
  /// No array: defined() is false.
  Array() = default;
  /// Uninitialised memory of that shape.
  explicit Array(const Shape& shape, DType dtype = DType::f32)
      : storage_(bytes_of(shape, dtype)),
        data_(static_cast<char*>(storage_.data())),
        shape_(shape),
        dtype_(dtype) {}

  static Array zeros(const Shape& shape, DType dtype = DType::f32);
  static Array full(const Shape& shape, double value, DType dtype = DType::f32);
  /// Values as they are written: Array::from({{1, 2}, {3, 4}}) is [2, 2]. Booleans are what is not
  /// 0. Errors: rows differ in shape.
  static Array from(const Nested& values, DType dtype = DType::f32);
  /// A copy of `values` in row-major order. Errors: their number is not the shape's.
  template <typename T>
  static Array from(std::span<const T> values, const Shape& shape) {
    static_assert(is_element<T>,
                  "Array::from takes float, double or bool: write Array::from<float>(...) for "
                  "numbers, and Indices for whole numbers such as ids, lengths and classes");
    if constexpr (is_element<T>)
      return from(values.data(), values.size(), dtype_of<T>, shape);
    else
      return {};
  }
  template <typename T>
  static Array from(const std::vector<T>& values, const Shape& shape) {
    if constexpr (std::is_same_v<T, bool>)  // a vector of bits
      return from(std::vector<float>(values.begin(), values.end()), shape).to(DType::boolean);
    else
      return from(std::span<const T>(values), shape);
  }

  bool defined() const { return static_cast<bool>(storage_); }
  /// No array from here on.
  void reset() {
    storage_ = Storage();
    data_ = nullptr;
    shape_ = Shape();
  }
  const Shape& shape() const { return shape_; }
  DType dtype() const { return dtype_; }
  std::int64_t elements() const { return shape_.elements(); }
  std::size_t bytes() const { return static_cast<std::size_t>(elements()) * size_of(dtype_); }

  /// The first element, for reading. Errors: not defined; T is not the array's dtype.
  template <typename T>
  const T* data() const {
    return typed<T>();
  }
  /// The first element, for writing: counts a change, so that what was saved or worked out from the
  /// values before is known to be stale. Ask again after the array was used: a pointer kept from
  /// before counts nothing. Errors: as data().
  template <typename T>
  T* mutable_data() {
    T* first = typed<T>();
    storage_.touch();
    return first;
  }
  /// The same as bytes. Errors: not defined.
  const void* raw() const;
  void* mutable_raw();

  /// The same memory under another shape of as many elements; one axis may be -1 (worked out).
  Array reshape(const Shape& shape) const;
  /// Rows [first, first + count) of the leading axis, without a copy.
  Array block(std::int64_t first, std::int64_t count) const;
  /// Entry `index` of the leading axis, without a copy; a negative one counts from the end.
  Array operator[](std::int64_t index) const;
  /// `shape.elements()` elements from flat position `offset`, without a copy, nor a check of the
  /// position. Errors: not defined.
  Array view(std::int64_t offset, const Shape& shape) const;

  /// A copy in memory of its own. Errors: not defined.
  Array clone() const;
  /// The values as another dtype; the same array if it is that already. As booleans: what is not 0.
  Array to(DType dtype) const;

  /// Changes values in place. Errors: shapes differ, not defined.
  void assign(const Array& values);
  void fill(double value);
  /// How many changes the memory has seen. Errors: not defined.
  std::uint32_t version() const {
    check_defined("version");
    return storage_.version();
  }
  /// See Storage::cache(). Errors: not defined.
  template <typename C>
  C& cache() const {
    check_defined("cache");
    return storage_.cache<C>();
  }
  /// True when no other array shares the memory.
  bool unique() const { return storage_ && storage_.unique(); }
  bool shares_memory_with(const Array& other) const {
    return storage_ && storage_ == other.storage_;
  }

  /// The only element. Errors: there is not exactly one.
  double item() const;
  /// The element at flat position `index`.
  double at(std::int64_t index) const;
  void set(std::int64_t index, double value);
  /// All elements, converted.
  template <typename T = float>
  std::vector<T> to_vector() const;

  /// True when no element is NaN or infinite.
  bool all_finite() const;

 private:
  static Array from(const void* values, std::size_t count, DType dtype, const Shape& shape);
  /// Errors: a negative size.
  static std::size_t bytes_of(const Shape& shape, DType dtype);
  [[noreturn]] void no_data(DType asked) const;
  [[noreturn]] static void not_defined(const char* op);
  void check_defined(const char* op) const {
    if (!storage_) [[unlikely]]
      not_defined(op);
  }

  template <typename T>
  T* typed() const {
    if (dtype_ != dtype_of<T> || !data_) [[unlikely]]
      no_data(dtype_of<T>);
    return reinterpret_cast<T*>(data_);
  }

  Storage storage_;
  char* data_ = nullptr;
  Shape shape_;
  DType dtype_ = DType::f32;
};

}  // namespace attune
