// SPDX-License-Identifier: GPL-3.0-or-later
// Answers while they stream, how they ended, and how they were drawn.
#include "tests/viz/answers_stage.h"
#include "viz/series/answer_lines.h"

#include <QScrollBar>
#include <QtTest>

using namespace fkv;
using namespace fkv::viz;
using testing::answerOf;
using trace::AnswerEnd;
using Window = testing::AnswersStage;

class TestAnswersDecoding : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void endsAreSaidInWords() {
        trace::Answer answer = *answerOf({"a", "b", "c"}, AnswerEnd::Growing);
        QCOMPARE(describeEnd(answer), QString());
        QCOMPARE(describeProgress(answer), QStringLiteral("3 tokens so far"));
        answer.msPerToken = 9.716;
        QCOMPARE(describeProgress(answer), QStringLiteral("3 tokens so far, 9.72 ms/token"));
        answer.end = AnswerEnd::Stopped;
        QCOMPARE(describeEnd(answer), QStringLiteral("■ stopped"));
        QCOMPARE(describeProgress(answer), QStringLiteral("stopped after 3, 9.72 ms/token"));
        answer.end = AnswerEnd::Count;
        QCOMPARE(describeEnd(answer), QStringLiteral("length 3"));
        QCOMPARE(describeProgress(answer), QStringLiteral("length 3, 9.72 ms/token"));
        answer.end = AnswerEnd::EndOfSequence;
        QCOMPARE(describeEnd(answer), QStringLiteral("end of sequence"));
        QCOMPARE(describeProgress(answer),
                 QStringLiteral("end of sequence after 3, 9.72 ms/token"));
    }
    void answersStreamInPlace() {
        Window w;
        const QStringList words = QStringLiteral("The key is under the old stone in the yard,"
                                                 " next to a well")
                                      .split(u' ');
        w.f.shown.setPhase(Shown::Phase::Running, QStringLiteral("Decoding"), 0.4);
        const auto grow = [&](std::size_t count, AnswerEnd end) {
            std::vector<std::string> come;
            for (std::size_t i = 0; i < count; ++i)
                come.push_back(' ' + words[static_cast<qsizetype>(i)].toStdString());
            w.f.shown.setRun(w.changed([&](trace::Run& run) {
                auto answer = std::make_shared<trace::Answer>(*answerOf(come, end));
                answer->msPerToken = 3.5;
                run.fastkvAnswer = answer;
            }),
                             w.f.shown.fate());
        };
        w.f.shown.setRun(w.changed([&](trace::Run& run) {
            run.fullAnswer = answerOf({" The", " key", " is", " under", " the", " old", " stone"});
        }),
                         w.f.shown.fate());
        grow(1, AnswerEnd::Growing);
        const AnswersView::Geometry first = w.view().geometry();
        const int bar = w.view().verticalScrollBar()->maximum();
        for (const std::size_t count : {2, 4, 6}) {
            grow(count, AnswerEnd::Growing);
            QVERIFY(w.panel.readout().endsWith(
                QStringLiteral("FastKV: %1 tokens so far, 3.50 ms/token").arg(count)));
            QCOMPARE(w.content().methodEnd, QString());
        }
        const AnswersView::Geometry before = w.view().geometry();
        grow(6, AnswerEnd::Stopped);
        QCOMPARE(w.content().methodEnd, QStringLiteral("■ stopped"));
        QCOMPARE(w.content().verdict, QStringLiteral("agrees so far, 6 of 7 tokens"));
        QVERIFY(
            w.panel.readout().contains(QStringLiteral("FastKV: stopped after 6, 3.50 ms/token")));
        // Neither a token within the full answer nor the end moves anything.
        for (const AnswersView::Geometry& at : {before, w.view().geometry()}) {
            QCOMPARE(at.left, first.left);
            QCOMPARE(at.blocks.size(), first.blocks.size());
            QCOMPARE(at.blocks[0].top, first.blocks[0].top);
            QCOMPARE(at.summaryLeft, before.summaryLeft);
        }
        QCOMPARE(w.view().verticalScrollBar()->maximum(), bar);
    }
    void theEndStandsBehindTheLastBox() {
        Window w;
        w.panel.setView(1);
        const auto inkBehind = [&](int row) {
            const AnswersView::Geometry& g = w.view().geometry();
            const int left = g.left.back() + g.width.back();
            const QRect area(left, g.blocks[0].top + row * (g.lineHeight + g.spacing),
                             g.summaryLeft - left - 2, g.lineHeight);
            const QImage image = w.view().viewport()->grab(area).toImage();
            const QRgb ground = image.pixel(image.width() - 1, image.height() - 1);
            for (int y = 0; y < image.height(); ++y)
                for (int x = 0; x < image.width(); ++x)
                    if (image.pixel(x, y) != ground) return true;
            return false;
        };
        QVERIFY(inkBehind(0) && inkBehind(1)); // length 6
        w.f.shown.setRun(w.changed([](trace::Run& run) {
            auto growing = std::make_shared<trace::Answer>(*run.fastkvAnswer);
            growing->end = AnswerEnd::Growing;
            run.fastkvAnswer = growing;
        }),
                         w.f.shown.fate());
        QVERIFY(inkBehind(0));
        QVERIFY(!inkBehind(1));
    }
    void sampledAnswersSaySo() {
        Window w;
        QVERIFY(!w.panel.caption().contains(QStringLiteral("sampled")));
        const trace::RunPtr greedy = w.f.shown.run();
        const auto sampled = [&](const trace::Sampling& sampling) {
            return w.changed([&](trace::Run& run) {
                auto pass = std::make_shared<trace::FastKvPass>(*run.fastkv);
                pass->settings.sampling = sampling;
                run.fastkv = pass;
                run.fullAnswer = std::make_shared<trace::Answer>(*run.fullAnswer);
                run.fastkvAnswer = std::make_shared<trace::Answer>(*run.fastkvAnswer);
            });
        };
        w.f.show(sampled({0.7, 0, 0.9, 1}));
        QVERIFY2(w.panel.caption().contains(
                     QStringLiteral("sampled: temperature 0.7, top-p 0.9, seed 1")),
                 qPrintable(w.panel.caption()));
        QVERIFY(!w.content().fullPending && !w.content().pending);
        QCoreApplication::processEvents();
        testing::savePicture(w.panel, QStringLiteral("answers-sampled"));
        // Another seed: both lines are of another decoding until they come anew.
        trace::Settings to = w.f.settings.settings();
        to.sampling.seed = 2;
        w.f.move(to);
        QVERIFY(w.content().fullPending && w.content().pending);
        auto half = std::make_shared<trace::Run>(*sampled(to.sampling));
        half->fastkvAnswer = nullptr;
        w.f.shown.setRun(half, w.f.shown.fate());
        QVERIFY(!w.content().fullPending && w.content().pending);
        QVERIFY(w.panel.caption().contains(QStringLiteral("seed 2")));
        QCOMPARE(w.content().verdict, QStringLiteral("drawn differently, not compared"));
        QCOMPARE(w.content().lines.difference, std::int64_t{-1});
        QVERIFY2(w.content().settings.endsWith(
                     QStringLiteral("KV 10 % · temperature 0.7, top-p 0.9, seed 1")),
                 qPrintable(w.content().settings));
        QCoreApplication::processEvents();
        testing::savePicture(w.panel, QStringLiteral("answers-sampled-pending"));
        // The length alone is said, too; a greedy one needs no word of its own.
        w.f.show(greedy);
        to = w.f.settings.settings();
        to.generate = 64;
        w.f.move(to);
        QVERIFY(w.content().fullPending);
        QVERIFY(w.content().settings.endsWith(QStringLiteral("KV 10 % · length 32")));
        QVERIFY(!w.panel.caption().contains(QStringLiteral("sampled")));
    }
};

QTEST_MAIN(TestAnswersDecoding)
#include "test_answers_decoding.moc"
