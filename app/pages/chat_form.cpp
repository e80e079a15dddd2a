// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/pages/chat_form.h"

#include "app/pages/choice_button.h"
#include "app/pages/text_field.h"
#include "viz/plots/elided_label.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>

namespace fkv::app {

ChatForm::ChatForm(const viz::Theme& theme, QWidget* parent) : QWidget(parent), m_theme(theme) {
    setAccessibleName(tr("Chat template"));
    auto* rows = new QVBoxLayout(this);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(4);
    setupChoice();
    setupDetails();
    connect(&m_theme, &viz::Theme::changed, this, &ChatForm::applyTheme);
    applyTheme();
    refresh();
}

void ChatForm::setupChoice() {
    auto* line = new QHBoxLayout;
    line->setSpacing(0);
    m_label = new QLabel(tr("Template"), this);
    m_plain = new ChoiceButton(m_theme, tr("Raw"), this);
    m_plain->setAccessibleName(tr("Raw prompt: the text as it is"));
    m_chat = new ChoiceButton(m_theme, tr("Chat"), this);
    m_chat->setAccessibleName(tr("Chat: the text as a user's message, in the model's template"));
    m_note = new viz::ElidedLabel(this);
    m_note->setObjectName(QStringLiteral("chatNote"));
    line->addWidget(m_label);
    line->addSpacing(6);
    line->addWidget(m_plain);
    line->addWidget(m_chat);
    line->addSpacing(6);
    line->addWidget(m_note, 1);
    static_cast<QVBoxLayout*>(layout())->addLayout(line);
    connect(m_plain, &QToolButton::clicked, this, [this] { choose(false); });
    connect(m_chat, &QToolButton::clicked, this, [this] { choose(true); });
}

void ChatForm::setupDetails() {
    m_details = new QWidget(this);
    auto* line = new QHBoxLayout(m_details);
    line->setContentsMargins(0, 0, 0, 0);
    line->setSpacing(6);
    auto* label = new QLabel(tr("System"), m_details);
    m_system = new TextField(m_theme, tr("System message"), m_details);
    m_system->setPlaceholderText(tr("none"));
    label->setBuddy(m_system);
    m_see = new QToolButton(m_details);
    m_see->setText(tr("See prompt"));
    m_see->setAccessibleName(tr("See the rendered prompt"));
    m_see->setToolTip(tr("The prompt as the chat template makes it, in place of the text"));
    m_see->setCheckable(true);
    m_see->setFocusPolicy(Qt::TabFocus);
    line->addWidget(label);
    line->addWidget(m_system, 1);
    line->addWidget(m_see);
    layout()->addWidget(m_details);
    connect(m_system, &QLineEdit::textEdited, this, [this] {
        m_date.clear(); // of the recorded prompt, which this one no longer is
        Q_EMIT chatEdited();
    });
    connect(m_see, &QToolButton::toggled, this, &ChatForm::renderedToggled);
}

void ChatForm::setAvailable(bool available, const QString& reason) {
    const auto before = chat();
    m_available = available;
    m_reason = reason;
    refresh();
    if (chat() != before) Q_EMIT chatEdited();
}

void ChatForm::setChat(const std::optional<PromptInput::Chat>& chat) {
    const auto before = this->chat();
    m_chosen = chat.has_value();
    m_system->setText(chat ? chat->system : QString());
    m_system->setCursorPosition(0);
    m_date = chat ? chat->date : QString();
    refresh();
    if (this->chat() != before) Q_EMIT chatEdited();
}

std::optional<PromptInput::Chat> ChatForm::chat() const {
    if (!m_chosen || !m_available) return std::nullopt;
    return PromptInput::Chat{m_system->text(), m_date};
}

bool ChatForm::showsRendered() const {
    return chat() && m_see->isChecked();
}

void ChatForm::hideRendered() {
    m_see->setChecked(false);
}

void ChatForm::choose(bool chat) {
    const bool changed = m_chosen != chat;
    m_chosen = chat;
    if (changed) m_date.clear();
    refresh();
    if (changed) Q_EMIT chatEdited();
}

void ChatForm::refresh() {
    const bool chat = m_chosen && m_available;
    m_plain->setChecked(!chat);
    m_chat->setChecked(chat);
    m_chat->setEnabled(m_available);
    m_chat->setToolTip(m_available ? m_chat->accessibleName() : m_reason);
    m_plain->setToolTip(m_plain->accessibleName());
    m_note->setText(m_available ? QString() : m_reason);
    m_note->setToolTip(m_note->text());
    m_details->setVisible(chat);
    if (!chat) m_see->setChecked(false);
}

void ChatForm::applyTheme() {
    m_note->setFont(m_theme.smallFont());
    m_note->setColors(m_theme.palette().mutedText, m_theme.palette().mutedText);
}

} // namespace fkv::app
