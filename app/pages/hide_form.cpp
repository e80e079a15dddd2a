// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/pages/hide_form.h"

#include "app/pages/choice_button.h"
#include "app/pages/depth_slider.h"
#include "app/pages/focused_wheel.h"
#include "app/pages/text_field.h"
#include "viz/plots/elided_label.h"
#include "viz/series/format.h"

#include <QButtonGroup>
#include <QComboBox>
#include <QGridLayout>
#include <QLabel>
#include <QPushButton>
#include <QSpinBox>
#include <algorithm>

namespace fkv::app {
namespace {

// Entries of the list of facts that are no template.
constexpr int kTextFact = -1;
constexpr int kOwnFact = -2;
constexpr int kRestMs = 120; // a long text takes a while to read: not at every key
constexpr int kLengths[] = {1000, 3000, 7000};

void keepNarrow(QComboBox* box) {
    box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    box->setMinimumContentsLength(6);
    box->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    new FocusedWheel(box);
}

} // namespace

HideForm::HideForm(const viz::Theme& theme, std::function<PromptInput()> current, QWidget* parent)
    : QWidget(parent),
      m_theme(theme),
      m_current(std::move(current)),
      m_random(std::random_device{}()) {
    setAccessibleName(tr("Hide a fact"));
    auto* grid = new QGridLayout(this);
    grid->setContentsMargins(0, 2, 0, 2);
    grid->setHorizontalSpacing(6);
    grid->setVerticalSpacing(4);
    grid->setColumnStretch(1, 1);
    setupText(grid);
    setupFact(grid);
    setupPlace(grid);
    m_rest.setSingleShot(true);
    m_rest.setInterval(kRestMs);
    connect(&m_rest, &QTimer::timeout, this, [this] {
        if (m_stale && isVisible()) rebase();
    });
    fillFacts();
}

QLabel* HideForm::addLabel(QGridLayout* grid, int row, const QString& text) {
    auto* label = new QLabel(text, this);
    m_labels.push_back(label);
    grid->addWidget(label, row, 0);
    return label;
}

void HideForm::setupText(QGridLayout* grid) {
    m_text = new QComboBox(this);
    m_text->setAccessibleName(tr("Text to hide it in"));
    m_text->addItem(tr("This text"));
    keepNarrow(m_text);
    addLabel(grid, 0, tr("In"));
    grid->addWidget(m_text, 0, 1);
    m_lengths = new QWidget(this);
    auto* line = new QHBoxLayout(m_lengths);
    line->setContentsMargins(0, 0, 0, 0);
    line->setSpacing(1);
    m_length = new QButtonGroup(this);
    for (const int tokens : kLengths) {
        auto* choice = new ChoiceButton(m_theme, tr("%1K").arg(tokens / 1000), m_lengths);
        choice->setAccessibleName(tr("about %1 tokens").arg(viz::formatCount(tokens)));
        choice->setChecked(tokens == kLengths[0]);
        m_length->addButton(choice, tokens);
        line->addWidget(choice);
    }
    auto* unit = new QLabel(tr("tokens"), m_lengths);
    unit->setForegroundRole(QPalette::PlaceholderText);
    line->addWidget(unit);
    line->addStretch(1);
    grid->addWidget(m_lengths, 1, 1);
    const auto changed = [this] {
        m_hidden = false;
        rebase();
    };
    connect(m_text, &QComboBox::activated, this, [this, changed] {
        fillFacts();
        changed();
    });
    connect(m_length, &QButtonGroup::idClicked, this, changed);
}

void HideForm::setupFact(QGridLayout* grid) {
    m_kind = new QComboBox(this);
    m_kind->setAccessibleName(tr("Kind of fact"));
    keepNarrow(m_kind);
    m_another = new QToolButton(this);
    m_another->setText(QStringLiteral("⟳"));
    m_another->setAccessibleName(tr("Another one of this kind"));
    m_another->setToolTip(m_another->accessibleName());
    m_another->setFocusPolicy(Qt::TabFocus);
    auto* line = new QHBoxLayout;
    line->setSpacing(4);
    line->addWidget(m_kind, 1);
    line->addWidget(m_another);
    addLabel(grid, 2, tr("Fact"));
    grid->addLayout(line, 2, 1);
    m_fillerBox = new QWidget(this);
    new QGridLayout(m_fillerBox);
    grid->addWidget(m_fillerBox, 3, 0, 1, 2);
    m_ownBox = new QWidget(this);
    auto* own = new QVBoxLayout(m_ownBox);
    own->setContentsMargins(0, 0, 0, 0);
    own->setSpacing(3);
    m_statement = new TextField(m_theme, tr("A sentence to hide"), m_ownBox);
    m_question = new TextField(m_theme, tr("The question about it"), m_ownBox);
    m_answer = new TextField(m_theme, tr("The expected answer"), m_ownBox);
    for (TextField* field : {m_statement, m_question, m_answer}) {
        own->addWidget(field);
        connect(field, &QLineEdit::textEdited, this, &HideForm::factChanged);
    }
    grid->addWidget(m_ownBox, 4, 0, 1, 2);
    connect(m_kind, &QComboBox::activated, this, [this] {
        m_kindChosen = true;
        drawFact();
        showFact();
        factChanged();
    });
    connect(m_another, &QToolButton::clicked, this, [this] {
        drawFact();
        factChanged();
    });
}

void HideForm::setupPlace(QGridLayout* grid) {
    addLabel(grid, 5, tr("Depth"));
    m_where = new viz::ElidedLabel(this);
    grid->addWidget(m_where, 5, 1);
    m_depth = new DepthSlider(m_theme, this);
    m_depth->setAccessibleName(tr("Depth of the fact"));
    grid->addWidget(m_depth, 6, 0, 1, 2);
    m_preview = new QLabel(this);
    m_preview->setWordWrap(true);
    m_preview->setTextFormat(Qt::RichText);
    m_preview->setAlignment(Qt::AlignLeft | Qt::AlignTop);
    m_preview->setAccessibleName(tr("Where it goes"));
    grid->addWidget(m_preview, 7, 0, 1, 2);
    m_distractors = new QSpinBox(this);
    m_distractors->setRange(0, 8);
    m_distractors->setAccessibleName(tr("Similar facts that answer something else"));
    new FocusedWheel(m_distractors);
    auto* line = new QHBoxLayout;
    line->setSpacing(6);
    line->addWidget(m_distractors);
    auto* label = new QLabel(tr("similar facts"), this);
    m_labels.push_back(label);
    label->setToolTip(m_distractors->accessibleName());
    line->addWidget(label);
    line->addStretch(1);
    m_hide = new QPushButton(tr("Hide and run"), this);
    m_hide->setAutoDefault(false);
    line->addWidget(m_hide);
    grid->addLayout(line, 8, 0, 1, 2);
    connect(m_distractors, &QSpinBox::valueChanged, this, [this] { m_hidden = false; });
    connect(m_hide, &QPushButton::clicked, this, &HideForm::hideNow);
    connect(m_depth, &PaintedSlider::moved, this, &HideForm::preview);
    connect(m_depth, &PaintedSlider::gestureEnded, this, [this] {
        if (m_hidden && fault().isEmpty()) hideNow();
    });
    // The depth before the drag is that of the prompt.
    connect(m_depth, &PaintedSlider::gestureCancelled, this, [this] {
        m_depth->setDepth(m_depthBefore);
        preview();
    });
    connect(m_depth, &PaintedSlider::gestureBegan, this, [this] {
        if (m_stale) rebase();
        m_depthBefore = m_depth->depth();
    });
}

void HideForm::setLibrary(const FactLibrary& library) {
    m_library = library;
    while (m_text->count() > 1)
        m_text->removeItem(1);
    for (const Haystack& haystack : m_library.haystacks) {
        // "Book: Chapter" is too long for the column: the chapter names it, the rest is in the tip.
        m_text->addItem(haystack.title.section(QStringLiteral(": "), -1));
        m_text->setItemData(m_text->count() - 1,
                            haystack.author.isEmpty()
                                ? haystack.title
                                : tr("%1, by %2").arg(haystack.title, haystack.author),
                            Qt::ToolTipRole);
    }
    fillFacts();
    m_stale = true;
    if (isVisible()) rebase();
}

void HideForm::promptChanged() {
    promptTyped();
    if (isVisible()) rebase();
}

void HideForm::promptTyped() {
    m_stale = true;
    m_hidden = false;
    m_kindChosen = m_kindChosen && m_kind->currentData().toInt() != kTextFact;
    if (isVisible()) m_rest.start();
}

void HideForm::showEvent(QShowEvent*) {
    if (m_stale) rebase();
}

const Haystack* HideForm::haystack() const {
    const auto i = static_cast<std::size_t>(std::max(m_text->currentIndex(), 0));
    return i >= 1 && i <= m_library.haystacks.size() ? &m_library.haystacks[i - 1] : nullptr;
}

const FactTemplate* HideForm::factTemplate() const {
    const int kind = m_kind->currentData().toInt();
    return kind >= 0 && kind < static_cast<int>(m_library.templates.size())
               ? &m_library.templates[static_cast<std::size_t>(kind)]
               : nullptr;
}

void HideForm::fillFacts() {
    // The first kind unless another one was chosen: what the text itself hides, if anything.
    const QVariant before = m_kindChosen ? m_kind->currentData() : QVariant();
    const bool textHasFact = !haystack() && !m_textFact.statement.isEmpty();
    m_kind->clear();
    if (textHasFact) m_kind->addItem(tr("The fact in this text"), kTextFact);
    for (std::size_t i = 0; i < m_library.templates.size(); ++i)
        m_kind->addItem(m_library.templates[i].title, static_cast<int>(i));
    m_kind->addItem(tr("Own sentence…"), kOwnFact);
    const int again = before.isValid() ? m_kind->findData(before) : -1;
    m_kind->setCurrentIndex(std::max(again, 0));
    if (again < 0) drawFact();
    showFact();
}

void HideForm::showFact() {
    const FactTemplate* pattern = factTemplate();
    m_ownBox->setVisible(m_kind->currentData().toInt() == kOwnFact);
    m_fillerBox->setVisible(pattern != nullptr);
    m_another->setVisible(pattern != nullptr);
    m_lengths->setVisible(haystack() != nullptr);
}

void HideForm::drawFact() {
    qDeleteAll(m_fillerBox->findChildren<QWidget*>(Qt::FindDirectChildrenOnly));
    m_fillers.clear();
    m_seed = m_random();
    const FactTemplate* pattern = factTemplate();
    if (!pattern) return;
    auto* grid = static_cast<QGridLayout*>(m_fillerBox->layout());
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setHorizontalSpacing(6);
    grid->setVerticalSpacing(3);
    grid->setColumnStretch(1, 1);
    const FillerValues values = randomValues(*pattern, m_random);
    for (std::size_t i = 0; i < pattern->fillers.size(); ++i) {
        const FactTemplate::Filler& filler = pattern->fillers[i];
        auto* label = new QLabel(filler.name, m_fillerBox);
        label->setForegroundRole(QPalette::PlaceholderText);
        auto* box = new QComboBox(m_fillerBox);
        box->setEditable(true);
        box->setInsertPolicy(QComboBox::NoInsert);
        box->addItems(filler.values);
        box->setCurrentText(values[filler.name]);
        box->setAccessibleName(filler.name);
        keepNarrow(box);
        grid->addWidget(label, static_cast<int>(i), 0);
        grid->addWidget(box, static_cast<int>(i), 1);
        m_fillers.push_back(box);
        connect(box, &QComboBox::currentTextChanged, this, &HideForm::factChanged);
    }
}

void HideForm::factChanged() {
    // The text's own fact is hidden already: only its place can change.
    m_hidden = m_kind->currentData().toInt() == kTextFact && m_distractors->value() == 0;
    if (m_hidden) m_depth->setDepth(m_textDepth);
    preview();
}

Fact HideForm::fact() const {
    if (const FactTemplate* pattern = factTemplate()) {
        FillerValues values;
        for (std::size_t i = 0; i < m_fillers.size() && i < pattern->fillers.size(); ++i)
            values[pattern->fillers[i].name] = m_fillers[i]->currentText().trimmed();
        return fill(*pattern, values);
    }
    if (m_kind->currentData().toInt() == kTextFact) return m_textFact;
    return {m_statement->text().trimmed(), m_question->text().trimmed(),
            m_answer->text().trimmed()};
}

double HideForm::depth() const {
    return m_depth->depth();
}
Place HideForm::place() const {
    return placeFor(m_starts, m_base.size(), m_depth->depth());
}

QString HideForm::fault() const {
    if (!m_baseFault.isEmpty()) return m_baseFault;
    const Fact now = fact();
    if (now.statement.isEmpty()) return tr("Type a sentence to hide.");
    if (now.question.isEmpty()) return tr("Type a question about it.");
    for (const QComboBox* filler : m_fillers)
        if (filler->currentText().trimmed().isEmpty())
            return tr("Nothing given for “%1”.").arg(filler->accessibleName());
    return {};
}

} // namespace fkv::app
