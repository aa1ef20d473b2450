#pragma once

#include <span>
#include <string>
#include <string_view>

namespace attune {

/// Creates or replaces the file `path` atomically: readers see either the old bytes or the new
/// ones, even after a power failure. Writes a temporary file in the same folder, syncs it to disk,
/// renames it and syncs the folder. A replaced file keeps its mode and, if the system allows it,
/// its owner; if `path` is a symbolic link, the file that it points to is replaced.
/// Errors: `path` is not a plain file, or cannot be written (the message gives the path and the
/// system's reason, such as no space left). The old file is then unchanged and the temporary file
/// removed.
void write_file_atomically(const std::string& path, std::string_view bytes);
/// The same for bytes in several parts.
void write_file_atomically(const std::string& path, std::span<const std::string_view> parts);

/// Whether `name` is that of a temporary file of write_file_atomically().
bool is_temporary_file(std::string_view name);

/// Removes temporary files that killed processes left in `folder`. No other process may be writing
/// there. Failures are ignored.
void remove_temporary_files(const std::string& folder);

/// Syncs a folder's entries to disk, for example after a rename. Failures are ignored.
void sync_folder(const std::string& folder);

/// Returns all bytes of the file `path`. Errors: it cannot be read (the message gives the path and
/// the system's reason).
std::string read_file(const std::string& path);

/// `file` with a number before its extension, for the second and later files of a series: a.svg,
/// a-2.svg, a-3.svg.
std::string numbered_file(const std::string& file, std::int64_t number);

/// Opens /dev/null for each standard stream that is closed. Otherwise a file that is opened later
/// would get its number and receive what is printed. Writing to a stream that was closed remains an
/// error.
void occupy_standard_streams();

/// The system's message for an error number, such as "No space left on device".
std::string system_reason(int error);

/// Writes all bytes to a file descriptor, in several calls if needed. Returns false and sets errno
/// if writing fails.
bool write_all(int descriptor, std::string_view bytes);

}  // namespace attune
