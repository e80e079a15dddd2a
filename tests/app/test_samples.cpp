// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/run/samples.h"
#include "engine/core/error.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>

using namespace fkv::app;

namespace {

const QString kPrompts = QStringLiteral(FKV_RESOURCES "/prompts");

QByteArray spanOf(const PromptInput& prompt, std::size_t span) {
    const PromptInput::Span& s = prompt.spans[span];
    return prompt.text.toUtf8().mid(s.byteBegin, s.byteEnd - s.byteBegin);
}

} // namespace

class TestSamples : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void readsTheListOfTheProgram();
    void spansAreFactAndQuestion();
    void refusesWhatIsNoList();
    void leavesOutBadEntries();
    void refusesATextThatChanged();
};

void TestSamples::readsTheListOfTheProgram() {
    const SampleList list = loadSamples(kPrompts);
    QVERIFY2(list.problems.isEmpty(), qPrintable(list.problems.join(QLatin1Char('\n'))));
    QVERIFY(list.samples.size() >= 3);
    QVERIFY(!list.samples.front().knownFailure);
    QCOMPARE(std::count_if(list.samples.begin(), list.samples.end(),
                           [](const Sample& s) { return s.knownFailure; }),
             1);
    for (const Sample& sample : list.samples)
        QVERIFY(sample.tokens > 1000);
}

void TestSamples::spansAreFactAndQuestion() {
    for (const Sample& sample : loadSamples(kPrompts).samples) {
        const PromptInput prompt = promptOf(sample);
        QCOMPARE(prompt.sampleId, sample.id);
        QCOMPARE(prompt.expected, sample.answer);
        QCOMPARE(prompt.spans.size(), std::size_t{2});
        QCOMPARE(prompt.spans[0].name, QStringLiteral("fact"));
        QCOMPARE(spanOf(prompt, 0), sample.fact.toUtf8());
        QCOMPARE(prompt.spans[1].name, QStringLiteral("question"));
        QCOMPARE(spanOf(prompt, 1), sample.question.toUtf8());
        QVERIFY(prompt.text.endsWith(questionTail(sample.question)));
    }
}

void TestSamples::refusesWhatIsNoList() {
    QTemporaryDir folder;
    QVERIFY_EXCEPTION_THROWN(loadSamples(folder.path()), fkv::Error);
    QFile file(folder.filePath(QStringLiteral("samples.json")));
    for (const char* text : {"", "{}", "[1,", "7", "[\"a\"", "\xff\xfe"}) {
        QVERIFY(file.open(QIODevice::WriteOnly | QIODevice::Truncate));
        file.write(text);
        file.close();
        QVERIFY_EXCEPTION_THROWN(loadSamples(folder.path()), fkv::Error);
    }
}

void TestSamples::leavesOutBadEntries() {
    QTemporaryDir folder;
    QFile file(folder.filePath(QStringLiteral("samples.json")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    const QByteArray good =
        R"("title":"T","fact":"F.","question":"Q?","answer":"A","byte_begin":0,"byte_end":2)";
    file.write("[null, {\"id\":\"a\",\"file\":\"a.txt\"," + good + "}, {\"id\":\"b\"," + good +
               "}, {\"id\":\"c\",\"file\":\"/etc/passwd\"," + good +
               "}, {\"id\":\"d\",\"file\":\"x/../../d.txt\"," + good +
               "}, {\"id\":\"e\",\"file\":\"e.txt\","
               "\"title\":\"T\",\"fact\":\"F.\",\"question\":\"Q?\",\"answer\":\"A\",\"byte_"
               "begin\":5,\"byte_end\":2}]");
    file.close();
    const SampleList list = loadSamples(folder.path());
    QCOMPARE(list.samples.size(), std::size_t{1});
    QCOMPARE(list.samples[0].id, QStringLiteral("a"));
    QCOMPARE(list.problems.size(), 5);
    QVERIFY(list.problems[0].contains(QStringLiteral("entry 1: no id")));
    QVERIFY(list.problems[3].contains(QStringLiteral("outside")));
    QVERIFY_EXCEPTION_THROWN(promptOf(list.samples[0]), fkv::Error); // a.txt is not there
}

void TestSamples::refusesATextThatChanged() {
    Sample sample = loadSamples(kPrompts).samples.front();
    QTemporaryDir folder;
    QFile file(folder.filePath(QStringLiteral("a.txt")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("Another text.");
    file.close();
    sample.path = file.fileName();
    QVERIFY_EXCEPTION_THROWN(promptOf(sample), fkv::Error);
}

QTEST_GUILESS_MAIN(TestSamples)
#include "test_samples.moc"
