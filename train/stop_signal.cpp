#include "attune/train/stop_signal.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>

namespace attune {
namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ};

// A handler may run on any thread.
std::atomic<int> received_signal = 0;
std::atomic<std::int64_t> received_at = 0;  // nanoseconds
static_assert(std::atomic<int>::is_always_lock_free);
static_assert(std::atomic<std::int64_t>::is_always_lock_free);
std::array<struct sigaction, kSignals.size()> before;

std::int64_t now() {
  timespec time;
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// Calls only async-signal-safe functions.
void remember(int signal) {
  const int error = errno;
  if (received_signal == 0) {
    received_at = now();
    received_signal = signal;
  } else if (signal != SIGPIPE && now() - received_at > 100'000'000) {
    std::signal(signal, SIG_DFL);
    ::raise(signal);  // delivered when this handler returns
  }
  errno = error;
}

}  // namespace

StopSignal::StopSignal() {
  received_signal = 0;
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], nullptr, &before[i]);
    if (before[i].sa_handler == SIG_IGN) continue;
    struct sigaction action = {};
    action.sa_handler = kSignals[i] == SIGXFSZ ? SIG_IGN : remember;
    // Run one handler at a time, and restart interrupted system calls.
    for (const int each : kSignals) ::sigaddset(&action.sa_mask, each);
    action.sa_flags = SA_RESTART;
    ::sigaction(kSignals[i], &action, nullptr);
  }
}

StopSignal::~StopSignal() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before[i], nullptr);
}

int StopSignal::received() const { return received_signal; }

}  // namespace attune
