// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/window/figure_saver.h"

#include "viz/plots/figure_export.h"
#include "viz/plots/panel.h"

#include <QApplication>
#include <QClipboard>
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QInputDialog>
#include <QWidget>

namespace fkv::app {
namespace {

constexpr double kCopyScale = 2.0;

} // namespace

FigureSaver::FigureSaver(QWidget* window)
    : QObject(window), m_window(window), m_folder(QDir::homePath()) {}

QString FigureSaver::askFile(const QString& title, const QString& name, const QString& filter) {
    QString path =
        QFileDialog::getSaveFileName(m_window, title, QDir(m_folder).filePath(name), filter);
    if (path.isEmpty()) return {};
    // A name typed without its ending gets it: the ending decides the format.
    const QString suffix = QFileInfo(name).suffix();
    if (QFileInfo(path).suffix().isEmpty()) path += QLatin1Char('.') + suffix;
    m_folder = QFileInfo(path).absolutePath();
    return path;
}

double FigureSaver::askScale() {
    bool ok = false;
    const QStringList scales{QStringLiteral("1"), QStringLiteral("2"), QStringLiteral("3"),
                             QStringLiteral("4")};
    const QString chosen = QInputDialog::getItem(m_window, tr("Scale of the picture"),
                                                 tr("Pixels of the picture a pixel of the window:"),
                                                 scales, 1, false, &ok);
    return ok ? chosen.toDouble() : 0.0;
}

void FigureSaver::exportPanel(viz::Panel* panel, const QString& format) {
    if (format == QLatin1String("copy")) {
        QApplication::clipboard()->setImage(viz::figureImage(*panel, {.scale = kCopyScale}));
        return;
    }
    viz::FigureOptions options;
    if (format == QLatin1String("png")) {
        options.scale = askScale();
        if (options.scale == 0.0) return;
    }
    const QString name = panel->text().name + QLatin1Char('.') + format;
    const QString path = askFile(tr("Save %1").arg(panel->text().title), name,
                                 QStringLiteral("%1 (*.%2)").arg(format.toUpper(), format));
    if (path.isEmpty()) return;
    const QString reason = viz::saveFigure(*panel, path, options);
    if (reason.isEmpty())
        Q_EMIT saved(path);
    else
        Q_EMIT failed(reason);
}

QStringList FigureSaver::saveAll(const QList<viz::Panel*>& panels, const QString& folder,
                                 double scale) {
    QStringList reasons;
    for (viz::Panel* panel : panels) {
        for (const char* format : {"png", "svg", "csv"}) {
            const QString path = QDir(folder).filePath(panel->text().name + QLatin1Char('.') +
                                                       QLatin1String(format));
            const QString reason = viz::saveFigure(*panel, path, {.scale = scale});
            if (!reason.isEmpty()) reasons << reason;
        }
    }
    return reasons;
}

void FigureSaver::exportAll(const QList<viz::Panel*>& panels) {
    const QString folder =
        QFileDialog::getExistingDirectory(m_window, tr("Folder for figures and numbers"), m_folder);
    if (folder.isEmpty()) return;
    const double scale = askScale();
    if (scale == 0.0) return;
    m_folder = folder;
    const QStringList reasons = saveAll(panels, folder, scale);
    if (reasons.isEmpty())
        Q_EMIT saved(folder);
    else
        Q_EMIT failed(reasons.first());
}

} // namespace fkv::app
