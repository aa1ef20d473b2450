#pragma once

namespace attune {

/// During the lifetime of this object, a signal that would end the program (SIGINT from Ctrl-C,
/// SIGTERM, SIGHUP from a closed terminal, or SIGPIPE from an output that is no longer read) is
/// only recorded, so that the training can stop in an orderly way. A second signal ends the program
/// as usual, unless it is SIGPIPE or comes within a tenth of a second, since `timeout` and
/// terminals send their signal twice. Signals that were ignored before are still ignored (nohup),
/// and exceeding the limit on file sizes (SIGXFSZ) is only an error of the write. There can be one
/// object at a time; its destructor restores the previous handlers.
///
///     const StopSignal stop;
///     while (step < steps && !stop.received()) ...
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  /// The first signal received, or 0.
  int received() const;
};

}  // namespace attune
