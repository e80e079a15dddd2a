// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/command_line.h"

#include <CLI/CLI.hpp>
#include <QStringList>
#include <iostream>
#include <string>

namespace fkv::app {
namespace {

constexpr int kUsageError = 2;
constexpr int kLeastSide = 64;
constexpr int kMostSide = 16384;

std::optional<QSize> parseSize(const std::string& text) {
    const QStringList sides = QString::fromStdString(text).split(QLatin1Char('x'));
    bool widthOk = false, heightOk = false;
    if (sides.size() != 2) return {};
    const QSize size(sides[0].toInt(&widthOk), sides[1].toInt(&heightOk));
    const auto fits = [](int side) { return side >= kLeastSide && side <= kMostSide; };
    if (!widthOk || !heightOk || !fits(size.width()) || !fits(size.height())) return {};
    return size;
}

} // namespace

ParsedStart parseStart(int argc, const char* const* argv) {
    CLI::App app{"FastKV Scope: see what FastKV keeps of a prompt, and what it costs"};
    app.name("fastkv-scope");
    std::string path, promptFile, device = "auto", snapshot, trace, size = "1280x800", theme, panel;
    StartOptions options;
    app.add_option("path", path, "model folder or recorded trace; the demo model if left out");
    app.add_option("--prompt-file", promptFile, "text to analyse; the first sample if left out");
    app.add_option("--device", device, "auto, cpu or cuda:N")->capture_default_str();
    std::int64_t memory = 0;
    app.add_option("--memory", memory,
                   "use this much of the device at most, 20GiB: what does not fit is given up")
        ->transform(CLI::AsSizeValue(true))
        ->check(CLI::PositiveNumber);
    auto* picture =
        app.add_option("--snapshot", snapshot, "write a picture of the finished window and leave");
    app.add_option("--save-trace", trace, "write the run of the picture as a trace, too")
        ->needs(picture);
    app.add_option("--size", size, "WIDTHxHEIGHT of the picture in logical pixels")
        ->capture_default_str()
        ->needs(picture);
    app.add_option("--scale", options.scale, "device pixels a logical pixel")
        ->check(CLI::Range(0.5, 4.0))
        ->capture_default_str()
        ->needs(picture);
    app.add_option("--theme", theme, "light or dark")->check(CLI::IsMember({"light", "dark"}));
    app.add_option("--panel", panel,
                   "one panel alone: importance, stabilization, heads, timing, answers, tokens")
        ->needs(picture);
    app.set_version_flag("--version", FKV_VERSION);
    try {
        app.parse(argc, argv);
        const auto parsed = parseSize(size);
        if (!parsed)
            throw CLI::ValidationError("--size",
                                       "not WIDTHxHEIGHT between 64x64 and 16384x16384: " + size);
        options.size = *parsed;
    } catch (const CLI::CallForHelp& e) {
        return {{}, app.exit(e)};
    } catch (const CLI::CallForVersion& e) {
        return {{}, app.exit(e)};
    } catch (const CLI::ParseError& e) {
        std::cerr << "fastkv-scope: error: " << e.what() << "\n";
        return {{}, kUsageError};
    }
    options.path = QString::fromLocal8Bit(path.c_str());
    options.promptFile = QString::fromLocal8Bit(promptFile.c_str());
    options.device = QString::fromLocal8Bit(device.c_str());
    options.memoryBytes = memory;
    options.snapshot = QString::fromLocal8Bit(snapshot.c_str());
    options.trace = QString::fromLocal8Bit(trace.c_str());
    options.theme = QString::fromStdString(theme);
    options.panel = QString::fromStdString(panel);
    return {options, {}};
}

} // namespace fkv::app
