// SPDX-License-Identifier: GPL-3.0-or-later
// Where the fact of the form goes, and putting it there.
#include "app/pages/depth_slider.h"
#include "app/pages/hide_form.h"
#include "engine/core/error.h"
#include "viz/plots/elided_label.h"
#include "viz/series/format.h"

#include <QButtonGroup>
#include <QComboBox>
#include <QLabel>
#include <QPushButton>
#include <QSpinBox>
#include <algorithm>
#include <cmath>

namespace fkv::app {

void HideForm::rebase() {
    m_stale = false;
    m_rest.stop();
    m_baseFault.clear();
    const PromptInput current = m_current();
    m_textFact = {};
    qsizetype factAt = 0;
    const QByteArray bytes = current.text.toUtf8();
    for (const PromptInput::Span& span : current.spans) {
        const QString words =
            QString::fromUtf8(bytes.mid(span.byteBegin, span.byteEnd - span.byteBegin));
        if (span.name == QLatin1String("fact")) m_textFact.statement = words;
        if (span.name == QLatin1String("question")) m_textFact.question = words;
        if (span.name == QLatin1String("fact")) factAt = span.byteBegin;
    }
    if (m_textFact.question.isEmpty()) m_textFact = {};
    m_textFact.answer = current.expected;
    if (const Haystack* text = haystack()) {
        try {
            const double budget = m_length->checkedId() * text->bytesPerToken();
            m_base = excerpt(readHaystack(*text).toUtf8(), static_cast<qsizetype>(budget));
        } catch (const Error& error) {
            m_base.clear();
            m_baseFault = QString::fromUtf8(error.what());
        }
    } else {
        m_base = baseOf(current);
        if (m_base.isEmpty())
            m_baseFault = tr("There is no text yet: type one or choose a book.");
        else
            m_textDepth = static_cast<double>(factAt) / static_cast<double>(m_base.size());
    }
    m_starts = sentenceStarts(m_base);
    fillFacts();
    factChanged();
}

void HideForm::preview() {
    const viz::Palette& colours = m_theme.palette();
    m_where->setColors(colours.mutedText, colours.mutedText);
    const QString wrong = fault();
    m_hide->setEnabled(wrong.isEmpty());
    m_hide->setToolTip(wrong);
    const Place at = place();
    m_depth->setSnapped(at.depth);
    if (!m_baseFault.isEmpty()) {
        m_where->setText({});
    } else {
        m_where->setText(tr("%1 % · before sentence %2 of %3")
                             .arg(std::lround(at.depth * 100.0))
                             .arg(viz::formatCount(static_cast<std::int64_t>(at.index) + 1),
                                  viz::formatCount(static_cast<std::int64_t>(at.count))));
    }
    m_where->setToolTip(m_where->text());
    constexpr qsizetype kAround = 42;
    const auto line = [](QString text) {
        text.replace(QLatin1Char('\n'), QStringLiteral(" ↵ "));
        return text.toHtmlEscaped();
    };
    if (!wrong.isEmpty()) {
        m_preview->setText(wrong.toHtmlEscaped());
        return;
    }
    const QString before = QString::fromUtf8(m_base.mid(std::max<qsizetype>(0, at.at - 4 * kAround),
                                                        std::min(at.at, 4 * kAround)))
                               .right(kAround);
    const QString after = QString::fromUtf8(m_base.mid(at.at, 4 * kAround)).left(kAround);
    const QColor tint = viz::faded(colours.pins[0], colours.window, 0.28);
    m_preview->setText(
        QStringLiteral(
            "<span style='color:%1'>…%2</span><span style='background:%3;color:%4'>%5</span> "
            "<span style='color:%1'>%6…</span>")
            .arg(colours.mutedText.name(), line(before), tint.name(), colours.text.name(),
                 line(fact().statement), line(after)));
}

void HideForm::hideNow() {
    if (m_stale) rebase();
    if (!fault().isEmpty()) return;
    HidePlan plan{m_base, fact(), m_depth->depth(), m_distractors->value(), m_seed};
    const PromptInput prompt = app::hide(plan, m_library.templates);
    m_hidden = true;
    Q_EMIT hideRequested(
        prompt,
        tr("Hidden at %1 %: %2").arg(std::lround(place().depth * 100.0)).arg(plan.fact.statement));
    // The text is now this one; its base stays, so that moving the fact adds no second set of
    // others.
    m_stale = false;
    m_hidden = true;
}

} // namespace fkv::app
