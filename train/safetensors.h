#pragma once

#include <map>
#include <string>

#include "attune/autograd/array/named_arrays.h"

namespace attune {

/// The content of a safetensors file: arrays by name, in the file's order, and texts by name.
struct Safetensors {
  NamedArrays arrays;
  std::map<std::string, std::string> metadata;
  /// Whether the metadata has a digest of the whole file under "digest". It is checked when the
  /// file is read, so that any changed byte is an error.
  bool digest = false;
};

/// Writes float32, float64 and boolean arrays to a file that Python's safetensors reads:
///
///     8 bytes    n, the length of the header, little-endian
///     n bytes    the header, JSON: {"__metadata__": {"key": "text"}, "name": {"dtype": "F32",
///                "shape": [2, 3], "data_offsets": [0, 24]}, ...}, padded with spaces to a multiple
///                of 8
///     the rest   the numbers, row-major and little-endian, one array right after the other
///
/// float64 arrays come first and booleans last, so that all numbers are aligned. The file is
/// replaced completely or not at all. Errors: a name that is repeated, is "__metadata__" or is not
/// UTF-8; a text "digest" in addition to a digest; as write_file_atomically().
void save_safetensors(const std::string& path, const Safetensors& content);

/// Reads such a file. Errors, on one line with the path: it cannot be read; it is not a complete
/// safetensors file (truncated, not JSON, offsets outside the file, gaps or overlaps, a repeated
/// name); it does not match its digest; an element type other than F32, F64 and BOOL; booleans that
/// are neither 0 nor 1; more than seven axes.
Safetensors load_safetensors(const std::string& path);

}  // namespace attune
