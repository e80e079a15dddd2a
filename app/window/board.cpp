// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/window/board.h"

#include <QApplication>
#include <QDataStream>
#include <QFrame>
#include <QIODevice>
#include <QScrollArea>
#include <QSplitter>
#include <QStackedLayout>
#include <QStyle>
#include <QTabWidget>
#include <QTimer>
#include <QVBoxLayout>
#include <numeric>

namespace fkv::app {
namespace {

// Widths and heights of VIEWS section 2; splitters share what is left over.
constexpr int kLeftWidth = 280;
constexpr int kRightWidth = 248;
constexpr int kImportanceHeight = 220;
constexpr int kCurvesHeight = 188;
constexpr int kTimingHeight = 128;
constexpr int kAnswersHeight = 146;
constexpr int kHandle = 4;

QVBoxLayout* tightColumn(QWidget* owner) {
    auto* column = new QVBoxLayout(owner);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    return column;
}

} // namespace

Board::Board(const Parts& parts, viz::Theme& theme, QWidget* parent)
    : QWidget(parent),
      m_parts(parts),
      m_theme(theme),
      m_stack(new QStackedLayout(this)),
      m_host(new QWidget(this)),
      m_presenter(theme.presenter()) {
    setObjectName(QStringLiteral("board"));
    tightColumn(m_host);
    m_stack->addWidget(m_host);
    for (viz::Panel* panel : panels())
        connect(panel, &viz::Panel::maximiseRequested, this,
                [this](viz::Panel* p) { m_maximised == p ? restore() : maximise(p); });
    connect(&m_theme, &viz::Theme::changed, this, [this] {
        if (m_theme.presenter() == m_presenter) return;
        m_presenter = m_theme.presenter();
        arrange();
        // Fonts, and with them the least sizes of parts, follow by events.
        QTimer::singleShot(0, this, &Board::applySizes);
    });
    arrange();
}

QList<viz::Panel*> Board::panels() const {
    QList<viz::Panel*> all{m_parts.tokens};
    return all + m_parts.centre;
}

viz::Panel* Board::panel(const QString& name) const {
    for (viz::Panel* panel : panels())
        if (panel->text().name == name) return panel;
    return nullptr;
}

void Board::reveal(viz::Panel* panel) {
    if (m_maximised && m_maximised != panel) restore();
    bringForward(panel);
}

void Board::revealPrompt() {
    bringForward(m_parts.prompt);
}

void Board::bringForward(QWidget* part) {
    for (QTabWidget* tabs : m_tabs) {
        const int index = tabs->indexOf(part);
        if (index >= 0) tabs->setCurrentIndex(index);
    }
}

void Board::maximise(viz::Panel* panel) {
    m_maximised = panel;
    arrange();
    panel->setFocus();
}

void Board::restore() {
    if (!m_maximised) return;
    viz::Panel* panel = m_maximised;
    m_maximised = nullptr;
    arrange();
    reveal(panel);
    panel->setFocus();
}

bool Board::sideBySide() const {
    return width() >= kSideBySideWidth;
}

void Board::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    if (sideBySide() == m_wide) return applySizes();
    m_wide = sideBySide();
    arrange();
}

void Board::arrange() {
    const QPointer<QWidget> focus = QApplication::focusWidget();
    const bool ours = focus && isAncestorOf(focus);
    QWidget* before = m_root;
    // Losing its pages one by one is no choice of a tab.
    for (QTabWidget* tabs : m_tabs)
        tabs->disconnect(this);
    m_splitters.clear();
    m_tabs.clear();
    auto* root = splitter(Qt::Horizontal, QStringLiteral("columns"));
    m_root = root;
    QWidget* left = buildLeft();
    QWidget* centre = buildCentre();
    QWidget* right = buildRight();
    for (QWidget* column : {left, centre, right})
        root->addWidget(column);
    root->setStretchFactor(0, 0);
    root->setStretchFactor(1, 1);
    root->setStretchFactor(2, 0);
    m_stack->addWidget(root);
    if (m_maximised) {
        m_host->layout()->addWidget(m_maximised);
        m_maximised->show();
        m_stack->setCurrentWidget(m_host);
    } else {
        m_stack->setCurrentWidget(root);
    }
    applySizes();
    // Every part has a new parent by now.
    delete before;
    if (ours && focus && focus->isVisible()) focus->setFocus();
    Q_EMIT arranged();
}

QTabWidget* Board::tabs(const QString& name, const QList<std::pair<QWidget*, QString>>& pages) {
    auto* made = new QTabWidget;
    made->setObjectName(name);
    made->setDocumentMode(true);
    made->setUsesScrollButtons(true);
    for (const auto& [page, title] : pages)
        made->addTab(page, title);
    made->setCurrentIndex(m_front.value(name, 0));
    connect(made, &QTabWidget::currentChanged, this,
            [this, name](int index) { m_front.insert(name, index); });
    m_tabs.append(made);
    return made;
}

QWidget* Board::buildLeft() {
    if (m_wide) {
        auto* both = splitter(Qt::Horizontal, QStringLiteral("text"));
        both->addWidget(m_parts.prompt);
        both->addWidget(m_parts.tokens);
        m_parts.prompt->show();
        m_parts.tokens->show();
        return both;
    }
    return tabs(QStringLiteral("textTabs"),
                {{m_parts.prompt, tr("Prompt")}, {m_parts.tokens, tr("Tokens")}});
}

QWidget* Board::buildCentre() {
    if (m_presenter) {
        QList<std::pair<QWidget*, QString>> pages;
        for (viz::Panel* panel : m_parts.centre)
            pages.append({panel, panel->text().title});
        return tabs(QStringLiteral("panelTabs"), pages);
    }
    const auto& p = m_parts.centre;
    auto* rows = splitter(Qt::Vertical, QStringLiteral("rows"));
    auto* curves = splitter(Qt::Horizontal, QStringLiteral("curves"));
    curves->addWidget(p[1]);
    curves->addWidget(p[2]);
    rows->addWidget(p[0]);
    rows->addWidget(curves);
    rows->addWidget(p[3]);
    rows->addWidget(p[4]);
    for (viz::Panel* panel : p)
        panel->show();
    return rows;
}

QWidget* Board::buildRight() {
    auto* column = new QWidget;
    QVBoxLayout* parts = tightColumn(column);
    parts->addWidget(m_parts.settings);
    parts->addWidget(m_parts.readouts);
    parts->addStretch(1);
    m_parts.settings->show();
    m_parts.readouts->show();
    auto* scroll = new QScrollArea;
    scroll->setObjectName(QStringLiteral("right"));
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setWidget(column);
    // Nothing is cut off when the column has to scroll.
    scroll->setMinimumWidth(column->minimumSizeHint().width() +
                            scroll->style()->pixelMetric(QStyle::PM_ScrollBarExtent));
    return scroll;
}

QSplitter* Board::splitter(Qt::Orientation orientation, const QString& name) {
    auto* made = new QSplitter(orientation);
    // Sizes are kept by what stands in them.
    made->setObjectName(name + (m_wide ? QStringLiteral("-wide") : QString()) +
                        (m_presenter ? QStringLiteral("-presenter") : QString()));
    made->setChildrenCollapsible(false);
    made->setHandleWidth(kHandle);
    // Only what the user moved is remembered: the rest follows the window.
    connect(made, &QSplitter::splitterMoved, this,
            [this, made] { m_sizes.insert(made->objectName(), made->sizes()); });
    m_splitters.append(made);
    return made;
}

QList<int> Board::defaultSizes(const QString& name) const {
    if (name.startsWith(QLatin1String("columns"))) {
        // The text does not widen with its type: the plots need the room on a projector.
        const int left = kLeftWidth * (m_wide ? 2 : 1);
        const int right = m_theme.scaled(kRightWidth);
        return {left, std::max(100, width() - left - right - 2 * kHandle), right};
    }
    if (!name.startsWith(QLatin1String("rows"))) return {1000, 1000};
    // Height to spare goes where positions and layers need it, and least to the answers.
    QList<int> heights{kImportanceHeight, kCurvesHeight, kTimingHeight, kAnswersHeight};
    const QList<int> weights{6, 5, 3, 1};
    const int spare = height() - std::accumulate(heights.begin(), heights.end(), 3 * kHandle);
    for (qsizetype i = 0; i < heights.size(); ++i)
        heights[i] += std::max(0, spare * weights[i] / 15);
    return heights;
}

void Board::applySizes() {
    for (QSplitter* s : m_splitters) {
        const auto chosen = m_sizes.constFind(s->objectName());
        s->setSizes(chosen != m_sizes.constEnd() ? *chosen : defaultSizes(s->objectName()));
    }
}

QByteArray Board::saveSizes() const {
    QByteArray state;
    QDataStream stream(&state, QIODevice::WriteOnly);
    stream << m_sizes;
    return state;
}

void Board::restoreSizes(const QByteArray& state) {
    QDataStream stream(state);
    QHash<QString, QList<int>> sizes;
    stream >> sizes;
    if (stream.status() != QDataStream::Ok) return;
    m_sizes = sizes;
    arrange();
}

void Board::resetSizes() {
    m_sizes.clear();
    m_maximised = nullptr;
    arrange();
}

} // namespace fkv::app
