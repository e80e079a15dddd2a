// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/support/view_fixture.h"
#include "viz/plots/answers_panel.h"
#include "viz/plots/answers_view.h"

#include <QTest>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fkv::testing {

/// The id of a word is its hash, so that equal words are equal tokens.
inline std::shared_ptr<const trace::Answer>
answerOf(const std::vector<std::string>& words, trace::AnswerEnd end = trace::AnswerEnd::Count) {
    auto answer = std::make_shared<trace::Answer>();
    answer->end = end;
    for (const std::string& word : words)
        answer->tokens.push_back(
            {static_cast<std::int32_t>(std::hash<std::string>{}(word)&0xffff), word, 1.0});
    return answer;
}

/// The answers panel beside a run of 1,000 tokens whose answers differ at the third token.
struct AnswersStage {
    explicit AnswersStage(QSize size = {1000, 100})
        : f(SyntheticSpec{.tokens = 1000}), panel(f.context()) {
        f.selection.addSpan({400, 409}, QStringLiteral("fact"));
        panel.resize(size);
        panel.show();
        (void)QTest::qWaitForWindowExposed(&panel);
    }
    ~AnswersStage() {
        f.theme.setPresenter(false);
        f.theme.setChoice(viz::Theme::Choice::Light);
    }
    viz::AnswersView& view() { return panel.answers(); }
    const viz::AnswersContent& content() { return view().content(); }
    QPoint at(std::size_t column) {
        const viz::AnswersView::Geometry& g = view().geometry();
        return {g.left[column] + g.width[column] / 2, g.blocks[0].top + 4};
    }
    /// A run that differs from the one shown by what `change` does to a copy.
    template <class Change>
    trace::RunPtr changed(Change change) {
        auto run = std::make_shared<trace::Run>(*f.shown.run());
        change(*run);
        return run;
    }
    void moveTsp(double rate) {
        trace::Settings to = f.settings.settings();
        to.tsp = trace::Amount::ofRate(rate);
        f.move(to);
    }

    ViewFixture f;
    viz::AnswersPanel panel;
};

} // namespace fkv::testing
