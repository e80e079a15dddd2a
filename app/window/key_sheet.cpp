// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/window/key_sheet.h"

#include <QDialogButtonBox>
#include <QGridLayout>
#include <QGuiApplication>
#include <QLabel>
#include <QScreen>
#include <QScrollArea>
#include <QVBoxLayout>

namespace fkv::app {

KeySheet::KeySheet(viz::Theme& theme, QWidget* parent) : QDialog(parent), m_theme(theme) {
    setWindowTitle(tr("Keys and mouse"));
    setObjectName(QStringLiteral("keySheet"));
    auto* sheet = new QWidget;
    auto* columns = new QHBoxLayout(sheet);
    columns->setSpacing(m_theme.scaled(28));
    auto* left = new QVBoxLayout;
    auto* right = new QVBoxLayout;
    columns->addLayout(left);
    columns->addLayout(right);
    left->addWidget(
        section(tr("Views"), {{tr("← →"), tr("token; with Shift ten")},
                              {tr("↑ ↓"), tr("layer; with Shift ten")},
                              {tr("[ ]  or  PgUp PgDn"), tr("layer that single-layer views show")},
                              {tr(", ."), tr("KV head")},
                              {tr("Enter"), tr("pin the token under the pointer")},
                              {tr("P"), tr("track it as a span")},
                              {tr("T"), tr("hue: fate under TSP or under the KV budget")},
                              {tr("+ −"), tr("zoom")},
                              {tr("0  or  Home"), tr("fit all positions")},
                              {tr("F11"), tr("one panel fills the window; Esc goes back")}}));
    left->addWidget(
        section(tr("Mouse"), {{tr("Wheel"), tr("zoom positions at the pointer; scroll the text")},
                              {tr("Ctrl+wheel"), tr("size of the text's type")},
                              {tr("Drag"), tr("pan; select tokens in the text")},
                              {tr("Shift+drag"), tr("zoom to a range")},
                              {tr("Click"), tr("pin token, layer or head")},
                              {tr("Shift+click"), tr("one more pin")},
                              {tr("Double click an axis"), tr("fit")},
                              {tr("Drag the TSP line"), tr("move the TSP layer")}}));
    right->addWidget(
        section(tr("Window"), {{tr("Ctrl+O"), tr("open a model folder")},
                               {tr("Ctrl+Shift+O"), tr("open a trace")},
                               {tr("Ctrl+Enter"), tr("run the prompt")},
                               {tr("Ctrl+."), tr("stop")},
                               {tr("Ctrl+R"), tr("measure the deployed path")},
                               {tr("Ctrl+S"), tr("save the trace")},
                               {tr("Ctrl+E"), tr("export")},
                               {tr("Ctrl+F"), tr("find in the prompt; F3 next")},
                               {tr("Ctrl+Z  Ctrl+Y"), tr("undo, redo settings")},
                               {tr("Ctrl+Shift+C"), tr("copy settings as a command line")},
                               {tr("Ctrl+Shift+P"), tr("Presenter type")},
                               {tr("F1  or  ?"), tr("this sheet")}}));
    right->addWidget(section(tr("Esc, in this order"),
                             {{tr("1"), tr("closes a menu or the find bar")},
                              {tr("2"), tr("gives up a drag: the old value is back")},
                              {tr("3"), tr("a maximised panel returns")},
                              {tr("4"), tr("clears pins; a run is never stopped by Esc")}}));
    left->addStretch(1);
    right->addStretch(1);

    auto* scroll = new QScrollArea;
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidget(sheet);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(scroll);
    layout->addWidget(buttons);
    // As large as its text, or as the screen lets it be.
    const QSize wanted =
        sheet->sizeHint() + QSize(m_theme.scaled(72), buttons->sizeHint().height() + 56);
    resize(wanted.boundedTo(screen()->availableSize() * 0.95));
}

QWidget* KeySheet::section(const QString& title, const QList<Row>& rows) {
    auto* box = new QWidget;
    auto* grid = new QGridLayout(box);
    grid->setContentsMargins(0, 0, 0, m_theme.scaled(10));
    grid->setHorizontalSpacing(m_theme.scaled(16));
    grid->setVerticalSpacing(m_theme.scaled(3));
    auto* heading = new QLabel(title);
    QFont bold = m_theme.font();
    bold.setBold(true);
    heading->setFont(bold);
    grid->addWidget(heading, 0, 0, 1, 2);
    for (int i = 0; i < rows.size(); ++i) {
        auto* keys = new QLabel(rows[i].keys);
        keys->setTextFormat(Qt::PlainText);
        QPalette strong = palette();
        strong.setColor(QPalette::WindowText, m_theme.palette().fastkv);
        keys->setPalette(strong);
        grid->addWidget(keys, i + 1, 0);
        grid->addWidget(new QLabel(rows[i].meaning), i + 1, 1);
    }
    grid->setColumnMinimumWidth(0, m_theme.scaled(130));
    grid->setColumnStretch(1, 1);
    return box;
}

} // namespace fkv::app
