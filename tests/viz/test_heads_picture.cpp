// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/viz/heads_stage.h"
#include "viz/plots/figure_export.h"
#include "viz/series/head_mass.h"

#include <QPainter>
#include <QScopeGuard>
#include <QTemporaryDir>
#include <QTranslator>
#include <cmath>

using namespace fkv;
using namespace fkv::viz;
using namespace fkv::testing;
using trace::Amount;

namespace {

/// Every string as if in a language that needs 40 % more.
class LongWords : public QTranslator {
public:
    bool isEmpty() const override { return false; }
    QString translate(const char*, const char* source, const char*, int) const override {
        const QString text = QString::fromUtf8(source);
        return text + QString((text.size() * 2 + 4) / 5, QLatin1Char('n'));
    }
};

QString problemWith(const PlotLabels& labels, const QFont& font, const QSize& size) {
    const QFontMetrics metrics(font);
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const PlotLabel& a = labels[i];
        if (metrics.horizontalAdvance(a.text) > a.box.width())
            return a.text + QStringLiteral(" is cut");
        if (!QRect(QPoint(), size).contains(a.box)) return a.text + QStringLiteral(" is outside");
        for (std::size_t j = 0; j < i; ++j)
            if (!a.boxed && !labels[j].boxed && a.box.intersects(labels[j].box))
                return a.text + QStringLiteral(" covers ") + labels[j].text;
    }
    return {};
}

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
    void labelsFit_data();
    void labelsFit();
    void figures();
    void pictures_data();
    void pictures();
    void picturesOfStates();
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

void TestHeadsPicture::labelsFit_data() {
    QTest::addColumn<bool>("large");
    QTest::addColumn<bool>("presenter");
    QTest::addColumn<bool>("longWords");
    for (const bool large : {false, true})
        for (const bool presenter : {false, true})
            for (const bool longWords : {false, true})
                QTest::addRow("%s, %s, %s", large ? "32x8" : "16x4",
                              presenter ? "presenter" : "normal", longWords ? "long" : "short")
                    << large << presenter << longWords;
}

void TestHeadsPicture::labelsFit() {
    QFETCH(bool, large);
    QFETCH(bool, presenter);
    QFETCH(bool, longWords);
    LongWords words; // leaves the application with its scope
    if (longWords) QCoreApplication::installTranslator(&words);
    const QFont normal = QApplication::font();
    const auto restore = qScopeGuard([normal] { QApplication::setFont(normal); });
    Stage stage(large ? largeRun() : demoRun());
    stage.fixture.theme.setPresenter(presenter);
    const QFont font = stage.fixture.theme.smallFont();
    for (const QSize size : {QSize(500, 190), QSize(700, 300), QSize(1000, 700)}) {
        if (presenter && size.width() < 700) continue; // panels are tabs then
        stage.panel.resize(size);
        for (const double tsp : {0.2, 0.35, 1.0}) {
            stage.moveTsp(tsp);
            for (int view = 0; view < 4; ++view) {
                stage.panel.setView(view);
                QCoreApplication::processEvents();
                if (view < 3) {
                    const HeadsPicture picture{stage.panel.model(), stage.fixture.theme,
                                               static_cast<HeadsView>(view)};
                    QCOMPARE(problemWith(picture.labels(stage.panel.grid().size(),
                                                        stage.panel.grid().layoutNow()),
                                         font, stage.panel.grid().size()),
                             QString());
                }
                if (stage.panel.head().isVisible())
                    QCOMPARE(problemWith(stage.panel.head().labels(stage.panel.head().size()), font,
                                         stage.panel.head().size()),
                             QString());
            }
            const KvFooter::Layout footer =
                stage.panel.footer().layoutIn(stage.panel.footer().size());
            QCOMPARE(problemWith({{footer.text, Qt::AlignLeft, footer.wording}}, font,
                                 stage.panel.footer().size()),
                     QString());
            QVERIFY(!footer.bar.intersects(footer.text));
        }
    }
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

void TestHeadsPicture::pictures_data() {
    QTest::addColumn<bool>("large");
    QTest::addColumn<QSize>("size");
    QTest::addColumn<bool>("dark");
    for (const bool large : {false, true})
        for (const QSize size : {QSize(500, 190), QSize(1000, 700)})
            for (const bool dark : {false, true})
                QTest::addRow("%s-%d-%s", large ? "32x8" : "16x4", size.width(),
                              dark ? "dark" : "light")
                    << large << size << dark;
}

void TestHeadsPicture::pictures() {
    QFETCH(bool, large);
    QFETCH(QSize, size);
    QFETCH(bool, dark);
    Stage stage(large ? largeRun() : demoRun(), size);
    stage.fixture.theme.setChoice(dark ? Theme::Choice::Dark : Theme::Choice::Light);
    const char* names[] = {"where", "mass", "span", "head"};
    for (int view = 0; view < 4; ++view) {
        stage.panel.setView(view);
        if (view == 3) stage.fixture.selection.pinHead(large ? 18 : 9, 2);
        QCoreApplication::processEvents();
        savePicture(stage.panel, QStringLiteral("%1-%2").arg(QLatin1String(QTest::currentDataTag()),
                                                             QLatin1String(names[view])));
    }
}

void TestHeadsPicture::picturesOfStates() {
    const auto save = [](Stage& stage, const char* name) {
        stage.fixture.theme.setChoice(Theme::Choice::Light);
        QCoreApplication::processEvents();
        savePicture(stage.panel, QLatin1String("state-") + QLatin1String(name));
    };
    {
        Stage stage(largeRun());
        trace::Settings moved = stage.fixture.settings.settings();
        moved.tsp = Amount::ofRate(0.15);
        stage.fixture.move(moved);
        stage.fixture.selection.pinHead(18, 3);
        stage.fixture.selection.setHover({-1, {}, 9, 5});
        save(stage, "preview");
        stage.panel.setView(1);
        save(stage, "preview-mass");
        stage.panel.setView(3);
        stage.fixture.selection.setHover({12'000, {11'990, 12'038}, 18, 3});
        save(stage, "preview-head");
        stage.panel.setView(0);
        save(stage, "hover-bin");
        moved.kv = Amount::ofRate(0.3);
        stage.fixture.move(moved);
        save(stage, "clamped");
        moved.tsp = Amount::ofRate(1.0);
        stage.fixture.move(moved);
        save(stage, "off");
        stage.panel.resize(1000, 190);
        save(stage, "off-wide");
    }
    {
        SyntheticSpec spec = demoSpec();
        spec.kvHeads = 32;
        spec.queryHeads = 32;
        Stage stage(makeRun(spec));
        save(stage, "narrow");
        stage.panel.resize(1000, 700);
        save(stage, "narrow-large");
    }
    {
        SyntheticSpec spec = demoSpec();
        spec.layers = 80;
        spec.kvHeads = 8;
        spec.settings.tspLayer = 39;
        Stage stage(makeRun(spec));
        save(stage, "deep");
        stage.fixture.selection.removeMark(1);
        stage.panel.setView(2);
        save(stage, "no-span");
    }
    {
        SyntheticSpec spec = demoSpec();
        spec.tokens = 20;
        Stage stage(makeRun(spec));
        save(stage, "tiny");
        stage.panel.setView(3);
        save(stage, "tiny-head");
        stage.fixture.theme.setPresenter(true);
        stage.panel.resize(1000, 700);
        stage.panel.setView(0);
        save(stage, "presenter");
        stage.fixture.theme.setPresenter(false);
    }
    {
        ViewFixture fixture;
        HeadsPanel panel(fixture.context());
        panel.resize(500, 190);
        savePicture(panel, QStringLiteral("state-empty"));
    }
}

QTEST_MAIN(TestHeadsPicture)
#include "test_heads_picture.moc"
