// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/window/snapshot.h"

#include "app/window/main_window.h"
#include "viz/plots/figure_export.h"

#include <QBuffer>
#include <QCoreApplication>
#include <QEventLoop>
#include <QFileInfo>
#include <QPixmap>
#include <QSaveFile>
#include <QTimer>
#include <iostream>

namespace fkv::app {
namespace {

constexpr int kSettleMs = 60;

/// Runs the event loop until everything is in, or until something failed.
void awaitAnalysis(MainWindow& window) {
    Controller& controller = window.workspace().controller;
    QEventLoop loop;
    QObject::connect(&controller, &Controller::failed, &loop, &QEventLoop::quit);
    QObject::connect(&controller, &Controller::settledDown, &loop, &QEventLoop::quit);
    if (!controller.settled() && window.failure().message.isEmpty()) loop.exec();
}

QString savePicture(QWidget& widget, const QString& path) {
    // Layout, readouts and lazily built pictures settle in the first pass and the events after it.
    widget.grab();
    QEventLoop loop;
    QTimer::singleShot(kSettleMs, &loop, &QEventLoop::quit);
    loop.exec();
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    widget.grab().save(&buffer, "PNG");
    QSaveFile file(path);
    if (file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size() && file.commit())
        return {};
    return QStringLiteral("%1: %2").arg(path, file.errorString());
}

QString savePanel(viz::Panel& panel, const StartOptions& options) {
    panel.setParent(nullptr);
    panel.resize(options.size);
    panel.show();
    if (QFileInfo(options.snapshot).suffix().toLower() == QLatin1String("png"))
        return savePicture(panel, options.snapshot);
    return viz::saveFigure(panel, options.snapshot, {options.scale, options.size});
}

} // namespace

int reportFault(const QString& message) {
    std::cerr << "fastkv-scope: error: " << message.simplified().toStdString() << std::endl;
    return 1;
}

int takeSnapshot(MainWindow& window, const StartOptions& options) {
    viz::Panel* panel = window.board().panel(options.panel);
    if (!options.panel.isEmpty() && !panel)
        return reportFault(QStringLiteral("no panel is called %1").arg(options.panel));
    awaitAnalysis(window);
    if (!options.trace.isEmpty() && window.failure().message.isEmpty()) {
        window.workspace().controller.saveTrace(options.trace);
        awaitAnalysis(window);
    }
    const Failure failure = window.failure();
    if (!failure.message.isEmpty())
        return reportFault(failure.hint.isEmpty()
                               ? failure.message
                               : QStringLiteral("%1 (%2)").arg(failure.message, failure.hint));
    if (!window.workspace().shown.run())
        return reportFault(QStringLiteral("there is nothing to show"));
    const QString reason =
        panel ? savePanel(*panel, options) : savePicture(window, options.snapshot);
    return reason.isEmpty() ? 0 : reportFault(reason);
}

} // namespace fkv::app
