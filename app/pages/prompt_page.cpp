// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/pages/prompt_page.h"

#include "app/pages/chat_form.h"
#include "app/pages/text_field.h"
#include "app/run/rendered_chat.h"
#include "engine/core/error.h"
#include "viz/plots/elided_label.h"
#include "viz/series/format.h"

#include <QLabel>
#include <QPushButton>
#include <QScopedValueRollback>
#include <QScrollArea>
#include <QToolButton>
#include <QVBoxLayout>

namespace fkv::app {
namespace {

/// As high as what it holds, so that it scrolls only where there is no room; QScrollArea remembers
/// the first height it saw.
class FormArea : public QScrollArea {
public:
    using QScrollArea::QScrollArea;
    QSize sizeHint() const override {
        const QLayout* form = widget()->layout();
        const int wide = std::max(viewport()->width(), form->minimumSize().width());
        return {wide, form->hasHeightForWidth() ? form->totalHeightForWidth(wide)
                                                : form->totalSizeHint().height()};
    }
};

} // namespace

PromptPage::PromptPage(const viz::ViewContext& context, QWidget* parent)
    : QWidget(parent), m_context(context) {
    setObjectName(QStringLiteral("prompt"));
    setAccessibleName(tr("Prompt"));
    auto* rows = new QVBoxLayout(this);
    rows->setContentsMargins(8, 6, 8, 6);
    rows->setSpacing(4);
    setupHead();
    setupChat();
    setupText();
    setupHide();
    setupRun();
    m_countDelay.setSingleShot(true);
    m_countDelay.setInterval(kCountDelayMs);
    connect(&m_countDelay, &QTimer::timeout, this, &PromptPage::requestCount);
    connect(&m_context.theme, &viz::Theme::changed, this, &PromptPage::applyTheme);
    applyTheme();
    refreshHead();
    refreshCount();
}

void PromptPage::setupHead() {
    m_titleLabel = new QLabel(this);
    m_warning = new QLabel(tr("✖ FastKV loses the answer at its defaults."), this);
    m_descriptionLabel = new QLabel(this);
    for (QLabel* label : {m_titleLabel, m_warning, m_descriptionLabel}) {
        label->setWordWrap(true);
        label->setTextFormat(Qt::PlainText);
        label->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
        layout()->addWidget(label);
    }
    m_descriptionLabel->setForegroundRole(QPalette::PlaceholderText);
}

void PromptPage::setupChat() {
    m_chat = new ChatForm(m_context.theme, this);
    layout()->addWidget(m_chat);
    setChatSupport({nullptr, tr("no model is open").toStdString()});
}

void PromptPage::setupText() {
    auto* rows = static_cast<QVBoxLayout*>(layout());
    m_editor = new PromptEditor(m_context.theme, this);
    rows->addWidget(m_editor, 1);
    m_rendered = new PromptEditor(m_context.theme, this);
    m_rendered->setReadOnly(true);
    m_rendered->setAccessibleName(tr("Rendered prompt"));
    m_rendered->hide();
    rows->addWidget(m_rendered, 1);
    connect(m_chat, &ChatForm::chatEdited, this, &PromptPage::onEdited);
    connect(m_chat, &ChatForm::renderedToggled, this, &PromptPage::showRendered);
    connect(m_rendered, &PromptEditor::runRequested, this, &PromptPage::run);
    m_count = new viz::ElidedLabel(this);
    m_count->setObjectName(QStringLiteral("tokenCount"));
    rows->addWidget(m_count);
    m_fitLabel = new viz::ElidedLabel(this);
    m_fitLabel->setObjectName(QStringLiteral("promptFit"));
    rows->addWidget(m_fitLabel);
    auto* line = new QHBoxLayout;
    line->setSpacing(6);
    auto* label = new QLabel(tr("Expected"), this);
    m_expected = new TextField(m_context.theme, tr("Expected answer"), this);
    m_expected->setPlaceholderText(tr("answer, if known"));
    label->setBuddy(m_expected);
    line->addWidget(label);
    line->addWidget(m_expected, 1);
    rows->addLayout(line);
    connect(m_editor, &PromptEditor::textEdited, this, [this] {
        m_edited = true;
        m_hide->promptTyped();
        onEdited();
    });
    connect(m_editor, &PromptEditor::runRequested, this, &PromptPage::run);
    connect(m_editor, &PromptEditor::readyChanged, this, &PromptPage::refreshCount);
    connect(m_expected, &QLineEdit::textEdited, this, [this] {
        m_hide->promptTyped();
        Q_EMIT promptEdited();
    });
    connect(m_expected, &QLineEdit::returnPressed, this, &PromptPage::run);
}

void PromptPage::setChatSupport(const text::ChatSupport& support) {
    m_support = support;
    m_chat->setAvailable(support.chat != nullptr, QString::fromStdString(support.reason));
}

void PromptPage::setChat(const std::optional<PromptInput::Chat>& chat) {
    m_chat->setChat(chat);
}

void PromptPage::showRendered() {
    const bool shows = m_chat->showsRendered();
    if (shows && !m_rendered->isVisibleTo(this)) render();
    m_editor->setVisible(!shows);
    m_rendered->setVisible(shows);
}

void PromptPage::render() {
    const PromptInput input = prompt();
    try {
        const std::string rendered = renderedChat(input, m_support).text;
        const QByteArray typed = input.text.toUtf8();
        std::vector<PromptInput::Span> spans;
        if (const auto shift =
                text::shiftOf(rendered, {typed.data(), static_cast<std::size_t>(typed.size())}))
            for (PromptInput::Span span : input.spans) {
                span.byteBegin += static_cast<qsizetype>(*shift);
                span.byteEnd += static_cast<qsizetype>(*shift);
                spans.push_back(std::move(span));
            }
        m_rendered->setPrompt(QString::fromStdString(rendered), spans);
    } catch (const Error& error) {
        m_rendered->setPrompt(QString::fromStdString(error.what()), {});
    }
}

void PromptPage::setupHide() {
    auto* rows = static_cast<QVBoxLayout*>(layout());
    m_hideToggle = new QToolButton(this);
    m_hideToggle->setText(tr("Hide a fact"));
    m_hideToggle->setCheckable(true);
    m_hideToggle->setArrowType(Qt::RightArrow);
    m_hideToggle->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_hideToggle->setAutoRaise(true);
    m_hideToggle->setFocusPolicy(Qt::TabFocus);
    rows->addWidget(m_hideToggle, 0, Qt::AlignLeft);
    m_hide = new HideForm(
        m_context.theme, [this] { return prompt(); }, this);
    m_hideArea = new FormArea(this);
    m_hideArea->setWidget(m_hide);
    m_hideArea->setWidgetResizable(true);
    m_hideArea->setFrameShape(QFrame::NoFrame);
    m_hideArea->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_hideArea->setFocusPolicy(Qt::NoFocus);
    m_hideArea->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
    m_hideArea->hide();
    m_hide->installEventFilter(this);
    rows->addWidget(m_hideArea);
    connect(m_hideToggle, &QToolButton::toggled, this, &PromptPage::openHideForm);
    connect(m_hide, &HideForm::hideRequested, this,
            [this](const PromptInput& hidden, const QString& title) {
                {
                    const QScopedValueRollback<bool> setting(m_setting, true);
                    setPrompt(hidden, title);
                    m_editor->revealSpan(QStringLiteral("fact"));
                }
                run();
            });
}

void PromptPage::setupRun() {
    m_run = new QPushButton(tr("Run (Ctrl+Enter)"), this);
    m_run->setAutoDefault(false);
    layout()->addWidget(m_run);
    connect(m_run, &QPushButton::clicked, this, &PromptPage::run);
}

void PromptPage::setPrompt(const PromptInput& prompt, const QString& title,
                           const QString& description) {
    m_editor->setPrompt(prompt.text, prompt.spans);
    m_expected->setText(prompt.expected);
    m_expected->setCursorPosition(0);
    m_title = title;
    m_description = description;
    m_sampleId = prompt.sampleId;
    m_knownFailure = false;
    m_edited = false;
    if (!m_setting) m_hide->promptChanged();
    refreshHead();
    onEdited();
}

void PromptPage::showSample(const Sample& sample) {
    const PromptInput input = promptOf(sample);
    setPrompt(input, sample.title, sample.description);
    m_knownFailure = sample.knownFailure;
    refreshHead();
}

PromptInput PromptPage::prompt() const {
    PromptInput input;
    input.text = m_editor->text();
    input.spans = byteSpans(input.text, m_editor->tracked());
    input.expected = m_expected->text().trimmed();
    input.chat = m_chat->chat();
    if (!m_edited) input.sampleId = m_sampleId;
    return input;
}

void PromptPage::setBlocked(const QString& reason) {
    if (reason == m_blocked) return;
    m_blocked = reason;
    refreshCount();
}

QString PromptPage::runFault() const {
    if (!m_blocked.isEmpty()) return m_blocked;
    if (m_editor->isEmpty()) return tr("There is no text: type one or choose a sample.");
    if (!m_countError.isEmpty()) return m_countError;
    if (m_tokens >= 0 && m_limit > 0 && m_tokens > m_limit)
        return tr("%1 tokens, %2 more than the model takes.")
            .arg(viz::formatCount(m_tokens), viz::formatCount(m_tokens - m_limit));
    return {};
}

void PromptPage::run() {
    if (runFault().isEmpty()) Q_EMIT runRequested(prompt());
}

void PromptPage::openHideForm(bool open) {
    m_hideToggle->setChecked(open);
    m_hideToggle->setArrowType(open ? Qt::DownArrow : Qt::RightArrow);
    m_hideArea->setVisible(open);
    if (open) revealFact();
    m_descriptionLabel->setVisible(!open && !m_descriptionLabel->text().isEmpty());
}

void PromptPage::revealFact() {
    // After the layout: the editor changes its height with what stands around it.
    QTimer::singleShot(0, m_editor, [this] { m_editor->revealSpan(QStringLiteral("fact")); });
}

bool PromptPage::eventFilter(QObject* watched, QEvent* event) {
    // A scroll area does not tell its layout that what it holds wants another height.
    if (watched == m_hide && event->type() == QEvent::LayoutRequest) m_hideArea->updateGeometry();
    return QWidget::eventFilter(watched, event);
}

void PromptPage::onEdited() {
    m_countError.clear();
    m_tokens = -1;
    m_fit = {};
    m_counting = true;
    m_countDelay.start();
    showRendered();
    refreshHead();
    refreshCount();
    Q_EMIT promptEdited();
}

void PromptPage::recount() {
    requestCount();
}

void PromptPage::requestCount() {
    m_countDelay.stop();
    m_counting = true;
    if (m_chat->showsRendered()) render();
    Q_EMIT countRequested(prompt(), ++m_countId);
}

void PromptPage::setCount(quint64 id, qint64 tokens, qint64 limit, const QString& error) {
    if (id != m_countId || m_countDelay.isActive()) return;
    m_counting = false;
    m_tokens = error.isEmpty() ? tokens : -1;
    m_limit = limit;
    m_countError = error;
    refreshCount();
    refit();
}

void PromptPage::refit() {
    if (m_tokens >= 0 && runFault().isEmpty()) Q_EMIT fitRequested(m_tokens, m_countId);
}

void PromptPage::setFit(quint64 id, const PromptFit& fit) {
    if (id != m_countId || m_countDelay.isActive()) return;
    m_fit = fitWords(fit);
    refreshFit();
}

void PromptPage::refreshFit() {
    const viz::Palette& colours = m_context.theme.palette();
    // What is wrong with the prompt itself comes first.
    const bool known = runFault().isEmpty() && m_tokens >= 0;
    m_fitLabel->setText(known ? m_fit.text : QString());
    m_fitLabel->setShorter(m_fit.shorter);
    m_fitLabel->setToolTip(known ? m_fit.tip : QString());
    m_fitLabel->setAccessibleName(m_fitLabel->text());
    m_fitLabel->setAccessibleDescription(m_fitLabel->toolTip());
    m_fitLabel->setColors(m_fit.level == FitWords::Level::Fits       ? colours.mutedText
                          : m_fit.level == FitWords::Level::TooLarge ? colours.lost
                                                                     : colours.text,
                          colours.mutedText);
}

void PromptPage::refreshHead() {
    const bool fromElsewhere = !m_title.isEmpty();
    m_titleLabel->setText(!fromElsewhere ? tr("Your text")
                          : m_edited     ? tr("Edited: %1").arg(m_title)
                                         : m_title);
    m_warning->setVisible(m_knownFailure && !m_edited);
    m_descriptionLabel->setText(m_edited ? QString() : m_description);
    m_descriptionLabel->setVisible(!m_descriptionLabel->text().isEmpty() &&
                                   !m_hideToggle->isChecked());
}

void PromptPage::refreshCount() {
    const viz::Palette& colours = m_context.theme.palette();
    const QString fault = runFault();
    QString text = fault;
    if (fault.isEmpty()) {
        text =
            m_tokens < 0 ? (m_counting ? tr("counting tokens…") : QString())
            : m_limit > 0
                ? tr("%1 tokens of %2").arg(viz::formatCount(m_tokens), viz::formatCount(m_limit))
                : tr("%1 tokens").arg(viz::formatCount(m_tokens));
        if (!m_editor->ready())
            text += tr(" · opening, read only for a moment");
        else if (m_editor->folded())
            text += tr(" · very long lines: folded, read only");
    }
    const bool bad = !fault.isEmpty() && !m_editor->isEmpty() && m_blocked.isEmpty();
    m_count->setText(text);
    m_count->setToolTip(text);
    m_count->setAccessibleName(text);
    m_count->setColors(bad ? colours.lost : colours.mutedText, colours.mutedText);
    m_run->setEnabled(fault.isEmpty());
    m_run->setToolTip(fault.isEmpty() ? tr("Analyse this prompt") : fault);
    refreshFit();
    Q_EMIT runnableChanged();
}

QSize PromptPage::minimumSizeHint() const {
    return {m_context.theme.scaled(200),
            std::min(QWidget::minimumSizeHint().height(), m_context.theme.scaled(330))};
}

void PromptPage::applyTheme() {
    const viz::Theme& theme = m_context.theme;
    QFont bold = theme.font();
    bold.setBold(true);
    m_titleLabel->setFont(bold);
    m_descriptionLabel->setFont(theme.smallFont());
    m_warning->setFont(theme.smallFont());
    m_count->setFont(theme.smallFont());
    m_fitLabel->setFont(theme.smallFont());
    QPalette palette = this->palette();
    palette.setColor(QPalette::WindowText, theme.palette().lost);
    m_warning->setPalette(palette);
    for (PromptEditor* editor : {m_editor, m_rendered})
        editor->setMinimumHeight(theme.scaled(72));
    m_hideArea->setMinimumHeight(theme.scaled(90));
    refreshCount();
}

} // namespace fkv::app
