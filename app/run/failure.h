// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <exception>

namespace fkv::app {

/// Why something did not work: one line, and what to do about it (may be empty).
struct Failure {
    QString message;
    QString hint;
    bool cancelled = false; ///< not a fault: somebody asked for it
};

/// Any exception as a Failure; also of types that the engine does not promise.
Failure failureOf(const std::exception_ptr& error);

} // namespace fkv::app
