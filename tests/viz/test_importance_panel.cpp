// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/viz/importance_stage.h"
#include "viz/plots/color_bar.h"
#include "viz/plots/importance_paint.h"
#include "viz/series/importance.h"

#include <QToolButton>
#include <QTranslator>
#include <QtTest>
#include <numeric>

using namespace fkv;
using namespace fkv::viz;
using namespace fkv::testing;

namespace {

/// Strings as long as in a wordier language.
class Wordy : public QTranslator {
public:
    QString translate(const char*, const char* text, const char*, int) const override {
        const QString source = QString::fromUtf8(text);
        return source +
               QString(static_cast<qsizetype>(0.4 * static_cast<double>(source.size())) + 1, u'n');
    }
    bool isEmpty() const override { return false; }
};

/// Every label inside its box and the view, beside the map, and over no other.
void checkLabels(Stage& s) {
    const ViewContext context = s.f.context();
    const ImportanceLayout layout = s.layout();
    const auto labels = labelsOf({context, s.image(), layout});
    QFont strong = importanceFont(s.f.theme);
    strong.setBold(true);
    int lanes = 0;
    for (const TextBox& label : labels) {
        const QFont font = label.strong ? strong : importanceFont(s.f.theme);
        QVERIFY2(QFontMetrics(font).horizontalAdvance(label.text) <= label.box.width(),
                 qPrintable(label.text));
        QVERIFY2(QRect(QPoint(), s.map().size()).contains(label.box), qPrintable(label.text));
        QVERIFY(label.box.right() < layout.plotLeft ||
                label.box.left() >= layout.plotRight() + PositionAxis::kGutter);
        for (const QString& lane : {QStringLiteral("lost"), QStringLiteral("token")})
            lanes += label.text.startsWith(lane) ? 1 : 0;
        for (const TextBox& other : labels)
            QVERIFY2(&other == &label || !other.box.intersects(label.box),
                     qPrintable(label.text + QStringLiteral(" over ") + other.text));
    }
    QCOMPARE(lanes, 2);
}

} // namespace

class TestImportancePanel : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void everyPixelRoundTrips_data();
    void everyPixelRoundTrips();
    void oneTokenLightsOneCell();
    void cellsHaveTheColourOfTheirBestToken_data();
    void cellsHaveTheColourOfTheirBestToken();
    void lineLiesUnderLayerT();
    void rowsKeepTheirPlaceWhenZoomed();
    void rowsScrollWhenTheyDoNotFit();
    void hoverBuildsNothing();
    void slidersOnlyColourAgain();
    void openingScansOnce();
    void tiesAreMarkedWhenWide();
    void labelsFit_data();
    void labelsFit();
};

void TestImportancePanel::everyPixelRoundTrips_data() {
    QTest::addColumn<int>("tokens");
    for (const int tokens : {9, 10, 1007, 1008, 1009, 131072})
        QTest::addRow("%d tokens", tokens) << tokens;
}

void TestImportancePanel::everyPixelRoundTrips() {
    QFETCH(int, tokens);
    Stage s(makeRun({.tokens = tokens,
                     .layers = 4,
                     .queryHeads = 2,
                     .kvHeads = 1,
                     .settings = {.tspLayer = 1},
                     .tables = false}));
    const PositionAxis axis = s.map().axis();
    QVERIFY(axis.cells() > 0);
    QCOMPARE(axis.scored(), std::int64_t{tokens - 8});
    const int step = axis.width() > 300 ? 7 : 1;
    for (int x = 0; x < axis.width(); x += step) {
        s.moveTo({s.layout().plotLeft + x, s.layout().row(2).center().y()});
        const Hover hover = s.f.selection.hover();
        const int cell = axis.cellOf(hover.token);
        QVERIFY(cell >= 0);
        QVERIFY(axis.pixelsOf(cell).x0 <= x && x < axis.pixelsOf(cell).x1);
        QCOMPARE(hover.layer, 2);
        if (axis.tokensPerCell() > 1) QCOMPARE(hover.cell, axis.tokensOf(cell));
    }
}

void TestImportancePanel::oneTokenLightsOneCell() {
    constexpr std::int64_t kScored = 131072 - 8;
    const PositionAxis axis(kScored, {0, kScored}, 1000);
    for (const std::int64_t token :
         {std::int64_t{0}, kScored - 1, std::int64_t{65540}, axis.tokensOf(500).begin,
          axis.tokensOf(500).end - 1, axis.tokensOf(axis.cells() - 1).begin}) {
        std::vector<std::uint32_t> ranks(kScored);
        std::iota(ranks.begin(), ranks.end(), 40000U);
        ranks[static_cast<std::size_t>(token)] = 0;
        auto run = std::make_shared<trace::Run>();
        auto full = std::make_shared<trace::FullPass>();
        full->tspRanks = trace::Plane<std::uint32_t>::own(std::move(ranks), 1, kScored);
        auto prompt = std::make_shared<trace::Prompt>();
        prompt->ids.resize(kScored + 8);
        run->full = full;
        run->prompt = prompt;
        auto fate = std::make_shared<trace::Fate>();
        fate->layers.resize(1);
        fate->budgets.layers.resize(1);
        fate->passes = trace::PositionSet(kScored + 8, true);
        ImportanceImage image;
        image.update({.run = run,
                      .fate = fate,
                      .visible = {0, kScored},
                      .width = 1000,
                      .colours = &lightPalette()});
        const PixelRange px = axis.pixelsOf(axis.cellOf(token));
        for (int x = 0; x < 1000; ++x)
            QCOMPARE(image.picture().pixel(x, 0) == lightPalette().ramp(1.0F, true),
                     x >= px.x0 && x < px.x1);
    }
}

void TestImportancePanel::cellsHaveTheColourOfTheirBestToken_data() {
    QTest::addColumn<bool>("dark");
    QTest::addColumn<bool>("byHeads");
    QTest::newRow("light, TSP") << false << false;
    QTest::newRow("dark, TSP") << true << false;
    QTest::newRow("light, KV") << false << true;
}

void TestImportancePanel::cellsHaveTheColourOfTheirBestToken() {
    QFETCH(bool, dark);
    QFETCH(bool, byHeads);
    Stage s(deepRun(), kPanel, dark);
    if (byHeads) s.f.options.setFateMode(ViewOptions::FateMode::Kv);
    const Palette& colours = s.f.theme.palette();
    const QImage image = grab(s.map());
    const std::int64_t scored = deepRun()->scored();
    const auto& plane = *deepRun()->full->tspRanks;
    int dropped = 0;
    for (int layer = 0; layer < 32; layer += 3)
        for (int cell = 0; cell < s.map().axis().cells(); cell += 5) {
            const std::int64_t token = s.image().bestToken(layer, cell);
            const std::uint32_t rank =
                plane.row(static_cast<std::size_t>(layer))[static_cast<std::size_t>(token)];
            const bool kept = byHeads ? s.f.shown.fate()->keptHeads(layer, token) > 0
                                      : s.f.shown.fate()->arrives(layer, token);
            dropped += kept ? 0 : 1;
            const float share =
                rampPosition(importance(rank, scored), kImportanceLow, importanceHigh(scored));
            QCOMPARE(pixel(image, s.at(layer, cell)), QColor(colours.ramp(share, kept)));
        }
    QVERIFY(dropped > 10);
}

void TestImportancePanel::lineLiesUnderLayerT() {
    Stage s(smallRun());
    for (const int t : {0, 3, 7, 14, 15}) {
        s.setTsp(t, 0.2);
        const QImage image = grab(s.map());
        const int below = s.layout().row(t).bottom() + 1;
        QCOMPARE(pixel(image, {s.layout().plotLeft + 40, below + 1}), s.f.theme.palette().tspLine);
        if (t < 15) QCOMPARE(s.layout().row(t + 1).top(), s.layout().ribbon.bottom() + 1);
        const auto& ribbon = s.image().ribbon();
        QCOMPARE(std::accumulate(ribbon.begin(), ribbon.end(), std::int64_t{0}),
                 s.f.shown.fate()->budgets.propagated - 8);
    }
    s.setTsp(7, 1.0);
    QCOMPARE(s.layout().above, 16);
    QVERIFY(s.layout().line.top() > s.layout().row(15).bottom());
    const ViewContext context = s.f.context();
    const ImportanceLayout layout = s.layout();
    const auto labels = labelsOf({context, s.image(), layout});
    QVERIFY(std::any_of(labels.begin(), labels.end(),
                        [](const TextBox& box) { return box.text == QStringLiteral("TSP off"); }));
}

void TestImportancePanel::rowsKeepTheirPlaceWhenZoomed() {
    Stage s(deepRun());
    const ImportanceLayout before = s.layout();
    s.f.selection.setRange({5000, 6000});
    const ImportanceLayout after = s.layout();
    QVERIFY(before.overview.isNull() && !after.overview.isNull());
    for (int layer = 0; layer < 32; ++layer)
        QCOMPARE(after.row(layer), before.row(layer));
    QVERIFY(after.overview.bottom() < s.map().height());
    QVERIFY(before.rowHeight >= ImportanceLayout::kLeastRow);
}

void TestImportancePanel::rowsScrollWhenTheyDoNotFit() {
    Stage s(runOf(600, 80));
    QVERIFY(s.layout().mostScroll > 0);
    QCOMPARE(s.layout().rowHeight, ImportanceLayout::kLeastRow);
    s.f.selection.pinLayer(79);
    Stage::settle();
    QCOMPARE(s.layout().scroll, s.layout().scrollTo(79));
    QVERIFY(s.layout().rowsView.contains(s.layout().row(79)));
    s.f.selection.pinLayer(0);
    Stage::settle();
    QVERIFY(s.layout().rowsView.contains(s.layout().row(0)));
    savePicture(*s.panel, QStringLiteral("importance-scrolls"));
    QTest::mousePress(&s.map(), Qt::LeftButton, {}, s.lineMiddle());
    for (int i = 0; i < 100; ++i)
        s.dragTo({s.lineMiddle().x(), s.map().height() + 5});
    QCOMPARE(s.f.settings.settings().tspLayer, 79);
    QVERIFY(s.layout().rowsView.contains(s.layout().line.center()));
    QTest::mouseRelease(&s.map(), Qt::LeftButton, {}, s.lineMiddle());
    s.panel->resize(748, 420);
    Stage::settle();
    QCOMPARE(s.layout().mostScroll, 0);
}

void TestImportancePanel::hoverBuildsNothing() {
    Stage s(deepRun());
    const auto before = s.image().counters();
    const int repaints = s.map().repaints();
    for (int i = 0; i < 100; ++i)
        s.hoverAt(s.at(i % 32, i * 5));
    QVERIFY(s.f.selection.hover().token >= 0);
    QCOMPARE(s.image().counters().bests, before.bests);
    QCOMPARE(s.image().counters().pictures, before.pictures);
    QCOMPARE(s.map().repaints(), repaints);
}

void TestImportancePanel::slidersOnlyColourAgain() {
    Stage s(deepRun());
    const auto before = s.image().counters();
    trace::Settings settings = s.f.settings.settings();
    for (int i = 0; i < 10; ++i) {
        settings.kv = trace::Amount::ofRate(0.05 + 0.01 * i);
        s.f.settings.set(settings);
        Stage::settle();
    }
    QCOMPARE(s.image().counters().pictures, before.pictures); // the hue is the fate under TSP
    for (const auto mode : {ViewOptions::FateMode::Tsp, ViewOptions::FateMode::Kv}) {
        s.f.options.setFateMode(mode);
        Stage::settle();
        const int pictures = s.image().counters().pictures;
        for (int i = 0; i < 10; ++i) {
            settings.kv = trace::Amount::ofRate(0.05 + 0.013 * i);
            settings.tsp = trace::Amount::ofRate(0.1 + 0.03 * i);
            settings.tspLayer = 3 + 2 * i;
            s.f.settings.set(settings);
            Stage::settle();
        }
        QCOMPARE(s.image().counters().pictures, pictures + 10);
    }
    QCOMPARE(s.image().counters().bests, before.bests);
    QCOMPARE(s.image().counters().scans, before.scans);
    s.f.selection.setRange({100, 5000});
    Stage::settle();
    QCOMPARE(s.image().counters().bests, before.bests + 1);
    QCOMPARE(s.image().counters().scans, before.scans);
}

void TestImportancePanel::openingScansOnce() {
    Stage s(deepRun());
    QCOMPARE(s.image().counters().scans, 1);
    QCOMPARE(s.image().counters().bests, 1);
    // A rerun shares the full pass: nothing is read again.
    auto again = std::make_shared<trace::Run>(*deepRun());
    again->id = 2;
    s.f.shown.setRun(again, s.f.shown.fate());
    Stage::settle();
    QCOMPARE(s.image().counters().bests, 1);
}

void TestImportancePanel::tiesAreMarkedWhenWide() {
    Stage s(smallRun());
    const trace::Fate& fate = *s.f.shown.fate();
    QVERIFY(fate.tspTied > 1);         // max pooling makes plateaus
    QVERIFY(s.image().tied().empty()); // too narrow
    std::int64_t found = 0;
    for (std::int64_t begin = 0; begin < 1000; begin += 50) {
        s.f.selection.setRange({begin, begin + 50});
        const auto& tied = s.image().tied();
        found += static_cast<std::int64_t>(tied.size());
        if (tied.empty()) continue;
        const QImage image = grab(s.map());
        const PixelRange px = s.map().axis().pixelsOf({tied[0], tied[0] + 1}, 3);
        int dots = 0;
        for (int x = px.x0; x < px.x1; ++x)
            dots += pixel(image, {s.layout().plotLeft + x, s.layout().row(7).top()}) ==
                    s.f.theme.palette().hover;
        QVERIFY(dots >= 2 && dots < px.width());
        savePicture(*s.panel, QStringLiteral("importance-ties"));
    }
    QCOMPARE(found, std::int64_t{fate.tspTied});
}

void TestImportancePanel::labelsFit_data() {
    QTest::addColumn<bool>("dark");
    QTest::addColumn<bool>("presenter");
    QTest::addColumn<bool>("wordy");
    for (const bool dark : {false, true})
        for (const bool presenter : {false, true})
            for (const bool wordy : {false, true})
                QTest::addRow("%s, %s%s", dark ? "dark" : "light",
                              presenter ? "presenter" : "normal", wordy ? ", wordy" : "")
                    << dark << presenter << wordy;
}

void TestImportancePanel::labelsFit() {
    QFETCH(bool, dark);
    QFETCH(bool, presenter);
    QFETCH(bool, wordy);
    Wordy translator;
    if (wordy) QCoreApplication::installTranslator(&translator);
    const auto remove = qScopeGuard([&] { QCoreApplication::removeTranslator(&translator); });
    Stage s(deepRun(), kPanel, dark, presenter);
    s.f.options.setFateMode(ViewOptions::FateMode::Kv);
    const double scale = presenter ? 1.6 : 1.0;
    for (const QSize size : {kPanel, QSize(480, 150)}) {
        s.panel->resize(size * scale);
        for (const int t : {0, 1, 7, 15, 30, 31})
            for (const double rate : {0.037, 1.0}) {
                s.setTsp(t, rate);
                s.f.selection.pinLayer((t + 2) % 32);
                checkLabels(s);
            }
    }
    s.panel->resize(kPanel * scale);
    for (const auto scale : {ViewOptions::Scale::Rank, ViewOptions::Scale::Mass}) {
        s.f.options.setScale(scale);
        Stage::settle();
        const auto* bar = s.panel->findChild<ColorBar*>();
        const auto places = ColorBar::placesIn(bar->rect(), bar->scale(), s.f.theme);
        for (const QRect& box : places.labels)
            QVERIFY(!box.isNull() && box.left() >= 0 && box.right() <= bar->width());
    }
    s.f.options.setScale(ViewOptions::Scale::Rank);
    for (const QToolButton* button : s.panel->findChildren<QToolButton*>())
        if (button->isVisible())
            QVERIFY2(button->width() >= button->sizeHint().width(), qPrintable(button->text()));
    s.setTsp(15, 0.2);
    s.hoverAt(s.at(18, 240));
    savePicture(*s.panel, QStringLiteral("importance-%1")
                              .arg(QString::fromUtf8(QTest::currentDataTag())
                                       .replace(QStringLiteral(", "), QStringLiteral("-"))));
}

QTEST_MAIN(TestImportancePanel)
#include "test_importance_panel.moc"
