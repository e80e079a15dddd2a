// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/state/view_context.h"

#include <QStringList>
#include <QWidget>

namespace fkv::viz {

/// What the kept sets buy: bytes of the cache that this setting needs, early and late layers apart,
/// against full context; in words and as one bar.
class KvFooter : public QWidget {
    Q_OBJECT
public:
    explicit KvFooter(const ViewContext& context, QWidget* parent = nullptr);

    /// Text and, behind it, the bar: one line whatever the settings, so that nothing around it
    /// moves while a slider does.
    struct Layout {
        QRect text;
        QRect bar;       ///< empty where there is no room
        QString wording; ///< the longest that leaves the bar some room
    };
    Layout layoutIn(const QSize& size) const;
    int heightNeeded() const; ///< px
    void paintInto(QPainter& painter, const QSize& size) const;
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QStringList wordings() const; ///< longest first
    void paintBar(QPainter& painter, const QRect& bar) const;

    ViewContext m_context;
};

/// Bytes of the layers up to t and after it; early + late = budgets.kvBytes.
struct KvBytes {
    std::int64_t early = 0;
    std::int64_t late = 0;
};
KvBytes kvBytesOf(const trace::Budgets& budgets, const trace::ModelInfo& model);

} // namespace fkv::viz
