#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace attune {

/// The bytes as base64 (RFC 4648), for the data of a page.
std::string base64(std::span<const std::uint8_t> bytes);

}  // namespace attune
