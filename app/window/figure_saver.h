// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QList>
#include <QObject>
#include <QString>
#include <QStringList>

class QWidget;

namespace fkv::viz {
class Panel;
}

namespace fkv::app {

/// Saves and copies the figures of panels. Where to is asked in a dialog that starts in the folder
/// used last; reasons why something could not be written come as failed().
class FigureSaver : public QObject {
    Q_OBJECT
public:
    explicit FigureSaver(QWidget* window);

    /// Format "png", "svg", "pdf", "csv" or "copy" (to the clipboard).
    void exportPanel(viz::Panel* panel, const QString& format);
    void exportAll(const QList<viz::Panel*>& panels);
    /// Writes PNG, SVG and CSV of every panel into `folder`. Returns what could not be written, one
    /// line each.
    static QStringList saveAll(const QList<viz::Panel*>& panels, const QString& folder,
                               double scale);

    QString folder() const { return m_folder; }
    void setFolder(const QString& folder) { m_folder = folder; }
    /// Asks for a file to write; empty when cancelled. Remembers its folder.
    QString askFile(const QString& title, const QString& name, const QString& filter);

Q_SIGNALS:
    void saved(const QString& path);
    void failed(const QString& reason);

private:
    double askScale();

    QWidget* m_window;
    QString m_folder;
};

} // namespace fkv::app
