#pragma once

#include <map>
#include <string>

#include "attune/autograd/array/named_arrays.h"

namespace attune {

/// What a safetensors file holds: arrays by name, in the file's order, and texts by name.
struct Safetensors {
  NamedArrays arrays;
  std::map<std::string, std::string> metadata;
  /// With a digest of the whole file among the metadata, under "digest", which is compared when it
  /// is read: one changed byte is then an error.
  bool digest = false;
};

/// Writes float32, float64 and boolean arrays to a file that Python's safetensors reads:
///
///     8 bytes    n, the length of the header, little-endian
///     n bytes    the header, JSON: {"__metadata__": {"key": "text"}, "name": {"dtype": "F32",
///                "shape": [2, 3], "data_offsets": [0, 24]}, ...}, filled up with spaces to a
///                multiple of 8
///     the rest   the numbers, row-major and little-endian, one array right after the other
///
/// float64 comes first and booleans last, so that every number is aligned. The file is replaced as
/// a whole or not at all. Errors: a name that is given twice, is "__metadata__" or is not UTF-8; a
/// text "digest" beside the digest; what write_file_atomically() reports.
void save_safetensors(const std::string& path, const Safetensors& content);

/// Reads such a file. Errors, in one line that names the path: it cannot be read; it is not a whole
/// safetensors file (cut off, no JSON, offsets outside the file, with gaps or overlaps, a name
/// twice); it has changed since it was written with a digest; an element type other than F32,
/// F64 and BOOL; booleans that are neither 0 nor 1; more than seven axes.
Safetensors load_safetensors(const std::string& path);

}  // namespace attune
