#pragma once

#include <span>
#include <string>
#include <string_view>

namespace attune {

/// Creates or replaces the file `path` atomically: a reader, also after a power failure, sees
/// either the old bytes or the new ones. Writes a temporary file in the same folder, syncs it to
/// disk, renames it and syncs the folder. A replaced file keeps its mode and, where the system
/// allows it, its owner; if `path` is a symbolic link, the file that it points to is replaced.
/// Throws Error that names the path and the system's reason, such as no space left; the old file is
/// then unchanged and no temporary file is left.
void write_file_atomically(const std::string& path, std::string_view bytes);
/// The same for bytes in several parts.
void write_file_atomically(const std::string& path, std::span<const std::string_view> parts);

/// True if `name` is a name that write_file_atomically() gives to temporary files.
bool is_temporary_file(std::string_view name);

/// Removes temporary files that killed processes left in `folder`. To be called by the only process
/// that writes there. Does not fail.
void remove_temporary_files(const std::string& folder);

/// Syncs a folder's entries to disk, after a rename for example. Does not fail.
void sync_folder(const std::string& folder);

/// All bytes of the file `path`. Throws Error that names the path and the system's reason.
std::string read_file(const std::string& path);

/// The system's message for an error number, such as "No space left on device".
std::string system_reason(int error);

/// Writes all bytes to a file descriptor, in several calls if needed. False if writing fails; errno
/// says why.
bool write_all(int descriptor, std::string_view bytes);

}  // namespace attune
