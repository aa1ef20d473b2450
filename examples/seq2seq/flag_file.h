#pragma once

#include <string>
#include <vector>

namespace seq2seq {

/// A line `key = value` of a file of flags.
struct FlagLine {
  std::string where;  ///< "FILE:LINE", for errors
  std::string key, value;
};

/// Reads the flags of `command` from a file: lines `key = value` as in TOML, where a value is bare
/// or in quotes ("…" with escapes, '…' without) and # begins a comment. Lines below `[train]`,
/// `[test]` or `[translate]` are for that command alone.
/// Errors, with file and line: it cannot be read, no such line, a key given twice.
std::vector<FlagLine> read_flag_file(const std::string& path, const std::string& command);

}  // namespace seq2seq
