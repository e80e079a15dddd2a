// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/viz/heads_stage.h"
#include "viz/plots/figure_export.h"
#include "viz/series/head_mass.h"

#include <QPainter>
#include <QTemporaryDir>
#include <cmath>

using namespace fkv;
using namespace fkv::viz;
using namespace fkv::testing;
using trace::Amount;

namespace {

bool near(QRgb a, QRgb b) {
    return std::abs(qRed(a) - qRed(b)) <= 1 && std::abs(qGreen(a) - qGreen(b)) <= 1 &&
           std::abs(qBlue(a) - qBlue(b)) <= 1;
}

} // namespace

class TestHeadsPicture : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void stripsHaveTheColourOfTheirShare();
    void massHasTheColourOfItsValue();
    void spanHasTheColourOfItsShare();
    void headIsFilledByFate();
    void tiesAreMarkedWhenWide();
    void marksLieOverTheirBins();
    void unknownMassIsSaid();
    void figures();
};

void TestHeadsPicture::stripsHaveTheColourOfTheirShare() {
    Stage stage(demoRun());
    HeadsGrid& grid = stage.panel.grid();
    const HeadsLayout layout = grid.layoutNow();
    const QImage picture = grid.grab().toImage();
    int different = 0;
    for (int l = 0; l < layout.layers(); ++l)
        for (int g = 0; g < layout.heads(); ++g) {
            const QRect cell = layout.cell(l, g);
            for (int x = cell.left(); x < cell.left() + layout.stripWidth(); ++x) {
                const QPoint point(x, cell.center().y());
                const TokenRange bin = grid.binAt(point);
                if (bin.size() == 0) continue;
                int kept = 0;
                for (std::int64_t i = bin.begin; i < bin.end; ++i)
                    kept += stage.fate().keeps(l, g, i) ? 1 : 0;
                const float share = static_cast<float>(kept) / static_cast<float>(bin.size());
                QVERIFY2(
                    near(picture.pixel(point), stage.fixture.theme.palette().ramp(share, true)),
                    qPrintable(QStringLiteral("layer %1 head %2 x %3").arg(l).arg(g).arg(x)));
                different += kept > 0 && kept < bin.size() ? 1 : 0;
            }
        }
    QVERIFY(different > 100);
}

void TestHeadsPicture::massHasTheColourOfItsValue() {
    Stage stage(demoRun());
    stage.panel.setView(1);
    stage.moveKv(0.03);
    const HeadsLayout layout = stage.panel.grid().layoutNow();
    const QImage picture = stage.panel.grid().grab().toImage();
    for (int l = 0; l < layout.layers(); ++l)
        for (int g = 0; g < layout.heads(); ++g) {
            const double mass = exactKeptMass(*stage.fixture.shown.run(), stage.fate(), {l, g});
            const QRgb got = picture.pixel(layout.cell(l, g).center());
            // The table that the picture uses is at most 0.01 off: three steps of the ramp.
            bool found = false;
            for (int step = -3; step <= 3; ++step)
                found |= near(got, stage.fixture.theme.palette().ramp(
                                       std::clamp(static_cast<float>(mass) +
                                                      static_cast<float>(step) / 255.0F,
                                                  0.0F, 1.0F),
                                       true));
            QVERIFY2(
                found,
                qPrintable(QStringLiteral("layer %1 head %2 mass %3").arg(l).arg(g).arg(mass)));
        }
    // The worst is outlined and named.
    const HeadPlace worst = stage.panel.model().worst();
    QVERIFY(worst.valid());
    const QRect cell = layout.cell(worst.layer, worst.head);
    QVERIFY(near(picture.pixel(cell.left() - 1, cell.center().y()),
                 stage.fixture.theme.palette().lost.rgb()));
    const HeadsPicture drawn{stage.panel.model(), stage.fixture.theme, HeadsView::Mass};
    const PlotLabels labels = drawn.labels(stage.panel.grid().size(), layout);
    QVERIFY(std::any_of(labels.begin(), labels.end(), [&](const PlotLabel& label) {
        return label.text.startsWith(
            QStringLiteral("worst L%1 H%2").arg(worst.layer).arg(worst.head));
    }));
}

void TestHeadsPicture::spanHasTheColourOfItsShare() {
    Stage stage(demoRun());
    stage.panel.setView(2);
    QCoreApplication::processEvents();
    const TokenRange span = needleOf(*demoRun());
    const HeadsLayout layout = stage.panel.grid().layoutNow();
    const QImage picture = stage.panel.grid().grab().toImage();
    bool some = false, none = false;
    for (int l = 0; l < layout.layers(); ++l)
        for (int g = 0; g < layout.heads(); ++g) {
            int kept = 0;
            for (std::int64_t i = span.begin; i < span.end; ++i)
                kept += stage.fate().keeps(l, g, i) ? 1 : 0;
            some |= kept > 0;
            none |= kept == 0;
            QVERIFY(near(picture.pixel(layout.cell(l, g).center()),
                         stage.fixture.theme.palette().ramp(
                             static_cast<float>(kept) / static_cast<float>(span.size()), true)));
        }
    QVERIFY(some && none);
    const QImage with = stage.panel.grid().grab().toImage();
    stage.fixture.selection.removeMark(1);
    QCoreApplication::processEvents();
    QVERIFY(stage.panel.grid().grab().toImage() != with);
}

void TestHeadsPicture::headIsFilledByFate() {
    for (const double tsp : {0.2, 0.3}) {
        Stage stage(demoRun(), {1000, 400});
        stage.moveTsp(tsp);
        stage.panel.setView(3);
        const HeadPlace at{11, 2};
        stage.fixture.selection.pinHead(at.layer, at.head);
        QCoreApplication::processEvents();
        const HeadView& view = stage.panel.head();
        const PositionAxis axis = view.axis();
        const QRect plot = view.plotRect();
        const Palette& colours = stage.fixture.theme.palette();
        const QImage picture = stage.panel.head().grab().toImage();
        int kept = 0, gaps = 0, hatched = 0;
        for (int cell = 0; cell < axis.cells(); ++cell) {
            const TokenRange tokens = axis.tokensOf(cell);
            const std::int64_t best = bestTokenIn(stage.fate(), at, tokens);
            const PixelRange px = axis.pixelsOf(cell);
            const QRgb foot = picture.pixel(plot.left() + px.x0, plot.bottom());
            if (best < 0) {
                ++gaps;
                hatched += near(foot, colours.fastkv.rgb()) ? 1 : 0;
            } else if (tsp == 0.2) { // a preview is hatched over
                const bool keeps = stage.fate().keeps(at.layer, at.head, best);
                kept += keeps ? 1 : 0;
                QCOMPARE(near(foot, colours.fastkv.rgb()), keeps);
            }
            std::int64_t inCell = 0;
            for (std::int64_t i = tokens.begin; i < tokens.end; ++i)
                inCell += stage.fate().keeps(at.layer, at.head, i) ? 1 : 0;
            const float share = static_cast<float>(inCell) / static_cast<float>(tokens.size());
            QVERIFY(near(picture.pixel(plot.left() + px.x0, view.barRect().center().y()),
                         colours.ramp(share, true)));
        }
        QVERIFY(gaps > 10);
        QCOMPARE(hatched, 0);
        if (tsp == 0.2) QVERIFY(kept > 10);
        QCOMPARE(stage.fate().layers[11].state == trace::State::Preview, tsp != 0.2);
        QVERIFY(view.title().contains(tsp == 0.2 ? QStringLiteral("FastKV-pass")
                                                 : QStringLiteral("full-pass")));
    }
}

void TestHeadsPicture::tiesAreMarkedWhenWide() {
    Stage stage(demoRun(), {1000, 400});
    stage.panel.setView(3);
    QCoreApplication::processEvents();
    HeadView& view = stage.panel.head();
    // Max pooling makes plateaus: some head of an early and of a rerun layer cuts through one.
    const auto tiedHead = [&](int first, int last) {
        for (HeadPlace at{first, 0}; at.layer < last; ++at.layer)
            for (at.head = 0; at.head < 4; ++at.head)
                if (tiedAtHead(*demoRun(), stage.fate(), at).value_or(0) > 1) return at;
        return HeadPlace{};
    };
    for (const HeadPlace at : {tiedHead(0, 8), tiedHead(8, 16)}) {
        stage.fixture.selection.setRange({0, stage.fixture.selection.scored()});
        stage.fixture.selection.pinHead(at.layer, at.head);
        const auto expected = tiedAtHead(*demoRun(), stage.fate(), at);
        QVERIFY(expected.value_or(0) > 1);
        QVERIFY(view.tied().empty()); // too narrow
        std::int64_t found = 0, dotted = 0;
        const std::int64_t scored = stage.fixture.selection.scored();
        for (std::int64_t begin = 0; begin < scored; begin += 100) {
            stage.fixture.selection.setRange({begin, std::min(begin + 100, scored)});
            const auto tied = view.tied();
            for (const std::int64_t token : tied)
                found += token >= begin && token < begin + 100 ? 1 : 0;
            if (tied.empty()) continue;
            const QImage picture = view.grab().toImage();
            const PixelRange px = view.axis().pixelsOf({tied[0], tied[0] + 1}, 1);
            const int left = view.plotRect().left() + px.x0;
            int dots = 0;
            for (int y = view.plotRect().top(); y <= view.plotRect().bottom(); ++y)
                dots += near(picture.pixel(left, y), stage.fixture.theme.palette().hover.rgb());
            dotted += dots > 3 ? 1 : 0;
            savePicture(stage.panel, QStringLiteral("heads-ties-%1").arg(at.layer));
        }
        QCOMPARE(found, *expected);
        QVERIFY(dotted > 0);
    }
    // The order of a preview is a guess: nothing is tied in it.
    stage.moveTsp(0.3);
    stage.fixture.selection.setRange({0, 100});
    QVERIFY(view.tied().empty());
}

void TestHeadsPicture::marksLieOverTheirBins() {
    Stage stage(demoRun());
    stage.fixture.selection.pinToken(2000, false);
    const HeadsLayout layout = stage.panel.grid().layoutNow();
    const QImage picture = stage.panel.grid().grab().toImage();
    const Mark& pin = stage.fixture.selection.marks().back();
    const QRgb colour =
        stage.fixture.theme.palette().pins[static_cast<std::size_t>(pin.number - 1)].rgb();
    for (int g = 0; g < layout.heads(); ++g) {
        const QRect cell = layout.cell(0, g);
        int marked = 0;
        for (int x = cell.left(); x <= cell.right(); ++x) {
            const bool over = near(picture.pixel(x, layout.grid().top() - 3), colour);
            marked += over ? 1 : 0;
            const bool holds = stage.panel.grid().binAt({x, cell.center().y()}).has(2000);
            if (holds) QVERIFY(over);
        }
        QVERIFY(marked >= 3 && marked <= 5);
    }
}

void TestHeadsPicture::unknownMassIsSaid() {
    SyntheticSpec spec = demoSpec();
    spec.tables = false;
    Stage stage(makeRun(spec));
    stage.panel.setView(1);
    trace::Settings moved = stage.settings();
    moved.tsp = Amount::ofRate(1.0);
    stage.fixture.move(moved);
    QCoreApplication::processEvents();
    savePicture(stage.panel, QStringLiteral("state-no-mass"));
    const QImage without = stage.panel.grid().grab().toImage();
    const HeadsLayout layout = stage.panel.grid().layoutNow();
    QVERIFY(
        near(without.pixel(layout.cell(3, 0).center()), stage.fixture.theme.palette().base.rgb()));
    // The tables come with a later publication of the same pass.
    auto full = std::make_shared<trace::FullPass>(*stage.fixture.shown.run()->full);
    full->tables = demoRun()->full->tables;
    auto run = std::make_shared<trace::Run>(*stage.fixture.shown.run());
    run->full = full;
    const int indexed = stage.panel.model().counters().indexes;
    stage.fixture.shown.setRun(run, stage.fixture.shown.fate());
    stage.settle();
    QCOMPARE(stage.panel.model().counters().indexes, indexed);
    const QImage with = stage.panel.grid().grab().toImage();
    QVERIFY(
        !near(with.pixel(layout.cell(3, 0).center()), stage.fixture.theme.palette().base.rgb()));
}

void TestHeadsPicture::figures() {
    Stage stage(demoRun());
    for (int view = 0; view < 4; ++view) {
        stage.panel.setView(view);
        const QImage image = figureImage(stage.panel, {2.0, {900, 600}});
        QVERIFY(image.width() > 1800 && image.height() > 1200);
        QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("heads.svg"));
        QCOMPARE(saveFigure(stage.panel, path, {1.0, {900, 600}}), QString());
        QFile file(path);
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QByteArray svg = file.readAll();
        QVERIFY(svg.contains("t = 7") || view == 3);
        QVERIFY(svg.contains("93.8 MiB"));
        QVERIFY(svg.contains("KV per head"));
    }
    stage.panel.setView(0);
    const HeadsPicture picture{stage.panel.model(), stage.fixture.theme, HeadsView::Where};
    const HeadsLayout layout = picture.layout({900, 200}, 0);
    QImage twice(1800, 400, QImage::Format_RGB32);
    twice.setDevicePixelRatio(2.0);
    QPainter painter(&twice);
    picture.paint(painter, {900, 200}, layout);
    painter.end();
    const ShownBins bins(stage.panel.model().bins(), layout.stripWidth());
    std::vector<float> share(static_cast<std::size_t>(bins.bins));
    shareKept(stage.panel.model().strips().of(3, 2), stage.panel.model().bins(), bins, share);
    for (int b = 0; b < bins.bins; ++b) {
        const QRect cell = layout.cell(3, 2);
        const QRgb colour =
            stage.fixture.theme.palette().ramp(share[static_cast<std::size_t>(b)], true);
        QVERIFY(near(twice.pixel(2 * (cell.left() + b * bins.pixels), 2 * cell.top()), colour));
        QVERIFY(
            near(twice.pixel(2 * (cell.left() + (b + 1) * bins.pixels) - 1, 2 * cell.bottom() + 1),
                 colour));
    }
}

QTEST_MAIN(TestHeadsPicture)
#include "test_heads_picture.moc"
