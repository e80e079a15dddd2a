// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/answers_panel.h"

#include "viz/plots/answers_view.h"
#include "viz/series/describe.h"

namespace fkv::viz {
namespace {

constexpr int kLongestSpanName = 20;

bool samePrompt(const std::shared_ptr<const trace::Prompt>& a,
                const std::shared_ptr<const trace::Prompt>& b) {
    return a == b || (a && b && a->ids == b->ids && a->text == b->text);
}

} // namespace

AnswersPanel::AnswersPanel(const ViewContext& context, QWidget* parent)
    : Panel(context,
            {QStringLiteral("answers"), tr("Answers"), tr("does the answer still hold?"),
             tr("Run a prompt to compare full context with FastKV.")},
            parent),
      m_answers(new AnswersView(context, this)) {
    setBody(m_answers);
    setViews({tr("To the newline"), tr("All tokens")});
    connect(this, &Panel::viewChanged, this,
            [this](int view) { m_answers->setAllTokens(view == 1); });
    connect(m_answers, &AnswersView::stepChanged, this, &AnswersPanel::updateReadout);
    connect(&context.shown, &Shown::runChanged, this, &AnswersPanel::followRun);
    connect(&context.shown, &Shown::fateChanged, this, &AnswersPanel::refresh);
    connect(&context.shown, &Shown::phaseChanged, this, &AnswersPanel::refresh);
    connect(&context.selection, &Selection::marksChanged, this, &AnswersPanel::refresh);
    followRun();
}

bool AnswersPanel::hasContent() const {
    const trace::RunPtr& run = context().shown.run();
    return run && run->prompt && run->fullAnswer;
}

void AnswersPanel::followRun() {
    const trace::RunPtr& run = context().shown.run();
    const std::shared_ptr<const trace::Prompt> prompt = run ? run->prompt : nullptr;
    if (!samePrompt(m_prompt, prompt)) {
        m_full = nullptr;
        m_method = {};
    }
    m_prompt = prompt;
    if (!run) return refresh();
    if (run->fullAnswer) m_full = run->fullAnswer;
    // Without a new answer the old one stays: with the settings it belongs to.
    if (run->fastkvAnswer && run->fastkv)
        m_method = {run->fastkvAnswer, run->fidelity, run->fastkv->settings, false};
    refresh();
}

bool AnswersPanel::pending() const {
    const Shown& shown = context().shown;
    if (!m_method.answer || shown.answersPending()) return true;
    return shown.run()->fastkvAnswer != m_method.answer;
}

void AnswersPanel::refresh() {
    const Shown& shown = context().shown;
    const bool running = shown.phase() == Shown::Phase::Running;
    AnswersContent content;
    const auto fullTokens = static_cast<std::int64_t>(m_full ? m_full->tokens.size() : 0);
    content.pending = pending();
    content.working = content.pending && running;
    m_method.growing = running && !content.pending && m_method.answer &&
                       !fidelityComplete(m_method.fidelity.get(), fullTokens);
    content.lines = alignAnswers(m_full.get(), m_method);
    content.verdict = verdictOf(content.lines);
    content.fidelity = describeFidelity(m_method.fidelity.get(), fullTokens);
    if (!content.fidelity.isEmpty())
        content.fidelity += QStringLiteral(" · ") + tr("bars: 1e-4 to 10 nats, log");
    if (m_method.answer) {
        const bool sameScoring =
            shown.fate() && m_method.settings.sameScoring(shown.fate()->settings);
        const QString all = describeSettings(m_method.settings);
        // Window and pooling are said only where they differ from those of the controls.
        const QString settings = sameScoring ? all.section(QStringLiteral(" · "), 0, 2) : all;
        content.settings =
            !content.pending ? settings
            : shown.run() && shown.run()->recorded
                ? tr("recorded with %1; open the model to decode again").arg(settings)
                : tr("of %1").arg(settings);
    }
    if (m_prompt) {
        content.expected = QString::fromStdString(m_prompt->expected);
        const bool fullGrows = running && !m_method.answer;
        content.fullHolds = holds(m_full.get(), fullGrows, m_prompt->expected);
        content.methodHolds = holds(m_method.answer.get(), m_method.growing, m_prompt->expected);
    }
    const Mark* span = context().selection.firstSpan();
    if (span && shown.fate()) {
        const QString name = span->name.isEmpty() ? tr("span %1").arg(span->number)
                                                  : span->name.left(kLongestSpanName);
        content.survival = describeSurvival(name, survivalOf(*shown.fate(), span->tokens));
    }
    m_answers->setContent(std::move(content));
    updateReadout();
}

void AnswersPanel::updateReadout() {
    const AnswersContent& c = m_answers->content();
    const int step = m_answers->step();
    if (step >= 0 && m_method.fidelity)
        return setReadout(
            describeStep(*m_method.fidelity, c.lines, static_cast<std::size_t>(step)));
    QStringList parts;
    if (c.fullHolds && c.methodHolds && *c.fullHolds == *c.methodHolds) {
        parts << (*c.fullHolds ? tr("both give the expected answer")
                               : tr("neither gives the expected answer"));
    } else {
        if (c.fullHolds)
            parts << (*c.fullHolds ? tr("full context gives the expected answer")
                                   : tr("full context does not give the expected answer"));
        if (c.methodHolds)
            parts << (*c.methodHolds ? tr("FastKV gives the expected answer")
                                     : tr("FastKV does not give the expected answer"));
    }
    if (c.pending && m_method.answer) parts << tr("pending: the FastKV line is of other settings");
    if (m_method.fidelity) parts << tr("point at a token for both top five");
    setReadout(parts.join(QStringLiteral(" · ")));
    m_answers->setAccessibleDescription(c.verdict + QStringLiteral(". ") + c.fidelity +
                                        QStringLiteral(". ") + readout());
}

void AnswersPanel::paintFigure(QPainter& painter, const QSize& size) {
    m_answers->paintFigure(painter, size);
}

QString AnswersPanel::csv() const {
    return answersCsv(m_full.get(), m_method);
}

} // namespace fkv::viz
