// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/pages/layer_slider.h"
#include "app/pages/settings_page.h"
#include "engine/select/budgets.h"
#include "tests/support/view_fixture.h"
#include "viz/series/format.h"

#include <QTest>
#include <QWheelEvent>
#include <memory>

namespace fkv::testing {

/// A settings page beside a run of 1,447 tokens, in an active window; the fate follows the settings
/// as it does in the program.
class SettingsFixture : public ViewFixture {
public:
    SettingsFixture() {
        showTokens(1447);
        theme.apply();
        QObject::connect(&settings, &viz::SettingsModel::changed, &shown, [this] { follow(); });
        page = std::make_unique<app::SettingsPage>(context());
        page->resize(248, 340);
        page->show();
        if (!QTest::qWaitForWindowActive(page.get())) qFatal("the window does not become active");
    }

    /// Another prompt under the same settings.
    void showTokens(std::int64_t tokens) {
        SyntheticSpec spec{.tokens = tokens, .rerun = false, .answers = false};
        if (shown.run()) spec.settings = settings.settings();
        auto run = std::make_shared<trace::Run>(*makeRun(spec));
        run->counters.checkpointLayers = {1, 3, 5, 7, 9, 11, 13, 15};
        if (!shown.run()) settings.reset(select::defaultSettings(run->model.layers));
        shown.setRun(run, select::computeFate(*run, settings.settings()));
    }
    void follow() {
        // Another window, kernel or pooling needs the engine to score again.
        const bool scored =
            shown.run() && shown.fate() && settings.settings().sameScoring(shown.fate()->settings);
        if (!scored) return;
        shown.setFate(
            select::computeFate(*shown.run(), settings.settings(), nullptr, shown.fate()));
    }
    trace::Budgets budgets() const {
        return select::computeBudgets(settings.settings(), shown.run()->model,
                                      shown.run()->tokens());
    }

    app::NumberField& field(app::SettingsField which) {
        using enum app::SettingsField;
        using app::AmountEditor;
        switch (which) {
        case TspPercent:
            return page->tsp().field(AmountEditor::Percent);
        case TspTokens:
            return page->tsp().field(AmountEditor::Tokens);
        case KvPercent:
            return page->kv().field(AmountEditor::Percent);
        case KvTokens:
            return page->kv().field(AmountEditor::Tokens);
        case KvMiB:
            return page->kv().field(AmountEditor::MiB);
        case TspLayer:
            return named(QStringLiteral("tspLayerField"));
        case Window:
            return named(QStringLiteral("windowField"));
        case Kernel:
            return named(QStringLiteral("kernelField"));
        case Generate:
        case Temperature:
        case TopK:
        case TopP:
        case Seed:
            return page->decoding().field(which);
        }
        qFatal("no such field");
    }
    /// Types into a field as a user does: click, select, keys, Enter.
    void type(app::NumberField& target, const QString& text) {
        QTest::mouseClick(&target, Qt::LeftButton);
        QTest::keyClick(&target, Qt::Key_A, Qt::ControlModifier);
        QTest::keyClick(&target, Qt::Key_Backspace);
        QTest::keyClicks(&target, text);
        QTest::keyClick(&target, Qt::Key_Return);
    }
    /// Sends a wheel turn; true when the widget took it.
    bool wheel(QWidget& target, int eighths) {
        const QPointF middle(target.width() / 2.0, target.height() / 2.0);
        QWheelEvent event(middle, target.mapToGlobal(middle), {}, {0, eighths}, Qt::NoButton,
                          Qt::NoModifier, Qt::NoScrollPhase, false);
        event.setAccepted(false);
        QApplication::sendEvent(&target, &event);
        return event.isAccepted();
    }
    /// Where a position of a slider's track is, in its own px.
    QPoint at(const app::PaintedSlider& slider, double position) const {
        return {qRound(slider.xAt(position)), qRound(slider.trackMiddle())};
    }
    QPoint stop(int layer) {
        const auto last = static_cast<double>(page->layerSlider().stops().size() - 1);
        return at(page->layerSlider(), layer / last);
    }

    std::unique_ptr<app::SettingsPage> page;

private:
    app::NumberField& named(const QString& name) {
        return *page->findChild<app::NumberField*>(name);
    }
};

} // namespace fkv::testing
