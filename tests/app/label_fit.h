// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/elided_label.h"

#include <QAbstractButton>
#include <QApplication>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QStringList>
#include <QStyle>
#include <QStyleOptionComboBox>
#include <QTest>
#include <QTextDocument>
#include <QTranslator>

namespace fkv::testing {

/// Every translated string 40 % longer, as German or Finnish make them.
class LongTranslator : public QTranslator {
public:
    bool isEmpty() const override { return false; }
    QString translate(const char* context, const char* source, const char*, int) const override {
        if (!QByteArrayView(context).startsWith("fkv::")) return {}; // Qt's own dialogs
        const QString text = QString::fromUtf8(source);
        const qsizetype more = (text.size() * 2 + 4) / 5;
        QString pad;
        while (pad.size() < more)
            pad += pad.size() % 6 == 5 ? QLatin1Char(' ') : QLatin1Char('n');
        return text + pad.left(more);
    }
};

/// Rows for a test of what is cut off: every combination of presenter type and longer words.
inline void addTypeRows() {
    QTest::addColumn<bool>("presenter");
    QTest::addColumn<bool>("longer");
    QTest::newRow("normal") << false << false;
    QTest::newRow("presenter") << true << false;
    QTest::newRow("normal, 40 % longer") << false << true;
    QTest::newRow("presenter, 40 % longer") << true << true;
}

/// What is cut off inside `root`: one line for every label, button, field or box whose text is
/// wider (or higher) than its place.
inline QStringList cutOff(const QWidget& root, bool elide) {
    QStringList faults;
    const auto check = [&faults](const QWidget* widget, const QString& text, int needed, int room) {
        if (needed > room)
            faults << QStringLiteral("%1 “%2” needs %3 px, has %4")
                          .arg(QString::fromLatin1(widget->metaObject()->className()), text)
                          .arg(needed)
                          .arg(room);
    };
    const auto wide = [](const QWidget* w, const QString& text) {
        return w->fontMetrics().size(Qt::TextShowMnemonic, text).width();
    };
    for (const QWidget* widget : root.findChildren<QWidget*>()) {
        if (!widget->isVisibleTo(&root)) continue;
        if (const auto* label = qobject_cast<const QLabel*>(widget)) {
            const QRect room = label->contentsRect();
            if (label->wordWrap())
                check(label, label->text(), label->heightForWidth(label->width()), label->height());
            else if (label->textFormat() != Qt::RichText)
                check(label, label->text(), wide(label, label->text()), room.width());
        } else if (const auto* button = qobject_cast<const QAbstractButton*>(widget)) {
            check(button, button->text(), wide(button, button->text()), button->width());
        } else if (const auto* field = qobject_cast<const QLineEdit*>(widget)) {
            const QMargins margins = field->textMargins();
            check(field, field->text(), wide(field, field->text()),
                  field->width() - margins.left() - margins.right() - 4);
        } else if (const auto* box = qobject_cast<const QComboBox*>(widget)) {
            QStyleOptionComboBox option;
            option.initFrom(box);
            option.editable = box->isEditable();
            const QRect room = box->style()->subControlRect(QStyle::CC_ComboBox, &option,
                                                            QStyle::SC_ComboBoxEditField, box);
            if (!box->isEditable())
                check(box, box->currentText(), wide(box, box->currentText()), room.width());
        } else if (const auto* elided = dynamic_cast<const viz::ElidedLabel*>(widget)) {
            if (elide && elided->toolTip() == elided->text()) continue;
            check(elided, elided->text(), wide(elided, elided->text()), elided->width());
        }
    }
    return faults;
}

/// What is still cut off once the layout has come to rest: it takes some turns of the event loop,
/// and on a busy machine some time.
inline QStringList cutOffAtRest(const QWidget& root, bool elide) {
    constexpr int kTurns = 5; // what a layout posts may post again
    for (int turn = 0; turn < kTurns; ++turn)
        QCoreApplication::processEvents();
    QStringList faults;
    (void)QTest::qWaitFor([&] {
        faults = cutOff(root, elide);
        return faults.isEmpty();
    });
    return faults;
}

} // namespace fkv::testing
