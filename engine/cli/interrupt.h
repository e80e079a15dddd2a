// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <stop_token>
#include <thread>

namespace fkv::cli {

/// Turns the first SIGINT or SIGTERM into a stop request; a second one ends the program as if nothing
/// were here. There is one at a time.
class Interrupt {
public:
    Interrupt();
    ~Interrupt();
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    std::stop_token token() const { return m_stop.get_token(); }

private:
    std::stop_source m_stop;
    std::array<int, 2> m_pipe{-1, -1};
    std::thread m_waiter;
};

}  // namespace fkv::cli
