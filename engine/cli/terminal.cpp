// SPDX-License-Identifier: Apache-2.0
#include "engine/cli/terminal.h"

#include <cstdio>
#include <unistd.h>

namespace fkv::cli {

namespace {

constexpr std::chrono::milliseconds kEvery{100}; // faster is not read, and costs on a slow line

} // namespace

Terminal::Terminal() : m_shows(::isatty(STDERR_FILENO) != 0) {}

void Terminal::progress(const run::Progress& progress) {
    if (!m_shows) return;
    const auto now = std::chrono::steady_clock::now();
    if (now < m_next) return;
    m_next = now + kEvery;
    std::fprintf(stderr, "\r\033[K%3d %%  %s", static_cast<int>(progress.fraction * 100.0),
                 progress.stage.c_str());
    std::fflush(stderr);
    m_dirty = true;
}

void Terminal::clear() {
    if (!m_dirty) return;
    std::fputs("\r\033[K", stderr);
    std::fflush(stderr);
    m_dirty = false;
}

} // namespace fkv::cli
