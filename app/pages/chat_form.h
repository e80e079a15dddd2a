// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/run/prompt_input.h"
#include "viz/theme/theme.h"

#include <QWidget>

class QLabel;
class QToolButton;

namespace fkv::viz {
class ElidedLabel;
}

namespace fkv::app {

class ChoiceButton;
class TextField;

/// How the prompt page's text becomes the prompt: as it is, or as a user's message that the model's
/// chat template puts into its own form, with a system message before it. Says why a model has no
/// chat.
class ChatForm : public QWidget {
    Q_OBJECT
public:
    ChatForm(const viz::Theme& theme, QWidget* parent);

    /// Empty `reason`: the model has a template. Without one the choice stays for the next model.
    void setAvailable(bool available, const QString& reason);
    /// What a recorded prompt was made with.
    void setChat(const std::optional<PromptInput::Chat>& chat);
    /// Absent: the text is the prompt, by choice or because the model has no template.
    std::optional<PromptInput::Chat> chat() const;
    /// The rendered prompt is to be seen in place of the text.
    bool showsRendered() const;
    void hideRendered();

Q_SIGNALS:
    void chatEdited();      ///< chat() changed
    void renderedToggled(); ///< showsRendered() changed

private:
    void setupChoice();
    void setupDetails();
    void choose(bool chat);
    void refresh();
    void applyTheme();

    const viz::Theme& m_theme;
    bool m_chosen = false;
    bool m_available = false;
    QString m_reason, m_date;
    QLabel* m_label;
    ChoiceButton *m_plain, *m_chat;
    viz::ElidedLabel* m_note;
    QWidget* m_details;
    TextField* m_system;
    QToolButton* m_see;
};

} // namespace fkv::app
