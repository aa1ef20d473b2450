#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace attune {

/// Element type of an Array: float32 for training, float64 for gradient checks, booleans
/// (one byte each) for conditions and masks. Booleans support no arithmetic and have no gradient.
enum class DType : std::uint8_t { f32, f64, boolean };

constexpr std::size_t size_of(DType dtype) {
  return dtype == DType::f32 ? 4 : (dtype == DType::f64 ? 8 : 1);
}
constexpr const char* name_of(DType dtype) {
  return dtype == DType::f32 ? "f32" : (dtype == DType::f64 ? "f64" : "b8");
}

/// True for the C++ types of array elements.
template <typename T>
inline constexpr bool is_element =
    std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, bool>;

/// The DType of a C++ element type.
template <typename T>
requires is_element<T>
inline constexpr DType dtype_of = std::is_same_v<T, float>
                                      ? DType::f32
                                      : (std::is_same_v<T, double> ? DType::f64 : DType::boolean);

/// Calls `body(float{})` or `body(double{})`, to select a kernel template by run-time dtype.
/// Booleans are passed as `body(double{})`, whose data<double>() call then fails with an Error.
template <typename Body>
decltype(auto) dispatch(DType dtype, Body&& body) {
  return dtype == DType::f32 ? body(float{}) : body(double{});
}

/// dispatch(), but with `body(bool{})` for booleans: for kernels that move elements without
/// arithmetic.
template <typename Body>
decltype(auto) dispatch_any(DType dtype, Body&& body) {
  return dtype == DType::boolean ? body(bool{}) : dispatch(dtype, body);
}

}  // namespace attune
