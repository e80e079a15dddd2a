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
    return run && run->prompt && (run->fullAnswer || run->fastkvAnswer);
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
    if (run->fullAnswer && run->fastkv) m_fullSettings = run->fastkv->settings;
    if (run->fullAnswer || !run->hasReference()) m_full = run->fullAnswer;
    // Without a new answer the old one stays: with the settings it belongs to.
    if (run->fastkvAnswer && run->fastkv)
        m_method = {run->fastkvAnswer, run->fidelity, run->fastkv->settings};
    refresh();
}

bool AnswersPanel::pending() const {
    const Shown& shown = context().shown;
    if (!m_method.answer || shown.answersPending()) return true;
    return shown.run()->fastkvAnswer != m_method.answer;
}

bool AnswersPanel::fullPending() const {
    const Shown& shown = context().shown;
    if (!m_full) return false;
    return shown.run()->fullAnswer != m_full ||
           (shown.asked() && !m_fullSettings.sameDecoding(shown.asked()->settings));
}

/// What is not to be seen elsewhere is said only where it differs from that.
QString AnswersPanel::settingsOfMethod() const {
    const trace::FatePtr& fate = context().shown.asked();
    const trace::Settings& of = m_method.settings;
    const bool sameScoring = fate && of.sameScoring(fate->settings);
    QString text = describeSettings(of);
    if (sameScoring) text = text.section(QStringLiteral(" · "), 0, 2);
    if (of.sampling.used() != m_fullSettings.sampling.used())
        text += QStringLiteral(" · ") + QString::fromStdString(trace::describe(of.sampling));
    if (fate && of.generate != fate->settings.generate)
        text += QStringLiteral(" · ") + tr("length %1").arg(of.generate);
    return text;
}

void AnswersPanel::refresh() {
    const Shown& shown = context().shown;
    AnswersContent content;
    const auto fullTokens = static_cast<std::int64_t>(m_full ? m_full->tokens.size() : 0);
    content.fullPending = fullPending();
    content.pending = pending();
    content.working = content.pending && shown.phase() == Shown::Phase::Running;
    content.lines = alignAnswers(m_full.get(), m_method);
    if (m_full) content.fullEnd = describeEnd(*m_full);
    if (m_method.answer) content.methodEnd = describeEnd(*m_method.answer);
    content.verdict = verdictOf(content.lines);
    if (content.lines.known() &&
        m_method.settings.sampling.used() != m_fullSettings.sampling.used()) {
        // Where they differ, it is the dice as well.
        content.lines.difference = -1;
        content.verdict = tr("drawn differently, not compared");
    }
    content.compared = !shown.run() || shown.run()->hasReference();
    if (!content.compared)
        content.verdict = tr("nothing to compare with: full context does not fit");
    content.fidelity = describeFidelity(m_method.fidelity.get(), fullTokens);
    if (!content.fidelity.isEmpty())
        content.fidelity += QStringLiteral(" · ") + tr("bars: 1e-4 to 10 nats, log");
    if (m_method.answer) {
        const QString settings = settingsOfMethod();
        content.settings =
            !content.pending ? settings
            : shown.run() && shown.run()->recorded
                ? tr("recorded with %1; open the model to decode again").arg(settings)
                : tr("of %1").arg(settings);
    }
    const QString sampled = m_full ? describeSampling(m_fullSettings.sampling) : QString();
    setNote(sampled.isEmpty() ? sampled : tr("sampled: %1").arg(sampled), tr("sampled"));
    if (m_prompt) {
        content.expected = QString::fromStdString(m_prompt->expected);
        content.fullHolds = holds(m_full.get(), m_prompt->expected);
        content.methodHolds = holds(m_method.answer.get(), m_prompt->expected);
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

/// How far the answers are that belong to the settings of the controls.
QStringList AnswersPanel::progress() const {
    const AnswersContent& c = m_answers->content();
    QStringList parts;
    if (m_full && !c.fullPending) parts << tr("full: %1").arg(describeProgress(*m_full));
    if (m_method.answer && !c.pending)
        parts << tr("FastKV: %1").arg(describeProgress(*m_method.answer));
    return parts;
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
    const QString kSeparator = QStringLiteral(" · ");
    if (c.pending && m_method.answer) parts << tr("pending: the FastKV line is of other settings");
    // What changes with every token comes last, so that nothing moves behind it.
    const QStringList progress = this->progress();
    QStringList hint;
    if (m_method.fidelity && !c.lines.open) hint << tr("point at a token for both top five");
    setReadout((parts + progress + hint).join(kSeparator),
               {(parts + progress).join(kSeparator), (progress + hint).join(kSeparator),
                progress.join(kSeparator)});
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
