#include "stop_signal.h"

#include <csignal>
#include <initializer_list>

namespace seq2seq {
namespace {

volatile std::sig_atomic_t received_signal = 0;

void handle(int signal, void (*handler)(int), int flags) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  ::sigaction(signal, &action, nullptr);
}

void remember(int signal) {
  received_signal = signal;
  for (const int each : {SIGINT, SIGTERM}) handle(each, SIG_DFL, 0);
}

}  // namespace

StopSignal::StopSignal() {
  received_signal = 0;
  // A system call that is under way goes on.
  for (const int each : {SIGINT, SIGTERM}) handle(each, remember, SA_RESTART);
}

StopSignal::~StopSignal() {
  for (const int each : {SIGINT, SIGTERM}) handle(each, SIG_DFL, 0);
}

int StopSignal::received() const { return received_signal; }

}  // namespace seq2seq
