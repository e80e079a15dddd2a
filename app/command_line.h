// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QSize>
#include <QString>
#include <optional>

namespace fkv::app {

/// What `fastkv-scope` was asked for.
struct StartOptions {
    QString path;       ///< model folder or trace; empty: the demo model
    QString promptFile; ///< empty: the first sample
    QString device;     ///< "auto", "cpu", "cuda:N"
    qint64 memoryBytes = 0; ///< that may be used of it; 0: all there is
    QString snapshot;   ///< picture to write; empty: open the window
    QString trace;      ///< with a picture: file to save its run to; empty: none
    QSize size{1280, 800};
    double scale = 1.0;
    QString theme; ///< "light", "dark" or empty: as remembered, light for a snapshot
    QString panel; ///< name of one panel; empty: the whole window
};

/// Parses the command line. On --help, --version and usage errors it prints and gives the exit code
/// (0, 0, 2) instead.
struct ParsedStart {
    StartOptions options;
    std::optional<int> exitCode;
};
ParsedStart parseStart(int argc, const char* const* argv);

} // namespace fkv::app
