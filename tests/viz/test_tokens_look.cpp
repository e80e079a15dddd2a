// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/fit.h"
#include "tests/support/tokens_window.h"
#include "viz/series/token_looks.h"
#include "viz/text/token_map.h"

#include <QPainter>
#include <QtTest>

using namespace fkv;
using namespace fkv::viz;
using Window = testing::TokensWindow;

namespace {

const testing::SyntheticSpec& kSpec = testing::kTokensSpec;

/// The run with one token made the best of its layer (its rank swapped with the best).
trace::RunPtr withBest(const trace::RunPtr& run, int layer, std::int64_t token) {
    const trace::Plane<std::uint32_t>& old = *run->full->tspRanks;
    std::vector<std::uint32_t> ranks(old.values().begin(), old.values().end());
    const auto row =
        std::span(ranks).subspan(static_cast<std::size_t>(layer) * old.cols(), old.cols());
    for (std::uint32_t& rank : row)
        if (rank == 0) rank = row[static_cast<std::size_t>(token)];
    row[static_cast<std::size_t>(token)] = 0;
    auto full = std::make_shared<trace::FullPass>(*run->full);
    full->tspRanks = trace::Plane<std::uint32_t>::own(std::move(ranks), old.rows(), old.cols());
    auto changed = std::make_shared<trace::Run>(*run);
    changed->full = full;
    return changed;
}

} // namespace

class TestTokensLook : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void keptIsWhatTheFateSays() {
        const trace::RunPtr run = testing::makeRun(kSpec);
        const trace::FatePtr exact = testing::makeFate(run);
        trace::Settings other = exact->settings;
        other.tsp = trace::Amount::ofRate(0.1);
        for (const auto& fate : {exact, select::computeFate(*run, other)})
            for (const int layer : {0, 7, 8, 15}) {
                const auto any = keptTokens(*fate, {Decider::Kind::AnyHead, layer, 0});
                const auto head = keptTokens(*fate, {Decider::Kind::Head, layer, 2});
                const auto tsp = keptTokens(*fate, {Decider::Kind::Tsp, layer, 0});
                for (std::int64_t i = 0; i < run->tokens(); ++i) {
                    QCOMPARE(any.has(i), fate->keptHeads(layer, i) > 0);
                    QCOMPARE(head.has(i), fate->keeps(layer, 2, i));
                    QCOMPARE(tsp.has(i), fate->passes.has(i));
                }
                for (const TokenRange r :
                     {TokenRange{0, 3}, {580, 589}, {1200, 1210}, {1439, 1447}}) {
                    bool expected = false;
                    for (std::int64_t i = r.begin; i < r.end; ++i)
                        expected |= any.has(i);
                    QCOMPARE(someHeadKeepsAny(*fate, layer, r), expected);
                }
            }
    }
    void tiesAreThoseThatTheFateCounts() {
        const trace::RunPtr run = testing::makeRun(kSpec);
        const trace::FatePtr fate = testing::makeFate(run);
        const auto tied = [&](const Decider& decider, bool arriving) {
            const TokenLooks looks(run, fate, 7, decider);
            int count = 0;
            for (std::int64_t i = 0; i < run->scored(); ++i)
                if (!arriving || fate->passes.has(i)) count += looks.at(i).tied ? 1 : 0;
            return count;
        };
        QCOMPARE(tied({}, false), fate->tspTied);
        QVERIFY(fate->tspTied > 0);
        for (const int layer : {2, 12})
            QCOMPARE(tied({Decider::Kind::Head, layer, 1}, layer > 7),
                     fate->layers[static_cast<std::size_t>(layer)].tied[1]);
    }
    void lostTokensAreDroppedAndWantedLater() {
        const trace::RunPtr base = testing::makeRun(kSpec);
        const trace::FatePtr fate = testing::makeFate(base);
        std::int64_t dropped = 100;
        while (fate->passes.has(dropped))
            ++dropped;
        QVERIFY(!TokenLooks(base, fate, 7, {}).at(dropped).lost);
        QVERIFY(TokenLooks(withBest(base, 12, dropped), fate, 7, {}).at(dropped).lost);
        // Wanted by a layer that still had it: nothing is lost.
        QVERIFY(!TokenLooks(withBest(base, 5, dropped), fate, 7, {}).at(dropped).lost);
    }
    void theWindowHasNoScoreAndIsKept() {
        const trace::RunPtr run = testing::makeRun(kSpec);
        const TokenLooks looks(run, testing::makeFate(run), 7, {});
        QVERIFY(!looks.at(run->scored() - 1).window);
        QVERIFY(looks.at(run->scored()).window && looks.at(run->scored()).kept);
        QCOMPARE(looks.rank(run->scored()), std::int64_t{-1});
    }
    void inkCanBeReadOnEveryColour() {
        for (const Palette& colours : {lightPalette(), darkPalette()}) {
            const TokenInks inks(colours);
            for (int i = 0; i <= 255; ++i)
                for (const bool kept : {false, true}) {
                    TokenLook look;
                    look.share = static_cast<float>(i) / 255.0F;
                    look.kept = kept;
                    const double seen = contrast(inks.ink(look), inks.background(look));
                    QVERIFY2(seen >= (kept ? 4.5 : 3.0), qPrintable(QString::number(seen)));
                }
        }
    }
    void anyBestTokenLightsOneCellOfTheMap() {
        Window w;
        auto* map = w.panel.findChild<TokenMap*>();
        const trace::RunPtr run = w.f.shown.run();
        const PositionAxis axis = map->axis();
        for (const std::int64_t token :
             {std::int64_t{0}, run->scored() - 1, axis.tokensOf(100).begin,
              axis.tokensOf(100).end - 1, std::int64_t{700}}) {
            const trace::RunPtr changed = withBest(run, 7, token);
            w.f.shown.setRun(changed, testing::makeFate(changed));
            QImage picture(map->size(), QImage::Format_RGB32);
            QPainter painter(&picture);
            map->paint(painter, map->rect()); // without the frame, which covers cells
            painter.end();
            const QRgb best = w.f.theme.palette().ramp(1.0F, true);
            int rows = 0;
            for (int y = 0; y < axis.width(); ++y)
                rows += picture.pixel(7, y) == best ? 1 : 0;
            const PixelRange px = axis.pixelsOf(axis.cellOf(token));
            QVERIFY(px.width() > 0);
            QCOMPARE(picture.pixel(7, px.x0), best);
            QCOMPARE(rows, px.width());
        }
    }
    void spansAreStruckWhereDropped() {
        Window w(600);
        std::int64_t dropped = 10;
        while (w.f.shown.fate()->passes.has(dropped))
            ++dropped;
        w.view().reveal(dropped);
        const auto ink = [&] {
            QCoreApplication::processEvents();
            const QImage picture = w.page()->grab().toImage();
            const QRect box = w.view().page().rectOf(dropped).translated(
                0, -w.view().verticalScrollBar()->value());
            int dark = 0; // of the row that is struck through
            const int y = box.top() + w.view().page().font().boxTop() +
                          static_cast<int>(0.62 * w.view().page().font().ascent());
            for (int x = box.left() + 2; x < box.right() - 2; ++x)
                dark += qGray(picture.pixel(x, y)) < 160 ? 1 : 0;
            return static_cast<double>(dark) / std::max(1, box.width() - 4);
        };
        QVERIFY(ink() < 0.8);
        w.f.selection.addSpan({dropped, dropped + 1}, QStringLiteral("fact"));
        QVERIFY(ink() > 0.9);
        w.f.selection.removeMark(1);
        QVERIFY(ink() < 0.8);
        w.f.options.setStrikeAllDropped(true);
        QVERIFY(ink() > 0.9);
    }
    void controlsFit_data() {
        QTest::addColumn<bool>("dark");
        QTest::addColumn<bool>("presenter");
        QTest::addColumn<bool>("longWords");
        for (const bool dark : {false, true})
            for (const bool presenter : {false, true})
                for (const bool longWords : {false, true})
                    QTest::addRow("dark %d presenter %d long %d", dark, presenter, longWords)
                        << dark << presenter << longWords;
    }
    void controlsFit() {
        QFETCH(bool, dark);
        QFETCH(bool, presenter);
        QFETCH(bool, longWords);
        std::unique_ptr<testing::LongWords> words;
        if (longWords) words = std::make_unique<testing::LongWords>();
        Window w(presenter ? 420 : 280);
        w.f.theme.setChoice(dark ? Theme::Choice::Dark : Theme::Choice::Light);
        w.f.theme.setPresenter(presenter);
        w.panel.openFind();
        QTest::keyClicks(w.needle(), QStringLiteral("whale"));
        w.drag(10, 30);
        QCoreApplication::processEvents();
        const QStringList faults = testing::tooNarrow(w.panel);
        QVERIFY2(faults.isEmpty(), qPrintable(faults.join(u'\n')));
        testing::savePicture(w.panel, QStringLiteral("tokens-fit-%1-%2-%3")
                                          .arg(QLatin1String(dark ? "dark" : "light"))
                                          .arg(QLatin1String(presenter ? "presenter" : "normal"))
                                          .arg(QLatin1String(longWords ? "long" : "short")));
    }
    void allScriptsAreDrawn() {
        auto run = std::make_shared<trace::Run>(*testing::makeRun(kSpec));
        auto prompt = std::make_shared<trace::Prompt>(*run->prompt);
        prompt->text.clear();
        const std::vector<std::string> words{
            "The", " word", " שלום", " עולם",  " and",   " مرحبا", " بالعالم", "\n",  "مر",
            "حبا", " يا",   " صديق", ".",      "\n",     "cafe",   "\xCC\x81", " na", "ïve",
            "\t",  "x",     "\x80",  " Größe", " Ωμέγα", " Ж",     "изнь",     "\n"};
        for (std::size_t i = 0; i < prompt->ids.size(); ++i) {
            const auto begin = static_cast<std::uint32_t>(prompt->text.size());
            if (i > 0) prompt->text += words[(i - 1) % words.size()];
            prompt->ids[i] = i == 0 ? 1 : static_cast<std::int32_t>(100 + (i - 1) % words.size());
            prompt->bytes[i] = {begin, static_cast<std::uint32_t>(prompt->text.size())};
        }
        run->prompt = prompt;
        Window w(420);
        w.f.shown.setRun(run, testing::makeFate(run));
        QCoreApplication::processEvents();
        testing::savePicture(w.panel, QStringLiteral("tokens-scripts"));
        QTest::mouseMove(w.page(), w.at(4)); // behind the Hebrew words
        QCOMPARE(w.f.selection.hover().token, std::int64_t{4});
    }
    void everyStateHasAPicture() {
        Window w;
        const auto picture = [&](const char* name) {
            QCoreApplication::processEvents();
            testing::savePicture(w.panel, QStringLiteral("tokens-state-") + QLatin1String(name));
        };
        const auto n = testing::needleBegin(kSpec);
        w.f.selection.addSpan({n, n + 9}, QStringLiteral("fact"));
        w.f.selection.pinToken(n + 12, false);
        picture("exact");
        w.f.options.setFateMode(ViewOptions::FateMode::Kv);
        w.f.selection.pinLayer(12);
        trace::Settings to = w.f.settings.settings();
        to.tsp = trace::Amount::ofRate(0.1);
        w.f.move(to);
        QVERIFY(w.view().looks().state() == trace::State::Preview);
        QVERIFY(w.panel.caption().contains(QStringLiteral("≈")));
        picture("preview");
        w.f.shown.setPhase(Shown::Phase::Failed, QStringLiteral("out of memory"), 0.0);
        picture("failed");
        const trace::RunPtr run = w.f.shown.run();
        w.f.shown.setRun(nullptr, nullptr);
        QVERIFY(!w.view().looks().valid());
        picture("empty-failed");
        w.f.shown.setPhase(Shown::Phase::Empty, {}, 0.0);
        picture("empty");
        auto bare = std::make_shared<trace::Run>();
        bare->prompt = run->prompt;
        bare->model = run->model;
        w.f.shown.setPhase(Shown::Phase::Running, QStringLiteral("Full pass"), 0.3);
        w.f.shown.setRun(bare, nullptr);
        QVERIFY(w.view().page().lines() > 0); // the text can be read while it runs
        picture("running");
    }
    void looks() {
        for (const auto choice : {Theme::Choice::Light, Theme::Choice::Dark}) {
            Window w(600);
            w.f.theme.setChoice(choice);
            w.panel.openFind();
            QTest::keyClicks(w.needle(), QStringLiteral("whale"));
            w.f.selection.setHover({600, {}, 7, -1});
            QCoreApplication::processEvents();
            testing::savePicture(w.panel, choice == Theme::Choice::Dark
                                              ? QStringLiteral("tokens-600-dark")
                                              : QStringLiteral("tokens-600-light"));
        }
    }
};

QTEST_MAIN(TestTokensLook)
#include "test_tokens_look.moc"
