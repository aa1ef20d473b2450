#pragma once

#include <string>
#include <string_view>

namespace attune {

/// Replaces or makes the file `path` so that a reader, or a machine that loses power, sees the old
/// bytes or the new ones and never a part: writes a temporary file beside it, has the system put it
/// on the disk, then renames it. Throws Error that names the path and the system's reason (no space
/// left, say); the old file then stays as it was and no temporary file is left.
void write_file_atomically(const std::string& path, std::string_view bytes);

/// All bytes of the file `path`. Throws Error that names the path and the system's reason.
std::string read_file(const std::string& path);

}  // namespace attune
