#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace attune {

/// Element type of an Array: float32 trains, float64 checks gradients, booleans are conditions and
/// masks, a byte each. Booleans take no part in arithmetic and have no gradient.
enum class DType : std::uint8_t { f32, f64, boolean };

constexpr std::size_t size_of(DType dtype) {
  return dtype == DType::f32 ? 4 : (dtype == DType::f64 ? 8 : 1);
}
constexpr const char* name_of(DType dtype) {
  return dtype == DType::f32 ? "f32" : (dtype == DType::f64 ? "f64" : "b8");
}

/// What an Array can hold.
template <typename T>
inline constexpr bool is_element =
    std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, bool>;

/// The DType of a C++ element type.
template <typename T>
requires is_element<T>
inline constexpr DType dtype_of = std::is_same_v<T, float>
                                      ? DType::f32
                                      : (std::is_same_v<T, double> ? DType::f64 : DType::boolean);

/// Calls `body(float{})` or `body(double{})`: how a run-time dtype reaches a kernel template. For
/// booleans, too, it calls `body(double{})`, which fails where it asks for their data<double>().
template <typename Body>
decltype(auto) dispatch(DType dtype, Body&& body) {
  return dtype == DType::f32 ? body(float{}) : body(double{});
}

/// dispatch() with booleans: for kernels that move elements without calculating.
template <typename Body>
decltype(auto) dispatch_any(DType dtype, Body&& body) {
  return dtype == DType::boolean ? body(bool{}) : dispatch(dtype, body);
}

}  // namespace attune
