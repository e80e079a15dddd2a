// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/pages/fit_words.h"
#include "app/pages/hide_form.h"
#include "app/pages/prompt_editor.h"
#include "app/run/samples.h"
#include "engine/text/chat_template.h"
#include "viz/state/view_context.h"

#include <QTimer>
#include <QWidget>

class QLabel;
class QPushButton;
class QScrollArea;
class QToolButton;

namespace fkv::viz {
class ElidedLabel;
}

namespace fkv::app {

class ChatForm;
class TextField;

/// The prompt to run: a text, the answer one expects of it, and "Hide a fact". Counts tokens as one
/// types by asking for them; says why it cannot run.
class PromptPage : public QWidget {
    Q_OBJECT
public:
    explicit PromptPage(const viz::ViewContext& context, QWidget* parent = nullptr);

    /// A prompt from elsewhere: a file, a trace. `title` and `description` may be empty.
    void setPrompt(const PromptInput& prompt, const QString& title = {},
                   const QString& description = {});
    /// Throws Error{NotFound, Io, BadFile}; the page is as it was then.
    void showSample(const Sample& sample);
    void setLibrary(const FactLibrary& library) { m_hide->setLibrary(library); }

    /// The open model's chat template, or why there is none.
    void setChatSupport(const text::ChatSupport& support);
    /// How a recorded prompt was made; a text from elsewhere leaves the choice as it is.
    void setChat(const std::optional<PromptInput::Chat>& chat);

    /// As it would be run; `sampleId` only while the text is the sample's.
    PromptInput prompt() const;
    /// A reason of the program's why nothing can be run ("no model is open"), or empty.
    void setBlocked(const QString& reason);
    /// Why it cannot be run now, or empty: blocked, no text, too long.
    QString runFault() const;
    /// Emits runRequested() when it can be run.
    void run();

    PromptEditor& editor() { return *m_editor; }
    HideForm& hideForm() { return *m_hide; }
    ChatForm& chatForm() { return *m_chat; }
    /// The rendered prompt, where it is shown in place of the text.
    PromptEditor& rendered() { return *m_rendered; }
    void openHideForm(bool open);

    QSize minimumSizeHint() const override;

public Q_SLOTS:
    /// The answer to countRequested(): tokens with BOS, the model's limit, or why there is no
    /// count. Older ids are ignored.
    void setCount(quint64 id, qint64 tokens, qint64 limit, const QString& error);
    /// The answer to fitRequested().
    void setFit(quint64 id, const fkv::app::PromptFit& fit);
    /// Asks again: another model counts otherwise.
    void recount();
    /// Asks again for the fit alone: other settings need other memory.
    void refit();

Q_SIGNALS:
    void runRequested(const fkv::app::PromptInput& prompt);
    /// When one has stopped typing, and at recount().
    void countRequested(const fkv::app::PromptInput& prompt, quint64 id);
    /// A prompt of so many tokens is there: what does a run need? The answer is setFit().
    void fitRequested(qint64 tokens, quint64 id);
    void runnableChanged(); ///< runFault() may have changed
    /// prompt() changed, by the user or from elsewhere. At every key: putting a prompt of several
    /// MB together takes longer than that, so wait for countRequested() to look at it.
    void promptEdited();

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void setupHead();
    void setupText();
    void setupChat();
    void setupHide();
    void setupRun();
    void showRendered();
    void render();
    void revealFact();
    void onEdited();
    void requestCount();
    void refreshHead();
    void refreshCount();
    void refreshFit();
    void applyTheme();

    static constexpr int kCountDelayMs = 150;

    viz::ViewContext m_context;
    QString m_title, m_description, m_sampleId, m_blocked;
    bool m_knownFailure = false;
    bool m_setting = false;
    bool m_edited = false;
    QTimer m_countDelay;
    quint64 m_countId = 0;
    qint64 m_tokens = -1, m_limit = 0; ///< -1: not counted yet
    QString m_countError;
    bool m_counting = false;

    QLabel *m_titleLabel, *m_warning, *m_descriptionLabel;
    ChatForm* m_chat;
    PromptEditor *m_editor, *m_rendered;
    text::ChatSupport m_support;
    viz::ElidedLabel *m_count, *m_fitLabel;
    FitWords m_fit;
    TextField* m_expected;
    QToolButton* m_hideToggle;
    QScrollArea* m_hideArea;
    HideForm* m_hide;
    QPushButton* m_run;
};

} // namespace fkv::app
