// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>

namespace fkv {

enum class ErrorCode {
    BadArgument,  ///< a setting or option out of its range
    BadFile,      ///< damaged, foreign or contradictory content
    NotFound,     ///< no such file or folder
    Io,           ///< reading or writing failed: disk full, read-only, permissions
    Unsupported,  ///< well-formed, but not something this program runs
    OutOfMemory,
    TooLarge,     ///< would not fit the memory, and was not begun
    Device,       ///< CUDA or driver
    Cancelled,
    Internal      ///< our own mistake
};

/// The one exception type, thrown for whatever a user can cause. `what()` is one line that names
/// the thing at fault; `hint()` says what to do and may be empty.
class Error : public std::runtime_error {
public:
    Error(ErrorCode code, const std::string& message, std::string hint = {})
        : std::runtime_error(oneLine(message)), m_code(code), m_hint(std::move(hint)) {}
    ErrorCode code() const { return m_code; }
    const std::string& hint() const { return m_hint; }

private:
    /// Names out of files and of files may hold anything, line breaks and terminal codes included.
    static std::string oneLine(std::string message) {
        for (char& c : message)
            if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
        return message;
    }

    ErrorCode m_code;
    std::string m_hint;
};

/// Throws Error{Cancelled} when a stop was requested.
inline void throwIfStopped(const std::stop_token& stop) {
    if (stop.stop_requested()) throw Error(ErrorCode::Cancelled, "cancelled");
}

}  // namespace fkv
