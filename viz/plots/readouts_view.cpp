// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/readouts_view.h"

#include "viz/series/answer_lines.h"
#include "viz/series/describe.h"
#include "viz/series/format.h"

#include <QFontMetrics>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QLineEdit>
#include <QLocale>
#include <QMouseEvent>
#include <QPainter>
#include <QStringList>
#include <QToolTip>
#include <algorithm>
#include <cmath>

namespace fkv::viz {
namespace {

constexpr double kUsualGib = 16.0;
constexpr double kLeastGib = 1e-3, kMostGib = 1e6;
constexpr auto kGibKey = "gib";

const std::array<Metric, kMetrics>& rows() {
    static const std::array<Metric, kMetrics> kRows = [] {
        std::array<Metric, kMetrics> all{};
        for (std::size_t i = 0; i < kMetrics; ++i)
            all[i] = static_cast<Metric>(i);
        return all;
    }();
    return kRows;
}

bool isFidelity(Metric metric) {
    return metric >= Metric::FirstKl;
}

QString gibText(double gib) {
    return QString::number(gib, 'g', 6);
}

} // namespace

ReadoutsView::ReadoutsView(const ViewContext& context, QWidget* parent)
    : QWidget(parent), m_context(context), m_gib(kUsualGib) {
    m_known.fill(std::numeric_limits<double>::quiet_NaN());
    setObjectName(QStringLiteral("readouts"));
    setAccessibleName(tr("Readouts"));
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setupEditors();
    connect(&context.theme, &Theme::changed, this, &ReadoutsView::applyTheme);
    connect(&context.shown, &Shown::runChanged, this, &ReadoutsView::refresh);
    connect(&context.shown, &Shown::fateChanged, this, &ReadoutsView::refresh);
    applyTheme();
    refresh();
}

ReadoutsView::~ReadoutsView() {
    // A field that dies with the focus says that editing is finished: to nobody by then.
    for (QLineEdit* edit : {m_gibEdit, m_editor}) {
        edit->removeEventFilter(this);
        edit->disconnect(this);
    }
}

void ReadoutsView::setupEditors() {
    m_gibEdit = new QLineEdit(gibText(m_gib), this);
    m_gibEdit->setAccessibleName(tr("Memory for KV caches in GiB"));
    m_gibEdit->setToolTip(tr("Memory for KV caches in GiB"));
    m_gibEdit->setAlignment(Qt::AlignRight);
    m_gibEdit->setMaxLength(8);
    m_gibEdit->setFrame(true);
    connect(m_gibEdit, &QLineEdit::editingFinished, this, &ReadoutsView::commitGib);
    m_editor = new QLineEdit(this);
    m_editor->setPlaceholderText(tr("e.g. <= 500"));
    m_editor->hide();
    connect(m_editor, &QLineEdit::textEdited, this, [this] {
        m_invalid = false;
        update();
    });
    for (QLineEdit* edit : {m_gibEdit, m_editor})
        edit->installEventFilter(this);
}

void ReadoutsView::applyTheme() {
    setFont(m_context.theme.font());
    for (QLineEdit* edit : {m_gibEdit, m_editor})
        edit->setFont(m_context.theme.smallFont());
    relayout();
}

void ReadoutsView::refresh() {
    const trace::RunPtr& run = m_context.shown.run();
    const auto prompt = run ? run->prompt : nullptr;
    if (prompt != m_prompt) {
        m_prompt = prompt;
        m_known.fill(std::numeric_limits<double>::quiet_NaN());
    }
    const bool fresh = run && run->full && run->fastkv && !run->fidelity;
    if (fresh && run->fastkv != m_klOf) {
        // Over the whole vocabulary: once a rerun, not once a slider move.
        m_klOf = run->fastkv;
        m_firstKl = klOfLogits(run->full->logits, run->fastkv->logits);
    }
    m_readings = readingsOf(m_context.shown,
                            {m_gib, fresh ? m_firstKl : std::numeric_limits<double>::quiet_NaN()});
    rememberKnown();
    describe();
    update();
}

/// A run that is not complete yet has no value where the one before had: the old one stays,
/// pending.
void ReadoutsView::rememberKnown() {
    const trace::RunPtr& run = m_context.shown.run();
    for (std::size_t i = 0; i < kMetrics; ++i) {
        Reading& r = m_readings[i];
        const bool comes = run && (run->hasReference() || !isFidelity(static_cast<Metric>(i)));
        if (std::isfinite(r.method)) {
            m_known[i] = r.method;
        } else if (comes && std::isfinite(m_known[i])) {
            r.method = m_known[i];
            r.pending = true;
        }
    }
}

QString ReadoutsView::fidelityCaption() const {
    return sampling().isEmpty() ? tr("fidelity · 1 prompt, no evaluation")
                                : tr("fidelity · 1 prompt, sampled");
}

QString ReadoutsView::tip(Metric metric) const {
    const QString drawn = sampling();
    if (drawn.isEmpty() || !isFidelity(metric)) return tipOf(metric);
    return tipOf(metric) + u' ' + tr("The answer was sampled: %1.").arg(drawn);
}

QString ReadoutsView::sampling() const {
    const trace::RunPtr& run = m_context.shown.run();
    return run && run->fastkv ? describeSampling(run->fastkv->settings.sampling) : QString();
}

ReadoutsView::RowText ReadoutsView::rowText(Metric metric) const {
    const Reading& r = reading(metric);
    RowText text;
    text.name = nameOf(metric);
    text.full = isFidelity(metric) ? QString() : formatValue(metric, r.full);
    text.method = withState(formatValue(metric, r.method), r.state);
    if (r.pending) text.method = QStringLiteral("○ ") + text.method;
    const double ratio = ratioOf(metric, r);
    if (std::isfinite(ratio)) text.ratio = formatRatio(ratio);
    if (const auto& target = m_targets[index(metric)]) {
        const Verdict verdict = judge(*target, r);
        const QString word = verdict == Verdict::Met      ? tr("✔ met")
                             : verdict == Verdict::Missed ? tr("✖ missed")
                                                          : tr("○ open");
        text.target = formatTarget(metric, *target) + u' ' + word;
        // Where the words are too long, the sign alone says it.
        const QFontMetrics small(m_context.theme.smallFont());
        if (small.horizontalAdvance(text.target) > targetRect(metric).width())
            text.target = formatTarget(metric, *target) + u' ' + word.left(1);
    }
    return text;
}

QString ReadoutsView::csv() const {
    QString out = QStringLiteral("metric,unit,full,fastkv,state,pending,ratio,target\n");
    for (const Metric m : rows()) {
        const Reading& r = reading(m);
        const auto number = [](double v) {
            return std::isfinite(v) ? QString::number(v, 'g', 9) : QString();
        };
        const QString unit = m <= Metric::PerToken                         ? QStringLiteral("ms")
                             : m <= Metric::PeakMemory                     ? QStringLiteral("bytes")
                             : m == Metric::FirstKl || m == Metric::MeanKl ? QStringLiteral("nats")
                             : m == Metric::Top1                           ? QStringLiteral("share")
                                                 : QStringLiteral("count");
        const auto& target = m_targets[index(m)];
        out += QStringList{keyOf(m),
                           unit,
                           number(r.full),
                           number(r.method),
                           stateName(r.state),
                           QString::number(r.pending ? 1 : 0),
                           number(ratioOf(m, r)),
                           target ? savedTarget(m, *target) : QString()}
                   .join(u',') +
               u'\n';
    }
    return out;
}

QVariantMap ReadoutsView::targets() const {
    QVariantMap saved{{QLatin1String(kGibKey), m_gib}};
    for (const Metric m : rows())
        if (m_targets[index(m)]) saved.insert(keyOf(m), savedTarget(m, *m_targets[index(m)]));
    return saved;
}

void ReadoutsView::setTargets(const QVariantMap& saved) {
    const double gib = saved.value(QLatin1String(kGibKey), m_gib).toDouble();
    if (std::isfinite(gib) && gib >= kLeastGib && gib <= kMostGib) m_gib = gib;
    m_gibEdit->setText(gibText(m_gib));
    for (const Metric m : rows())
        m_targets[index(m)] = parseTarget(m, saved.value(keyOf(m)).toString());
    relayout();
    refresh();
}

void ReadoutsView::setTarget(Metric metric, std::optional<Target> target) {
    if (m_targets[index(metric)] == target) return;
    m_targets[index(metric)] = target;
    describe();
    update();
    Q_EMIT targetsChanged();
}

void ReadoutsView::commitGib() {
    bool ok = false;
    const double gib = m_gibEdit->text().toDouble(&ok);
    if (ok && gib >= kLeastGib && gib <= kMostGib && gib != m_gib) {
        m_gib = gib;
        refresh();
        Q_EMIT targetsChanged();
    }
    m_gibEdit->setText(gibText(m_gib));
}

void ReadoutsView::editTarget(Metric metric) {
    m_edited = metric;
    m_current = static_cast<int>(index(metric));
    m_invalid = false;
    const auto& target = m_targets[index(metric)];
    m_editor->setText(target ? formatTarget(metric, *target) : QString());
    m_editor->setAccessibleName(tr("Target for %1").arg(nameOf(metric)));
    m_editor->setGeometry(targetRect(metric));
    m_editor->show();
    m_editor->setFocus(Qt::OtherFocusReason);
    m_editor->selectAll();
    update();
}

void ReadoutsView::commitTarget() {
    if (m_edited == Metric::Count) return;
    const QString text = m_editor->text().trimmed();
    const std::optional<Target> target = parseTarget(m_edited, text);
    if (!target && !text.isEmpty()) {
        m_invalid = true;
        update();
        return;
    }
    setTarget(m_edited, target);
    closeEditor();
}

void ReadoutsView::closeEditor() {
    const bool hadFocus = m_editor->hasFocus();
    m_edited = Metric::Count;
    m_invalid = false;
    m_editor->hide();
    if (hadFocus) setFocus(Qt::OtherFocusReason);
    update();
}

bool ReadoutsView::eventFilter(QObject* watched, QEvent* event) {
    const int key = event->type() == QEvent::KeyPress ? static_cast<QKeyEvent*>(event)->key() : 0;
    const bool enter = key == Qt::Key_Return || key == Qt::Key_Enter;
    if (enter || key == Qt::Key_Escape) {
        // Taken here: a field passes them on, and Enter would open the editor again.
        if (watched == m_editor)
            enter ? commitTarget() : closeEditor();
        else
            leaveGib(enter);
        return true;
    }
    if (watched == m_editor && event->type() == QEvent::FocusOut && m_edited != Metric::Count) {
        // Leaving is taking over, unless it is no target.
        commitTarget();
        if (m_invalid) closeEditor();
    }
    return QWidget::eventFilter(watched, event);
}

void ReadoutsView::leaveGib(bool keep) {
    if (keep)
        commitGib();
    else
        m_gibEdit->setText(gibText(m_gib));
    setFocus(Qt::OtherFocusReason);
}

std::optional<Metric> ReadoutsView::rowAt(const QPoint& at) const {
    for (const Metric m : rows()) {
        const int top = m_geometry.top[index(m)];
        if (at.y() >= top && at.y() < top + m_geometry.rowHeight) return m;
    }
    return std::nullopt;
}

void ReadoutsView::mousePressEvent(QMouseEvent* event) {
    const auto row = rowAt(event->pos());
    if (event->button() != Qt::LeftButton || !row) return QWidget::mousePressEvent(event);
    m_current = static_cast<int>(index(*row));
    if (targetRect(*row).contains(event->pos())) return editTarget(*row);
    setFocus(Qt::MouseFocusReason);
    update();
}

void ReadoutsView::mouseMoveEvent(QMouseEvent* event) {
    const auto row = rowAt(event->pos());
    const int hovered = row ? static_cast<int>(index(*row)) : -1;
    if (hovered == m_hovered) return;
    m_hovered = hovered;
    update();
}

void ReadoutsView::leaveEvent(QEvent* event) {
    m_hovered = -1;
    update();
    QWidget::leaveEvent(event);
}

void ReadoutsView::keyPressEvent(QKeyEvent* event) {
    const auto current = static_cast<Metric>(m_current);
    switch (event->key()) {
    case Qt::Key_Up:
    case Qt::Key_Down: {
        const int by = event->key() == Qt::Key_Up ? -1 : 1;
        m_current = std::clamp(m_current + by, 0, static_cast<int>(kMetrics) - 1);
        describe();
        return update();
    }
    case Qt::Key_Return:
    case Qt::Key_Enter:
    case Qt::Key_F2:
        return editTarget(current);
    case Qt::Key_Delete:
    case Qt::Key_Backspace:
        return setTarget(current, std::nullopt);
    default:
        QWidget::keyPressEvent(event);
    }
}

void ReadoutsView::focusInEvent(QFocusEvent* event) {
    QWidget::focusInEvent(event);
    update();
}

void ReadoutsView::focusOutEvent(QFocusEvent* event) {
    QWidget::focusOutEvent(event);
    update();
}

bool ReadoutsView::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip) return QWidget::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    if (const auto row = rowAt(help->pos()))
        QToolTip::showText(help->globalPos(), tip(*row), this);
    else
        QToolTip::hideText();
    return true;
}

void ReadoutsView::describe() {
    const auto current = static_cast<Metric>(m_current);
    const RowText text = rowText(current);
    QString words = text.name;
    if (current == Metric::Sequences) words += tr(" %1 GiB").arg(gibText(m_gib));
    if (!text.full.isEmpty()) words += tr(", full %1").arg(text.full);
    words += tr(", FastKV %1").arg(text.method);
    if (reading(current).pending) words += tr(", pending");
    if (!text.target.isEmpty()) words += tr(", target %1").arg(text.target);
    setAccessibleDescription(words);
}

} // namespace fkv::viz
