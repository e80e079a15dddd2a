// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/run/hide_fact.h"
#include "viz/theme/theme.h"

#include <QTimer>
#include <QWidget>
#include <functional>
#include <vector>

class QButtonGroup;
class QComboBox;
class QGridLayout;
class QLabel;
class QPushButton;
class QSpinBox;
class QToolButton;

namespace fkv::viz {
class ElidedLabel;
}

namespace fkv::app {

class DepthSlider;
class TextField;

/// "Hide a fact": which text, which fact, how deep. Shows where it would go; the button hides and
/// runs. Once hidden, moving the depth hides the same fact again, and so it does for the fact of a
/// sample.
class HideForm : public QWidget {
    Q_OBJECT
public:
    /// `current` gives the prompt that is being edited.
    HideForm(const viz::Theme& theme, std::function<PromptInput()> current, QWidget* parent);

    void setLibrary(const FactLibrary& library);
    /// The prompt is another one (a sample, a file); what was hidden is forgotten.
    void promptChanged();
    /// The same by typing: read when that rests, or when it is needed.
    void promptTyped();

    Fact fact() const;
    double depth() const;
    Place place() const;
    /// Why it cannot hide, or empty.
    QString fault() const;
    void hideNow();

Q_SIGNALS:
    /// Replace the prompt and run it. `title` names what was hidden.
    void hideRequested(const fkv::app::PromptInput& prompt, const QString& title);

protected:
    void showEvent(QShowEvent* event) override;

private:
    void setupText(QGridLayout* grid);
    void setupFact(QGridLayout* grid);
    void setupPlace(QGridLayout* grid);
    QLabel* addLabel(QGridLayout* grid, int row, const QString& text);

    const Haystack* haystack() const;         ///< null: the text itself
    const FactTemplate* factTemplate() const; ///< null: the text's own fact, or a typed one
    void fillFacts();
    void showFact(); ///< the fields that the chosen kind of fact needs
    void drawFact(); ///< other fillers
    void factChanged();
    void rebase();
    void preview();

    const viz::Theme& m_theme;
    std::function<PromptInput()> m_current;
    FactLibrary m_library;

    QByteArray m_base;
    std::vector<qsizetype> m_starts{0};
    QString m_baseFault;
    Fact m_textFact; ///< of the prompt, empty without a "fact" span
    double m_textDepth = 0.5;
    double m_depthBefore = 0.5; ///< the drag
    bool m_stale = true;        ///< m_base belongs to another prompt
    bool m_hidden = false;      ///< this fact is in the prompt: moving it hides it again
    bool m_kindChosen = false;  ///< the kind of fact, by the user
    QTimer m_rest;              ///< of typing
    std::mt19937 m_random;
    std::uint32_t m_seed = 1;

    QComboBox *m_text = nullptr, *m_kind = nullptr;
    QButtonGroup* m_length = nullptr;
    QWidget *m_lengths = nullptr, *m_fillerBox = nullptr, *m_ownBox = nullptr;
    QToolButton* m_another = nullptr;
    std::vector<QComboBox*> m_fillers;
    TextField *m_statement = nullptr, *m_question = nullptr, *m_answer = nullptr;
    DepthSlider* m_depth = nullptr;
    QSpinBox* m_distractors = nullptr;
    viz::ElidedLabel* m_where = nullptr;
    QLabel* m_preview = nullptr;
    QPushButton* m_hide = nullptr;
    std::vector<QLabel*> m_labels;
};

} // namespace fkv::app
