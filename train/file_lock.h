#pragma once

#include <string>

namespace attune {

/// An advisory lock on a file, which other processes respect if they use FileLock, too. The system
/// releases it when the process ends, even if it is killed, so there are no stale locks.
///
///     const FileLock lock("runs/demo/.lock");
///     if (!lock.held()) fail("process {} writes to runs/demo", lock.holder());
class FileLock {
 public:
  /// Creates the file if it does not exist, and tries to take the lock without waiting. It is not
  /// an error if another process holds it: see held(). Errors: the file cannot be opened or locked
  /// (the message gives the path and the system's reason).
  explicit FileLock(std::string path);
  /// Releases the lock and removes the file.
  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;

  /// Whether this object holds the lock.
  bool held() const { return held_; }
  /// The process id of the holder according to the file; "" if it has none.
  const std::string& holder() const { return holder_; }
  /// Whether the path still refers to the locked file, that is, neither the file nor its folder has
  /// been removed or replaced.
  bool in_place() const;

 private:
  std::string path_, holder_;
  int descriptor_ = -1;
  bool held_ = false;
};

}  // namespace attune
