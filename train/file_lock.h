#pragma once

#include <string>

namespace attune {

/// A lock on a file that other processes respect which ask for it in the same way. The system gives
/// it up when the process ends, however it ends, so a file that a killed process left locks nobody
/// out.
///
///     const FileLock lock("runs/demo/.lock");
///     if (!lock.held()) fail("process {} writes to runs/demo", lock.holder());
class FileLock {
 public:
  /// Makes the file, unless there is one, and asks for the lock without waiting. Throws Error that
  /// names the path and the system's reason if that is impossible; a lock that somebody else holds
  /// is no error.
  explicit FileLock(std::string path);
  /// Gives the lock up and removes the file.
  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;

  /// True if this process has the lock.
  bool held() const { return held_; }
  /// The process id of whoever has it, as the file says; "" if it does not.
  const std::string& holder() const { return holder_; }
  /// True if the path still leads to the file that is locked: neither it nor its folder was removed
  /// or replaced.
  bool in_place() const;

 private:
  std::string path_, holder_;
  int descriptor_ = -1;
  bool held_ = false;
};

}  // namespace attune
