// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/dialogs/shortcuts_dialog.h"

#include "app/dialogs/shortcut_table.h"

#include <QDialogButtonBox>
#include <QGridLayout>
#include <QKeySequence>
#include <QLabel>
#include <QPainter>
#include <QScreen>
#include <QScrollArea>

namespace fkv::app {
namespace {

/// A key as its cap.
class KeyCap : public QLabel {
public:
    KeyCap(const QString& text, const viz::Theme& theme, QWidget* parent)
        : QLabel(text, parent), m_theme(theme) {
        setFont(theme.smallFont());
        setContentsMargins(5, 1, 5, 2);
        setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    }

protected:
    void paintEvent(QPaintEvent* event) override {
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(m_theme.palette().border);
        painter.setBrush(m_theme.palette().base);
        painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 3, 3);
        painter.end();
        QLabel::paintEvent(event);
    }

private:
    const viz::Theme& m_theme;
};

/// As the system writes it; what is no key stays as it is.
QString written(const QString& key) {
    const QKeySequence sequence = QKeySequence::fromString(key, QKeySequence::PortableText);
    const bool isKey = sequence.count() == 1 && sequence[0].key() != Qt::Key_unknown;
    static const QHash<QString, QString> kArrows{{QStringLiteral("Left"), QStringLiteral("←")},
                                                 {QStringLiteral("Right"), QStringLiteral("→")},
                                                 {QStringLiteral("Up"), QStringLiteral("↑")},
                                                 {QStringLiteral("Down"), QStringLiteral("↓")}};
    if (const auto arrow = kArrows.constFind(key); arrow != kArrows.constEnd()) return *arrow;
    return isKey ? sequence.toString(QKeySequence::NativeText) : key;
}

} // namespace

ShortcutsDialog::ShortcutsDialog(const viz::Theme& theme, QWidget* parent)
    : QDialog(parent), m_theme(theme) {
    setObjectName(QStringLiteral("keySheet"));
    setWindowTitle(tr("Keys and mouse"));
    auto* page = new QWidget;
    auto* columns = new QHBoxLayout(page);
    columns->setSpacing(theme.scaled(24));
    const std::vector<ShortcutGroup> groups = shortcutTable();
    // What belongs to the whole window at the left, to the views at the right.
    constexpr std::size_t kLeftGroups = 2;
    for (const bool left : {true, false}) {
        auto* column = new QVBoxLayout;
        column->setSpacing(theme.scaled(12));
        for (std::size_t g = 0; g < groups.size(); ++g)
            if ((g < kLeftGroups) == left) addGroup(column, groups[g]);
        column->addStretch(1);
        columns->addLayout(column);
    }
    auto* area = new QScrollArea(this);
    area->setWidget(page);
    area->setWidgetResizable(true);
    area->setFrameShape(QFrame::NoFrame);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    auto* rows = new QVBoxLayout(this);
    rows->addWidget(area, 1);
    rows->addWidget(buttons);
    // As large as it likes to be, but never larger than the screen it opens on.
    const QSize room = screen()->availableSize() - QSize(60, 120);
    if (page->sizeHint().width() > room.width()) columns->setDirection(QBoxLayout::TopToBottom);
    const QSize wish = page->sizeHint() + QSize(24, 24);
    area->setMinimumSize(wish.boundedTo(room));
}

void ShortcutsDialog::addGroup(QVBoxLayout* column, const ShortcutGroup& group) {
    auto* title = new QLabel(group.title);
    QFont bold = m_theme.font();
    bold.setBold(true);
    title->setFont(bold);
    column->addWidget(title);
    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(m_theme.scaled(12));
    grid->setVerticalSpacing(m_theme.scaled(3));
    grid->setColumnStretch(1, 1);
    int line = 0;
    for (const Shortcut& shortcut : group.shortcuts) {
        auto* keys = new QWidget;
        auto* caps = new QHBoxLayout(keys);
        caps->setContentsMargins(0, 0, 0, 0);
        caps->setSpacing(4);
        for (const QString& key : shortcut.keys)
            caps->addWidget(new KeyCap(written(key), m_theme, keys));
        caps->addStretch(1);
        auto* what = new QLabel(shortcut.what);
        grid->addWidget(keys, line, 0);
        grid->addWidget(what, line++, 1);
    }
    column->addLayout(grid);
}

} // namespace fkv::app
