#pragma once

namespace seq2seq {

/// While it lives, the first Ctrl-C (SIGINT) or SIGTERM only asks to stop; the second one ends the
/// program as ever.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  /// The signal that came, or 0.
  int received() const;
};

}  // namespace seq2seq
