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

/// A dense, row-major array of float32, float64 or boolean elements, without autograd history.
/// Copies share the memory. Reshapes and blocks along the leading axis are views; everything else
/// copies.
class Array {
 public:
  /// An undefined array: defined() is false.
  Array() = default;
  /// An uninitialised array. Errors: a negative size; the shape is too large.
  explicit Array(const Shape& shape, DType dtype = DType::f32)
      : storage_(bytes_of(shape, dtype)),
        data_(static_cast<char*>(storage_.data())),
        shape_(shape),
        dtype_(dtype) {}

  static Array zeros(const Shape& shape, DType dtype = DType::f32);
  static Array full(const Shape& shape, double value, DType dtype = DType::f32);
  /// An array from nested braces: Array::from({{1, 2}, {3, 4}}) is [2, 2]. As booleans, numbers
  /// other than 0 are true. Errors: rows differ in shape.
  static Array from(const Nested& values, DType dtype = DType::f32);
  /// A copy of `values` in row-major order. Errors: the number of values does not fit the shape.
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
    if constexpr (std::is_same_v<T, bool>)  // packed into bits
      return from(std::vector<float>(values.begin(), values.end()), shape).to(DType::boolean);
    else
      return from(std::span<const T>(values), shape);
  }

  bool defined() const { return static_cast<bool>(storage_); }
  /// Makes the array undefined.
  void reset() {
    storage_ = Storage();
    data_ = nullptr;
    shape_ = Shape();
  }
  const Shape& shape() const { return shape_; }
  DType dtype() const { return dtype_; }
  std::int64_t elements() const { return shape_.elements(); }
  std::size_t bytes() const { return static_cast<std::size_t>(elements()) * size_of(dtype_); }

  /// Pointer to the first element, for reading. Errors: not defined; T is not the array's dtype.
  template <typename T>
  const T* data() const {
    return typed<T>();
  }
  /// Pointer to the first element, for writing. Increments version(), which marks saved values and
  /// caches of the previous contents as stale. Call it again before each series of writes: writing
  /// through an older pointer does not increment the version. Errors: as data().
  template <typename T>
  T* mutable_data() {
    T* first = typed<T>();
    storage_.touch();
    return first;
  }
  /// The same, untyped. Errors: not defined.
  const void* raw() const;
  void* mutable_raw();

  /// A view under another shape; one size may be -1, to be inferred. Errors: not defined; the
  /// number of elements differs.
  Array reshape(const Shape& shape) const;
  /// A view of rows [first, first + count) of the leading axis. Errors: not defined; outside the
  /// axis.
  Array block(std::int64_t first, std::int64_t count) const;
  /// A view of entry `index` of the leading axis; negative indices count from the end. Errors: not
  /// defined; outside the axis.
  Array operator[](std::int64_t index) const;
  /// A view of `shape.elements()` elements from flat position `offset`. Bounds are not checked.
  /// Errors: not defined.
  Array view(std::int64_t offset, const Shape& shape) const;

  /// A deep copy. Errors: not defined.
  Array clone() const;
  /// The values converted to another dtype; the same array if it has that dtype already. As
  /// booleans, numbers other than 0 are true. Errors: not defined.
  Array to(DType dtype) const;

  /// Overwrites the values in place, converted to this dtype. Errors: shapes differ; not defined.
  void assign(const Array& values);
  void fill(double value);
  /// Number of in-place changes of the memory so far. Errors: not defined.
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
  /// True if no other array shares the memory.
  bool unique() const { return storage_ && storage_.unique(); }
  bool shares_memory_with(const Array& other) const {
    return storage_ && storage_ == other.storage_;
  }

  /// The value of an array with one element. Errors: the number of elements is not 1.
  double item() const;
  /// The element at flat position `index`. Errors: out of range.
  double at(std::int64_t index) const;
  void set(std::int64_t index, double value);
  /// All elements in row-major order, converted to T.
  template <typename T = float>
  std::vector<T> to_vector() const;

  /// True if no element is NaN or infinite.
  bool all_finite() const;

 private:
  static Array from(const void* values, std::size_t count, DType dtype, const Shape& shape);
  /// Errors: a negative size; the shape is too large.
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
