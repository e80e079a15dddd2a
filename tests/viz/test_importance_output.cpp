// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/viz/importance_stage.h"
#include "viz/plots/figure_export.h"

#include <QPainter>
#include <QSvgRenderer>
#include <QTemporaryDir>

using namespace fkv;
using namespace fkv::viz;
using namespace fkv::testing;

namespace {

QByteArray fileText(const QString& path) {
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

} // namespace

class TestImportanceOutput : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void readoutSaysItAll();
    void readoutOfFastKvAndMass();
    void statesLookAsDesigned();
    void notANumberIsMagenta();
    void survivorsAloneInFastKv();
    void csvHoldsTheNumbers();
    void figuresKeepTextAsText();
};

void TestImportanceOutput::readoutSaysItAll() {
    Stage s(deepRun());
    s.setTsp(15, 0.2);
    const trace::Fate& fate = *s.f.shown.fate();
    int cell = 0; // whose best token at layer 18 does not pass
    while (fate.passes.has(s.image().bestToken(18, cell)))
        ++cell;
    s.hoverAt(s.at(18, cell));
    const std::int64_t best = s.image().bestToken(18, cell);
    const TokenRange tokens = s.map().axis().tokensOf(cell);
    const std::uint32_t rank = deepRun()->full->tspRanks->row(18)[static_cast<std::size_t>(best)];
    const QLocale us(QLocale::English, QLocale::UnitedStates);
    const auto n = [&us](std::int64_t v) { return us.toString(static_cast<qlonglong>(v)); };
    const QString want =
        QStringLiteral("tokens %1-%2 (%3) · layer 18 · best %4 \"%5\" rank %6 (top %7 %) · "
                       "passes TSP: no · kept by 0/4 heads · %8 of %3 kept · ")
            .arg(n(tokens.begin), n(tokens.end - 1), n(tokens.size()), n(best),
                 QString::fromStdString(deepRun()->prompt->tokenText(best)).trimmed(), n(rank),
                 formatTop((rank + 1.0) / 19992.0), n(fate.passes.count(tokens.begin, tokens.end)));
    const QString got = s.panel->readout();
    QVERIFY2(got.startsWith(want), qPrintable(got + u'\n' + want));
    QVERIFY(got.mid(want.size()).contains(u'['));
    QCOMPARE(s.map().accessibleDescription(), got);
    QCOMPARE(formatTop(13.0 / 131064.0), QStringLiteral("0.01"));
    QCOMPARE(formatTop(0.2), QStringLiteral("20"));
    // Nothing pointed at: what TSP does and where it cuts.
    s.f.selection.clearHover();
    Stage::settle();
    QVERIFY2(s.panel->readout().startsWith(QStringLiteral(
                 "TSP after layer 15 passes 4,000 of 20,000 tokens (20 %) · cut at rank 3,992")),
             qPrintable(s.panel->readout()));
    QVERIFY(s.panel->readout().contains(QStringLiteral("tied, lower index kept")));
    // A guess says so.
    s.setTsp(15, 0.4);
    s.f.options.setFateMode(ViewOptions::FateMode::Kv);
    cell = 0;
    while (!s.f.shown.fate()->passes.has(s.image().bestToken(20, cell)))
        ++cell;
    s.hoverAt(s.at(20, cell));
    QVERIFY2(s.panel->readout().contains(QStringLiteral("· ≈ kept by ")),
             qPrintable(s.panel->readout()));
}

void TestImportanceOutput::readoutOfFastKvAndMass() {
    Stage s(smallRun());
    s.f.options.setSource(ViewOptions::Source::FastKv);
    s.f.options.setScale(ViewOptions::Scale::Mass);
    Stage::settle();
    QVERIFY2(s.panel->readout().contains(QStringLiteral("first 4 tokens hold ")),
             qPrintable(s.panel->readout()));
    const trace::Fate& fate = *s.f.shown.fate();
    const std::int64_t survivor = fate.survivors[3];
    s.f.selection.setHover({survivor, {}, 12, -1});
    Stage::settle();
    QVERIFY(s.panel->readout().contains(QStringLiteral("passes TSP: yes")));
    std::int64_t dropped = 10;
    while (fate.passes.has(dropped))
        ++dropped;
    s.f.selection.setHover({dropped, {}, 12, -1});
    Stage::settle();
    QVERIFY(s.panel->readout().contains(QStringLiteral("does not reach this layer")));
    QVERIFY(s.panel->caption().contains(QStringLiteral("FastKV pass")));
}

void TestImportanceOutput::statesLookAsDesigned() {
    Stage s;
    const auto picture = [&s](const char* state) {
        Stage::settle();
        savePicture(*s.panel,
                    QStringLiteral("importance-state-%1").arg(QString::fromLatin1(state)));
        return grab(*s.panel);
    };
    s.f.shown.setPhase(Shown::Phase::Empty, {}, 0.0);
    const QImage empty = picture("empty");
    s.f.shown.setPhase(Shown::Phase::Loading, QStringLiteral("Loading weights"), 0.4);
    const QImage loading = picture("loading");
    QVERIFY(loading != empty);
    s.f.shown.setPhase(Shown::Phase::Running, QStringLiteral("Full pass, layer 7 of 32"), 0.2);
    QVERIFY(picture("running") != loading);
    s.show(deepRun());
    const QImage done = picture("done");
    s.f.options.setFateMode(ViewOptions::FateMode::Kv);
    s.setTsp(11, 0.3);
    QVERIFY(s.image().previewFrom() == 12);
    picture("preview");
    s.setTsp(15, 0.2);
    s.f.options.setFateMode(ViewOptions::FateMode::Tsp);
    QCOMPARE(s.image().previewFrom(), 32);
    s.f.shown.setPhase(Shown::Phase::Failed, QStringLiteral("not enough memory for 131,072 tokens"),
                       0.0);
    const QImage failed = picture("failed");
    // The last good picture stays behind the reason.
    const QPoint inside = s.map().mapTo(s.panel.get(), s.at(3, 17));
    QCOMPARE(pixel(failed, inside), pixel(done, inside));
    QVERIFY(failed != done);
    auto recorded = std::make_shared<trace::Run>(*deepRun());
    recorded->recorded = true;
    s.show(recorded);
    QVERIFY(s.panel->caption().contains(QStringLiteral("recorded")));
    picture("recorded");
    s.show(makeRun({.tokens = 6,
                    .layers = 4,
                    .queryHeads = 2,
                    .kvHeads = 1,
                    .settings = {.tspLayer = 1},
                    .tables = false}));
    QVERIFY(picture("window-only") != done);
}

void TestImportanceOutput::notANumberIsMagenta() {
    auto run = std::make_shared<trace::Run>(*smallRun());
    auto full = std::make_shared<trace::FullPass>(*run->full);
    std::vector<float> mass(full->mass->values().begin(), full->mass->values().end());
    mass[5 * full->mass->cols() + 321] = std::nanf("");
    full->mass = trace::Plane<float>::own(std::move(mass), full->mass->rows(), full->mass->cols());
    full->notANumber = 1;
    run->full = full;
    Stage s(run);
    const QImage image = grab(s.map());
    const int cell = s.map().axis().cellOf(321);
    QCOMPARE(pixel(image, s.at(5, cell)), s.f.theme.palette().notANumber);
    QVERIFY(pixel(image, s.at(4, cell)) != s.f.theme.palette().notANumber);
    QVERIFY2(s.panel->readout().contains(QStringLiteral("1 score is not a number")),
             qPrintable(s.panel->readout()));
}

void TestImportanceOutput::survivorsAloneInFastKv() {
    Stage s(smallRun());
    s.f.options.setSource(ViewOptions::Source::FastKv);
    s.f.selection.setRange({380, 480});
    Stage::settle();
    const QImage image = grab(s.map());
    const trace::Fate& fate = *s.f.shown.fate();
    const QColor base = s.f.theme.palette().base;
    for (std::int64_t token = 380; token < 480; ++token) {
        const int cell = s.map().axis().cellOf(token);
        QCOMPARE(pixel(image, s.at(12, cell)) != base, fate.passes.has(token));
        QVERIFY(pixel(image, s.at(3, cell)) != base);
    }
    QCOMPARE(s.image().previewFrom(), 16);
    s.setTsp(7, 0.3);
    QCOMPARE(s.image().previewFrom(), 8);
    savePicture(*s.panel, QStringLiteral("importance-fastkv-preview"));
}

void TestImportanceOutput::csvHoldsTheNumbers() {
    Stage s(smallRun());
    s.f.selection.setRange({100, 200});
    const QStringList lines = s.panel->csv().split(u'\n', Qt::SkipEmptyParts);
    QCOMPARE(lines.size(), 101);
    QVERIFY(lines[0].contains(QStringLiteral("layer 12 rank (0 best of 1000)")));
    const qsizetype columns = lines[0].count(u',') + 1;
    QCOMPARE(columns, qsizetype{3 + 16 * 2});
    const QStringList fields = lines[43].split(u','); // no token there holds a comma
    QCOMPARE(fields.size(), columns);
    QCOMPARE(fields[0], QStringLiteral("142"));
    QCOMPARE(fields[2].toInt(), int{s.f.shown.fate()->passes.has(142)});
    QCOMPARE(fields[3 + 2 * 12].toUInt(), smallRun()->full->tspRanks->row(12)[142]);
    QCOMPARE(fields[4 + 2 * 12].toInt(), s.f.shown.fate()->keptHeads(12, 142));
    // Line breaks stay inside their line, and the window comes last.
    s.f.selection.fit();
    const QStringList all = s.panel->csv().split(u'\n', Qt::SkipEmptyParts);
    QCOMPARE(all.size(), 1009);
    QVERIFY(all[97].contains(QStringLiteral("\"\\n\"")));
    QVERIFY(all.last().startsWith(QStringLiteral("1007,")));
}

void TestImportanceOutput::figuresKeepTextAsText() {
    Stage s(deepRun());
    QTemporaryDir folder;
    for (const QString& suffix :
         {QStringLiteral("png"), QStringLiteral("svg"), QStringLiteral("pdf")})
        QCOMPARE(saveFigure(*s.panel, folder.filePath(QStringLiteral("f.") + suffix)), QString());
    const QByteArray svg = fileText(folder.filePath(QStringLiteral("f.svg")));
    for (const char* text : {">layer 0<", ">TSP 20 %<", ">S = 20,000<", ">top 50 %<", ">10,000<"})
        QVERIFY2(svg.contains(text), text);
    QVERIFY(svg.count("<image") >= 2); // rows above and below the line
    QSvgRenderer renderer(svg);
    QVERIFY(renderer.isValid());
    QImage drawn(renderer.defaultSize() * 2, QImage::Format_RGB32);
    QPainter painter(&drawn);
    renderer.render(&painter);
    painter.end();
    const QString pictures = qEnvironmentVariable("FKV_PICTURES");
    if (!pictures.isEmpty()) {
        drawn.save(pictures + QStringLiteral("/importance-figure-svg.png"));
        QFile::copy(folder.filePath(QStringLiteral("f.png")),
                    pictures + QStringLiteral("/importance-figure.png"));
    }
    const QByteArray pdf = fileText(folder.filePath(QStringLiteral("f.pdf")));
    QVERIFY(pdf.startsWith("%PDF") && pdf.contains("/Font"));
}

QTEST_MAIN(TestImportanceOutput)
#include "test_importance_output.moc"
