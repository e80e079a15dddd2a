// SPDX-License-Identifier: Apache-2.0
#include "engine/cli/interrupt.h"

#include "engine/core/error.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace fkv::cli {

namespace {

constexpr char kSignal = 's', kOver = 'o';

int signalPipe = -1; // a handler reaches nothing that is not global

void tell(int pipe, char what) {
    while (::write(pipe, &what, 1) < 0 && errno == EINTR) {
    }
}

void onSignal(int) {
    const int error = errno;
    tell(signalPipe, kSignal);
    errno = error;
}

void handle(int signal, void (*handler)(int), int flags) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    ::sigaction(signal, &action, nullptr);
}

} // namespace

// A stop request wakes others up, which no handler may do: a thread waits for the handler's word.
// Blocking the signals for that thread would not do, as libraries start threads before main().
Interrupt::Interrupt() {
    if (::pipe2(m_pipe.data(), O_CLOEXEC) != 0) throw Error(ErrorCode::Io, "cannot open a pipe");
    signalPipe = m_pipe[1];
    m_waiter = std::thread([this] {
        for (char what = 0; what != kOver;) {
            const ssize_t n = ::read(m_pipe[0], &what, 1);
            if (n == 1 && what == kSignal) m_stop.request_stop();
            if (n == 0 || (n < 0 && errno != EINTR)) return;
        }
    });
    for (const int signal : {SIGINT, SIGTERM})
        handle(signal, onSignal, SA_RESETHAND | SA_RESTART);
}

Interrupt::~Interrupt() {
    for (const int signal : {SIGINT, SIGTERM})
        handle(signal, SIG_DFL, 0);
    tell(m_pipe[1], kOver);
    m_waiter.join();
    ::close(m_pipe[0]);
    ::close(m_pipe[1]);
}

} // namespace fkv::cli
