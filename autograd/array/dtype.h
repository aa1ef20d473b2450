#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace attune {

/// Element type of an Array: float32 trains, float64 checks gradients.
enum class DType : std::uint8_t { f32, f64 };

constexpr std::size_t size_of(DType dtype) { return dtype == DType::f32 ? 4 : 8; }
constexpr const char* name_of(DType dtype) { return dtype == DType::f32 ? "f32" : "f64"; }

/// The DType of a C++ element type.
template <typename T>
requires(std::is_same_v<T, float> ||
         std::is_same_v<T, double>) inline constexpr DType dtype_of = std::is_same_v<T, float>
                                                                          ? DType::f32
                                                                          : DType::f64;

/// Calls `body(float{})` or `body(double{})`: how a run-time dtype reaches a kernel template.
template <typename Body>
decltype(auto) dispatch(DType dtype, Body&& body) {
  return dtype == DType::f32 ? body(float{}) : body(double{});
}

}  // namespace attune
