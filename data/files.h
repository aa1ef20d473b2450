#pragma once

#include <span>
#include <string>
#include <string_view>

namespace attune {

/// Replaces or makes the file `path` so that a reader, or a machine that loses power, sees the old
/// bytes or the new ones and never a part: writes a new temporary file beside it, has the system
/// put it on the disk, renames it, and has the system put the folder on the disk. A file that is
/// replaced hands on its mode and, where the system allows it, its owner; where `path` is a
/// symbolic link, the file that it leads to is replaced. Throws Error that names the path and the
/// system's reason (no space left, say); the old file then stays as it was and no temporary file is
/// left.
void write_file_atomically(const std::string& path, std::string_view bytes);
/// The same for bytes that lie in several places.
void write_file_atomically(const std::string& path, std::span<const std::string_view> parts);

/// True if the name of a file is one that write_file_atomically() gives to a temporary one.
bool is_temporary_file(std::string_view name);

/// Removes the temporary files that processes left in `folder` which were killed as they wrote. For
/// the only process that writes there. Does not fail.
void remove_temporary_files(const std::string& folder);

/// Has the system put on the disk which files `folder` holds, after a rename, say. Does not fail.
void sync_folder(const std::string& folder);

/// All bytes of the file `path`. Throws Error that names the path and the system's reason.
std::string read_file(const std::string& path);

/// The system's words for an error number, such as "No space left on device".
std::string system_reason(int error);

/// Writes all bytes to a file descriptor, in parts where the system takes parts. False if it takes
/// no more; errno says why.
bool write_all(int descriptor, std::string_view bytes);

}  // namespace attune
