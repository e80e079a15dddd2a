// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/panel.h"
#include "viz/theme/theme.h"

#include <QHash>
#include <QList>
#include <QPointer>
#include <QWidget>

class QSplitter;
class QStackedLayout;
class QTabWidget;

namespace fkv::app {

/// Where the parts of the window stand (VIEWS section 2): prompt and tokens at the left, as tabs or
/// from 1600 px on side by side; panels in the centre between splitters, as tabs in Presenter type;
/// settings and readouts at the right. One panel can fill it all. Parts move, they are never made
/// again.
class Board : public QWidget {
    Q_OBJECT
public:
    /// All owned by the board from now on. `centre`: importance, stabilization, heads, timing,
    /// answers.
    struct Parts {
        QWidget* prompt = nullptr;
        viz::Panel* tokens = nullptr;
        QList<viz::Panel*> centre;
        QWidget* settings = nullptr;
        QWidget* readouts = nullptr;
    };
    Board(const Parts& parts, viz::Theme& theme, QWidget* parent = nullptr);

    /// The tokens and the panels of the centre.
    QList<viz::Panel*> panels() const;
    viz::Panel* panel(const QString& name) const; ///< null for a name that is none
    /// Brings a panel to the front where it stands behind a tab.
    void reveal(viz::Panel* panel);
    void revealPrompt();

    void maximise(viz::Panel* panel);
    void restore();
    viz::Panel* maximised() const { return m_maximised; }

    /// Sizes that the user gave splitters, by arrangement; restoring ignores what is damaged.
    QByteArray saveSizes() const;
    void restoreSizes(const QByteArray& state);
    void resetSizes();

    static constexpr int kSideBySideWidth = 1600;

Q_SIGNALS:
    void arranged(); ///< parts moved: presenter, width or a maximised panel

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void arrange();
    QWidget* buildLeft();
    QWidget* buildCentre();
    QWidget* buildRight();
    QSplitter* splitter(Qt::Orientation orientation, const QString& name);
    void applySizes();
    QList<int> defaultSizes(const QString& name) const;
    bool sideBySide() const;
    QTabWidget* tabs(const QString& name, const QList<std::pair<QWidget*, QString>>& pages);
    void bringForward(QWidget* part);

    Parts m_parts;
    viz::Theme& m_theme;
    QStackedLayout* m_stack;
    QWidget* m_root = nullptr;
    QWidget* m_host; ///< of the maximised panel
    QPointer<viz::Panel> m_maximised;
    bool m_presenter = false;
    bool m_wide = false;
    // Of this arrangement, and by name what the user chose in this and other ones.
    QList<QSplitter*> m_splitters;
    QList<QTabWidget*> m_tabs;
    QHash<QString, QList<int>> m_sizes;
    QHash<QString, int> m_front;
};

} // namespace fkv::app
