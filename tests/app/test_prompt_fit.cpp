// SPDX-License-Identifier: GPL-3.0-or-later
// The line of the prompt page that says whether a prompt fits the memory.
#include "tests/app/prompt_fixture.h"
#include "viz/plots/elided_label.h"

#include <QSignalSpy>

using namespace fkv;
using namespace fkv::app;
using namespace fkv::testing;

class TestPromptFit : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void timesAreRounded();
    void saysWhetherItFits();
};

void TestPromptFit::timesAreRounded() {
    QCOMPARE(aboutSeconds(0.3), QStringLiteral("under 1 s"));
    QCOMPARE(aboutSeconds(2.9), QStringLiteral("about 3 s"));
    QCOMPARE(aboutSeconds(400.0), QStringLiteral("about 7 min"));
    QCOMPARE(aboutSeconds(9000.0), QStringLiteral("about 2.5 h"));
}

void TestPromptFit::saysWhetherItFits() {
    PromptFixture f;
    QSignalSpy asked(f.page.get(), &PromptPage::countRequested);
    QSignalSpy fits(f.page.get(), &PromptPage::fitRequested);
    const auto* label =
        static_cast<viz::ElidedLabel*>(f.page->findChild<QWidget*>(QStringLiteral("promptFit")));
    QTest::keyClicks(&f.page->editor(), QStringLiteral("one two three"));
    QTRY_COMPARE(asked.size(), 1);
    const auto id = asked[0].at(1).value<quint64>();
    f.page->setCount(id, 131072, 131072, {});
    QCOMPARE(fits.size(), 1);
    QCOMPARE(fits[0].at(0).toLongLong(), 131072);
    f.page->refit();
    QCOMPARE(fits.size(), 2);

    PromptFit fit;
    run::FitReport& r = fit.report;
    r.tokens = 131072;
    r.roomBytes = 24LL << 30;
    r.weightBytes = r.instrument.weightBytes = 1200 << 20;
    r.instrument.kvBytes = 300 << 20;
    r.rung = trace::Rung::Everything;
    fit.seconds = 2.9;
    const auto shown = [&](double scale) {
        f.page->setFit(id, fit);
        f.page->resize(f.theme.scaled(static_cast<int>(280 * scale)), 640);
        return label->shown();
    };
    QCOMPARE(shown(1.0), QStringLiteral("1.46 GiB of 24.0 GiB · about 3 s"));
    r.rung = trace::Rung::FewerCheckpoints;
    r.checkpoints = {run::CheckpointKind::Ranked, {0, 1, 2}};
    QCOMPARE(shown(1.0), QStringLiteral("fits with smaller checkpoints · about 3 s"));
    r.checkpoints.kind = run::CheckpointKind::RankedOnHost;
    r.instrument.pinnedBytes = 3LL << 30;
    QVERIFY2(shown(1.0).contains(QStringLiteral("checkpoints in host memory")),
             qPrintable(shown(1.0)));
    QVERIFY(label->toolTip().contains(QStringLiteral("host's memory 3.00 GiB")));
    r.checkpoints.layers = {3, 7, 11};
    QCOMPARE(shown(1.0), QStringLiteral("fits with every 4th checkpoint · about 3 s"));
    r.rung = trace::Rung::Deployed;
    r.givenUp = "capture, as looking into this prompt needs 25.0 GiB of 24.0 GiB";
    QVERIFY(shown(1.0).startsWith(QStringLiteral("deployed path only")));
    QVERIFY(label->toolTip().contains(QStringLiteral("Given up to fit: capture")));
    r.rung = trace::Rung::FastKvAlone;
    QVERIFY(shown(1.0).startsWith(QStringLiteral("FastKV alone")));
    // In fewer words where it is narrow, never cut.
    for (const trace::Rung rung : {trace::Rung::Everything, trace::Rung::FewerCheckpoints,
                                   trace::Rung::Deployed, trace::Rung::FastKvAlone})
        for (const double scale : {1.0, 0.72}) {
            r.rung = rung;
            QVERIFY2(!shown(scale).contains(u'…'), qPrintable(shown(scale)));
        }
    r.rung.reset();
    r.mostTokens = 41000;
    QCOMPARE(shown(1.0), QStringLiteral("does not fit: at most 41,000 tokens"));
    QVERIFY(label->toolTip().contains(QStringLiteral("At most 41,000 tokens")));
    savePicture(*f.page, QStringLiteral("prompt-does-not-fit"));
    // It belongs to the text it was made for.
    QTest::keyClicks(&f.page->editor(), QStringLiteral("!"));
    QCOMPARE(label->text(), QString());
    f.page->setFit(id, fit);
    QCOMPARE(label->text(), QString());
}

QTEST_MAIN(TestPromptFit)
#include "test_prompt_fit.moc"
