// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/state/view_context.h"

#include <QPainter>
#include <QWidget>

namespace fkv::viz {

/// Says over a body why there is nothing (or nothing new) to see: empty, loading, failed, cancelled.
/// Lets the mouse through. With a picture behind it only a line at the bottom is covered.
class StateOverlay : public QWidget {
public:
    StateOverlay(const ViewContext& context, QWidget* parent) : QWidget(parent), m_context(context) {
        setAttribute(Qt::WA_TransparentForMouseEvents);
    }
    void setMessage(const QString& title, const QString& detail, bool overPicture) {
        m_title = title;
        m_detail = detail;
        m_overPicture = overPicture;
        setVisible(!title.isEmpty());
        update();
    }
    QString message() const { return m_title; }

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        const Palette& colours = m_context.theme.palette();
        painter.setFont(m_context.theme.font());
        const int line = painter.fontMetrics().height();
        if (m_overPicture) {
            const QRect strip(0, height() - line - 6, width(), line + 6);
            painter.fillRect(strip, faded(colours.text, colours.base, 0.12));
            painter.setPen(colours.text);
            const QString text = m_detail.isEmpty() ? m_title : m_title + QStringLiteral(" — ") + m_detail;
            painter.drawText(strip.adjusted(8, 0, -8, 0), Qt::AlignVCenter | Qt::AlignLeft,
                             painter.fontMetrics().elidedText(text, Qt::ElideRight, strip.width() - 16));
            return;
        }
        painter.fillRect(rect(), colours.base);
        painter.setPen(colours.text);
        const int y = std::max(0, height() / 2 - line);
        painter.drawText(QRect(8, y, width() - 16, line), Qt::AlignCenter,
                         painter.fontMetrics().elidedText(m_title, Qt::ElideRight, width() - 16));
        painter.setPen(colours.mutedText);
        painter.drawText(QRect(8, y + line + 2, width() - 16, std::max(line, height() - y - line - 2)),
                         Qt::AlignHCenter | Qt::AlignTop | Qt::TextWordWrap, m_detail);
    }

private:
    ViewContext m_context;
    QString m_title, m_detail;
    bool m_overPicture = false;
};

}  // namespace fkv::viz
