// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/resources.h"
#include "app/run/controller.h"
#include "app/run/samples.h"
#include "app/window/workspace.h"

#include <QSignalSpy>
#include <QTest>
#include <memory>

namespace fkv::testing {

/// Longest wait for anything of the demo model, sanitizers and busy machines included; not a measure of
/// speed.
inline constexpr int kPatienceMs = 300000;

inline QString demoModel() {
    return QStringLiteral(FKV_RESOURCES "/models/demo");
}

/// A sample by its place in the list: text, expected answer and spans.
inline app::PromptInput samplePrompt(std::size_t index) {
    return app::promptOf(
        app::loadSamples(QStringLiteral(FKV_RESOURCES "/prompts")).samples.at(index));
}

/// Waits until nothing is under way. False after kPatienceMs.
inline bool settle(app::Controller& controller) {
    return QTest::qWaitFor([&controller] { return controller.settled(); }, kPatienceMs);
}

/// The demo model with the first sample analysed.
inline bool startDemo(app::Workspace& workspace, const app::PromptInput& prompt = samplePrompt(0)) {
    workspace.controller.setPrompt(prompt);
    workspace.controller.openModel(demoModel());
    return settle(workspace.controller) && workspace.shown.phase() == viz::Shown::Phase::Done;
}

inline bool answerHolds(const trace::Run& run) {
    return run.fastkvAnswer && run.fastkvAnswer->firstLine() == run.prompt->expected;
}

} // namespace fkv::testing
