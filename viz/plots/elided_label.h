// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QPaintEvent>
#include <QPainter>
#include <QString>
#include <QStringList>
#include <QWidget>
#include <algorithm>

namespace fkv::viz {

/// One line of text that is said in fewer words, and in the end cut with an ellipsis, instead of
/// widening its window. An optional second part is drawn after it in another colour.
class ElidedLabel : public QWidget {
public:
    explicit ElidedLabel(QWidget* parent = nullptr) : QWidget(parent) {
        setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    }
    const QString& text() const { return m_text; }
    void setText(const QString& text) {
        if (text == m_text) return;
        m_text = text;
        updateGeometry();
        update();
    }
    /// The same in fewer and fewer words: the first that fits stands in for the text.
    void setShorter(const QStringList& shorter) {
        if (shorter == m_shorter) return;
        m_shorter = shorter;
        update();
    }
    /// The words as they stand now, cut or not.
    QString shown() const {
        const QFontMetrics metrics = fontMetrics();
        if (metrics.horizontalAdvance(m_text) <= width()) return m_text;
        for (const QString& text : m_shorter)
            if (metrics.horizontalAdvance(text) <= width()) return text;
        return metrics.elidedText(m_shorter.isEmpty() ? m_text : m_shorter.last(), Qt::ElideRight,
                                  width());
    }
    /// Muted words after the text, first to be cut.
    void setSuffix(const QString& suffix) {
        m_suffix = suffix;
        updateGeometry();
        update();
    }
    void setColors(const QColor& text, const QColor& suffix) {
        m_color = text;
        m_suffixColor = suffix;
        update();
    }
    QSize sizeHint() const override {
        return {fontMetrics().horizontalAdvance(m_text) + suffixWidth() + 2, fontMetrics().height() + 2};
    }
    QSize minimumSizeHint() const override {
        return {std::min(sizeHint().width(), fontMetrics().averageCharWidth() * 4), fontMetrics().height() + 2};
    }

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        const QFontMetrics metrics = fontMetrics();
        painter.setPen(m_color);
        const QString shown = this->shown();
        painter.drawText(rect(), Qt::AlignVCenter | Qt::AlignLeft | Qt::TextSingleLine, shown);
        const int used = metrics.horizontalAdvance(shown) + kGap;
        if (m_suffix.isEmpty() || width() - used < metrics.averageCharWidth() * 6) return;
        QFont light = font();
        light.setBold(false);
        painter.setFont(light);
        painter.setPen(m_suffixColor);
        const QString rest = QFontMetrics(light).elidedText(m_suffix, Qt::ElideRight, width() - used);
        painter.drawText(rect().adjusted(used, 0, 0, 0), Qt::AlignVCenter | Qt::AlignLeft | Qt::TextSingleLine, rest);
    }

private:
    static constexpr int kGap = 8;
    int suffixWidth() const { return m_suffix.isEmpty() ? 0 : kGap + fontMetrics().horizontalAdvance(m_suffix); }

    QString m_text, m_suffix;
    QStringList m_shorter;
    QColor m_color = Qt::black, m_suffixColor = Qt::gray;
};

}  // namespace fkv::viz
