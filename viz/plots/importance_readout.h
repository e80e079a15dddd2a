// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/importance_image.h"
#include "viz/state/view_context.h"

#include <QString>

namespace fkv::viz {

/// The one line of words that goes with the map (VIEWS 3, Importance 5, 7 and 9).
class ImportanceReadout {
public:
    explicit ImportanceReadout(const ViewContext& context) : m_context(context) {}

    /// What is pointed at, or the cut and what it means when nothing is.
    QString text(ImportanceImage& image);

private:
    QString ofHover(ImportanceImage& image, const Hover& hover) const;
    QString ofWhole(ImportanceImage& image);
    QString ofFate(int layer, std::int64_t token, TokenRange cell) const;
    QString ofMass(ImportanceImage& image, int layer) const;
    std::int64_t tiedAtTsp();

    ViewContext m_context;
    /// Ties of a long prompt, which a fate leaves uncounted: looked up once a cut.
    std::shared_ptr<const trace::FullPass> m_tiedOf;
    trace::Budgets m_tiedFor;
    std::int64_t m_tied = -1;
};

/// Share in percent as "top" figures are written: "37", "2.4", "0.13", "0.01".
QString formatTop(double share);
/// 8 tokens of the prompt around one, which stands in brackets; newlines as an arrow.
QString textAround(const trace::Prompt& prompt, std::int64_t token);

} // namespace fkv::viz
