// SPDX-License-Identifier: Apache-2.0
#include "engine/cli/interrupt.h"

#include <csignal>
#include <initializer_list>
#include <pthread.h>

namespace fkv::cli {

namespace {

constexpr int kWake = SIGUSR1; // tells the waiter that the program is done

sigset_t setOf(std::initializer_list<int> signals) {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : signals)
        sigaddset(&set, signal);
    return set;
}

} // namespace

// A thread that waits, not a handler: a stop request wakes others up, which no handler may do.
Interrupt::Interrupt() {
    const sigset_t watched = setOf({SIGINT, SIGTERM, kWake});
    pthread_sigmask(SIG_BLOCK, &watched, nullptr);
    m_waiter = std::thread([this, watched] {
        int signal = 0;
        if (sigwait(&watched, &signal) != 0 || signal == kWake) return;
        m_stop.request_stop();
        // The next one finds a thread that does not block it, and ends the program.
        const sigset_t released = setOf({SIGINT, SIGTERM});
        pthread_sigmask(SIG_UNBLOCK, &released, nullptr);
        const sigset_t wake = setOf({kWake});
        sigwait(&wake, &signal);
    });
}

Interrupt::~Interrupt() {
    pthread_kill(m_waiter.native_handle(), kWake);
    m_waiter.join();
}

} // namespace fkv::cli
