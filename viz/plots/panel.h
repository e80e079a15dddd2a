// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/state/view_context.h"

#include <QString>
#include <QStringList>
#include <QWidget>
#include <vector>

class QHBoxLayout;
class QMenu;
class QToolButton;
class QVBoxLayout;

namespace fkv::viz {

class ElidedLabel;
class PanelTitle;
class StateOverlay;
class ViewSwitch;

/// The frame of every panel (VIEWS section 1): a 24 px header with title, question, view switch, extras
/// and export menu; the body; one fixed readout line below the header. When there is nothing to show, or
/// the engine failed, it says so over the body, the last good picture kept behind.
class Panel : public QWidget {
    Q_OBJECT
public:
    struct Text {
        QString name;      ///< object name, and the value of --panel: "importance"
        QString title;
        QString question;
        QString empty;     ///< what to do while there is nothing
    };
    Panel(const ViewContext& context, const Text& text, QWidget* parent = nullptr);

    const Text& text() const { return m_text; }
    QWidget* body() const { return m_body; }
    int view() const;                         ///< index into the switch, 0 without one
    QStringList viewNames() const;
    void setView(int index);
    QString readout() const;
    QString shownReadout() const; ///< its words as they stand: fewer, or cut, where it is narrow

    /// Draws the figure without header or readout into `size` logical px; text stays text, colours those
    /// of the theme. The default renders the body.
    virtual void paintFigure(QPainter& painter, const QSize& size);
    /// One line a token (or layer, head) of what is shown, units in the header; never a line a pixel.
    virtual QString csv() const = 0;
    /// Source, state, tokens a cell and settings in one line: the caption of every exported figure.
    QString caption() const;

Q_SIGNALS:
    void viewChanged(int index);
    void exportRequested(fkv::viz::Panel* panel, const QString& format);  ///< "png", "svg", "pdf", "csv", "copy"
    void maximiseRequested(fkv::viz::Panel* panel);

protected:
    const ViewContext& context() const { return m_context; }
    /// Takes the body; call once from the constructor.
    void setBody(QWidget* body);
    void setViews(const QStringList& names);
    /// Puts a widget between the switch and the export menu. The switch makes room for it by becoming a
    /// menu, whether the widget is shown or not, so that the header does not shift from view to view.
    void addHeaderWidget(QWidget* widget);
    /// Px for extras beside title, narrow switch and export menu: what is wider cuts the title.
    int headerRoom() const;
    /// "131 tokens a cell · source full pass": after the question.
    /// `brief` stands in where the note does not fit; exports take the note.
    void setNote(const QString& note, const QString& brief = {});
    const QString& note() const;
    /// `shorter`: the same in fewer and fewer words, for where it does not fit.
    void setReadout(const QString& text, const QStringList& shorter = {});
    /// True when the panel has something to draw; decides whether the overlay covers or only tints.
    virtual bool hasContent() const { return m_context.shown.run() && m_context.shown.fate(); }
    bool event(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    void setupHeader();
    void setupExportMenu();
    void arrangeHeader();
    void applyTheme();
    void updateOverlay();

    ViewContext m_context;
    Text m_text;
    QHBoxLayout* m_header = nullptr;
    QVBoxLayout* m_layout = nullptr;
    PanelTitle* m_title = nullptr;
    ElidedLabel* m_readout = nullptr;
    ViewSwitch* m_switch = nullptr;
    std::vector<QWidget*> m_extras;
    QToolButton* m_export = nullptr;
    QWidget* m_body = nullptr;
    StateOverlay* m_overlay = nullptr;
};

}  // namespace fkv::viz
