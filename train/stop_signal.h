#pragma once

namespace attune {

/// While it lives, a signal that asks the program to end (SIGINT from Ctrl-C, SIGTERM, SIGHUP from
/// a terminal that is closed) only asks the training to stop; so does SIGPIPE, which comes when
/// nobody reads the program's output any more. A second one ends the program as ever, except
/// SIGPIPE, and except one that comes within a tenth of a second: `timeout` and terminals send
/// theirs twice. Signals that were ignored before stay so (nohup), and a file beyond the limit on
/// sizes (SIGXFSZ) is an error of that write only. One object at a time; before signals were
/// handled so is restored at its end.
///
///     const StopSignal stop;
///     while (step < steps && !stop.received()) ...
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  /// The first signal that came, or 0.
  int received() const;
};

}  // namespace attune
