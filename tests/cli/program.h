// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace fkv::testing {

/// How a run of the built `fastkv` ended.
struct Ended {
    int code = -1;     ///< exit status, or minus the signal that ended it
    std::string out;   ///< standard output
    std::string error; ///< standard error
};

struct Start {
    std::vector<std::string> arguments;
    long fileLimit = 0;   ///< bytes a file may have, 0 for no limit: stands in for a full disk
    std::string outputTo; ///< where standard output goes instead of Ended::out
};

Ended run(const Start& start);
inline Ended run(std::vector<std::string> arguments) {
    return run(Start{std::move(arguments)});
}

/// Runs with a terminal as standard error, and sends SIGINT once `text` was shown on it.
Ended interruptAt(const std::string& text, std::vector<std::string> arguments);

} // namespace fkv::testing
