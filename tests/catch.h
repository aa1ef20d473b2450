#pragma once

// Catch2 3 has <catch2/catch_all.hpp>; version 2 (Debian 12) has a single header.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif

#include <string>

/// Matches strings that contain `part`:
///
///     REQUIRE_THROWS_WITH(matmul(a, b), contains("inner sizes"));
inline auto contains(const std::string& part) {
#if __has_include(<catch2/catch_all.hpp>)
  return Catch::Matchers::ContainsSubstring(part);
#else
  return Catch::Matchers::Contains(part);
#endif
}
