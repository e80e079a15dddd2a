// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QAbstractButton>
#include <QApplication>
#include <QLabel>
#include <QStringList>
#include <QTranslator>
#include <QWidget>

namespace fkv::testing {

/// Makes every translated string 40 % longer, as translations may be.
class LongWords : public QTranslator {
public:
    LongWords() { QCoreApplication::installTranslator(this); }
    ~LongWords() override { QCoreApplication::removeTranslator(this); }
    bool isEmpty() const override { return false; }
    QString translate(const char*, const char* source, const char*, int) const override {
        QString text = QString::fromUtf8(source);
        return text + QString((text.size() * 2 + 4) / 5, u'n');
    }
};

/// Buttons and labels of a shown window whose text is wider than they are, or that stick out of it.
inline QStringList tooNarrow(const QWidget& window) {
    QStringList faults;
    const auto check = [&](const QWidget& w, const QString& text, int room) {
        if (!w.isVisible() || text.isEmpty()) return;
        const int needed = w.fontMetrics().size(Qt::TextShowMnemonic, text).width();
        const QRect place(w.mapTo(&window, QPoint()), w.size());
        if (needed > room || !window.rect().contains(place))
            faults << QStringLiteral("\"%1\" needs %2 px of %3, ends at %4 of %5")
                          .arg(text)
                          .arg(needed)
                          .arg(room)
                          .arg(place.right())
                          .arg(window.width());
    };
    for (const auto* button : window.findChildren<QAbstractButton*>())
        check(*button, button->text().section(u'\t', 0, 0), button->width());
    for (const auto* label : window.findChildren<QLabel*>())
        if (!label->wordWrap()) check(*label, label->text(), label->contentsRect().width());
    return faults;
}

} // namespace fkv::testing
