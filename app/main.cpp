// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/command_line.h"
#include "app/window/main_window.h"
#include "app/window/snapshot.h"

#include <QApplication>
#include <QSettings>
#include <clocale>
#include <iostream>
#include <memory>

namespace {

/// A display is there, or the platform was chosen by hand.
bool canShowWindows() {
    return !qEnvironmentVariableIsEmpty("DISPLAY") ||
           !qEnvironmentVariableIsEmpty("WAYLAND_DISPLAY") ||
           !qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM");
}

/// Standard error carries our one line, not what Qt remarks about a machine without a desktop.
void onlyFaults(QtMsgType type, const QMessageLogContext&, const QString& text) {
    if (type == QtCriticalMsg || type == QtFatalMsg) std::cerr << text.toStdString() << std::endl;
}

/// A picture looks the same with and without a display. What a device pixel is can only be said
/// before the application starts.
void preparePicture(const fkv::app::StartOptions& options) {
    qInstallMessageHandler(onlyFaults);
    if (qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
    qputenv("QT_SCALE_FACTOR", QByteArray::number(options.scale));
    QGuiApplication::setHighDpiScaleFactorRoundingPolicy(
        Qt::HighDpiScaleFactorRoundingPolicy::PassThrough);
}

} // namespace

int main(int argc, char** argv) {
    using namespace fkv::app;
    const ParsedStart parsed = parseStart(argc, argv);
    if (parsed.exitCode) return *parsed.exitCode;
    const StartOptions& options = parsed.options;
    const bool picture = !options.snapshot.isEmpty();
    if (picture)
        preparePicture(options);
    else if (!canShowWindows())
        return reportFault(
            QStringLiteral("no display; --snapshot FILE.png writes a picture without one"));

    QApplication application(argc, argv);
    // Qt takes the user's locale; numbers in files are written and read in one way everywhere.
    std::setlocale(LC_NUMERIC, "C");
    QApplication::setApplicationName(QStringLiteral("fastkv-scope"));
    QApplication::setOrganizationName(QStringLiteral("fastkv-scope"));
    QApplication::setApplicationDisplayName(QStringLiteral("FastKV Scope"));
    QApplication::setApplicationVersion(QStringLiteral(FKV_VERSION));

    Workspace workspace;
    workspace.controller.setDevice(options.device); // before the menu that shows it
    workspace.controller.setMemoryLimit(options.memoryBytes);
    MainWindow window(workspace, picture ? nullptr : std::make_unique<QSettings>());
    if (picture) {
        if (options.theme.isEmpty()) workspace.theme.setChoice(fkv::viz::Theme::Choice::Light);
        window.resize(options.size);
    }
    window.show();
    window.start(options);
    return picture ? takeSnapshot(window, options) : QApplication::exec();
}
