// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/run/hide_fact.h"
#include "app/run/json_file.h"
#include "app/run/samples.h"
#include "engine/core/error.h"
#include "engine/text/tokenizer.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>

using namespace fkv::app;

namespace {

const QString kPrompts = QStringLiteral(FKV_RESOURCES "/prompts");

QByteArray rangeOf(const QByteArray& text, const std::pair<qsizetype, qsizetype>& range) {
    return text.mid(range.first, range.second - range.first);
}

QByteArray rangeOf(const PromptInput& prompt, std::size_t span) {
    const PromptInput::Span& s = prompt.spans[span];
    return prompt.text.toUtf8().mid(s.byteBegin, s.byteEnd - s.byteBegin);
}

struct Needle {
    QString id, question;
    QByteArray excerpt;
    std::vector<Insertion> facts;
    std::size_t tokens = 0;
};

std::vector<Needle> needles() {
    const QByteArray json = readFile(QStringLiteral(FKV_TEST_DATA "/needles.json"), 1 << 20);
    std::vector<Needle> out;
    for (const QJsonValue& value :
         QJsonDocument::fromJson(json)[QLatin1String("cases")].toArray()) {
        const QJsonObject entry = value.toObject();
        const auto number = [&entry](const char* key) {
            return static_cast<qsizetype>(entry[QLatin1String(key)].toInteger());
        };
        Needle needle;
        needle.id = entry[QLatin1String("id")].toString();
        needle.question = entry[QLatin1String("question")].toString();
        needle.tokens = static_cast<std::size_t>(number("tokens"));
        const QString file = entry[QLatin1String("haystack")].toString() + QStringLiteral(".txt");
        needle.excerpt = readFile(kPrompts + QStringLiteral("/haystacks/") + file, 1 << 20)
                             .mid(number("begin"), number("bytes"));
        for (const QJsonValue& f : entry[QLatin1String("facts")].toArray())
            needle.facts.push_back({f[QLatin1String("text")].toString(),
                                    static_cast<qsizetype>(f[QLatin1String("at")].toInteger())});
        out.push_back(std::move(needle));
    }
    return out;
}

/// The assembly in the words of needles.json, as plainly as it can be written: from the last to the
/// first, so that no offset moves.
QByteArray byTheBook(const Needle& needle) {
    QByteArray text = needle.excerpt;
    for (std::size_t i = needle.facts.size(); i-- > 0;)
        text.insert(needle.facts[i].at, needle.facts[i].text.toUtf8() + ' ');
    return text + "\nQuestion: " + needle.question.toUtf8() + "\nAnswer:";
}

} // namespace

class TestHideFact : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void assemblesNeedlesByteForByte();
    void knowsTheSentenceStartsOfNeedles();
    void equalOffsetsKeepTheirOrder();
    void hidesAgainWhereASampleHidesIts();
    void baseForgetsFactAndQuestion();
    void excerptsEndWithASentence();
    void excerptsHaveAboutTheTokensAsked();
    void depthSnapsToSentences_data();
    void depthSnapsToSentences();
    void startsOfOddTexts();
    void movingTheFactKeepsWhatIsInFront();
    void distractorsNeverAnswer();
    void fillsBlanksOnce();
    void leavesOutBadEntries();
};

void TestHideFact::assemblesNeedlesByteForByte() {
    const auto tokenizer = fkv::text::openTokenizer(FKV_RESOURCES "/models/demo");
    const std::vector<Needle> cases = needles();
    QCOMPARE(cases.size(), std::size_t{48});
    for (const Needle& needle : cases) {
        const Assembled got = assemble(needle.excerpt, needle.facts, needle.question);
        QCOMPARE(got.text, byTheBook(needle));
        for (std::size_t i = 0; i < needle.facts.size(); ++i)
            QCOMPARE(rangeOf(got.text, got.ranges[i]), needle.facts[i].text.toUtf8());
        QCOMPARE(rangeOf(got.text, got.question), needle.question.toUtf8());
        // The file counted its tokens when it was made: an oracle that is not this code.
        QCOMPARE(tokenizer->encode(got.text.toStdString(), true).ids.size(), needle.tokens);
    }
}

void TestHideFact::knowsTheSentenceStartsOfNeedles() {
    for (const Needle& needle : needles()) {
        const std::vector<qsizetype> starts = sentenceStarts(needle.excerpt);
        QVERIFY(std::is_sorted(starts.begin(), starts.end()));
        for (const Insertion& fact : needle.facts)
            QVERIFY2(std::binary_search(starts.begin(), starts.end(), fact.at),
                     qPrintable(needle.id));
    }
}

void TestHideFact::equalOffsetsKeepTheirOrder() {
    const Assembled got = assemble(
        "One. Two.",
        {{QStringLiteral("C."), 5}, {QStringLiteral("A."), 0}, {QStringLiteral("D."), 5}}, {});
    QCOMPARE(got.text, QByteArray("A. One. C. D. Two."));
    QCOMPARE(rangeOf(got.text, got.ranges[0]), QByteArray("C."));
    QCOMPARE(rangeOf(got.text, got.ranges[2]), QByteArray("D."));
    QCOMPARE(got.question.first, got.question.second);
}

void TestHideFact::hidesAgainWhereASampleHidesIts() {
    for (const Sample& sample : loadSamples(kPrompts).samples) {
        const PromptInput prompt = promptOf(sample);
        const QByteArray base = baseOf(prompt);
        QVERIFY(!base.contains(sample.fact.toUtf8()));
        QVERIFY(!base.contains("Question: "));
        HidePlan plan;
        plan.base = base;
        plan.fact = {sample.fact, sample.question, sample.answer};
        plan.depth = static_cast<double>(sample.factBegin) / static_cast<double>(base.size());
        PromptInput again = hide(plan, {});
        again.sampleId = sample.id;
        QCOMPARE(again.text, prompt.text);
        QVERIFY(again == prompt);
    }
}

void TestHideFact::baseForgetsFactAndQuestion() {
    const auto base = [](const char* text, std::vector<PromptInput::Span> spans = {}) {
        return baseOf({QString::fromUtf8(text), {}, std::move(spans), {}});
    };
    QCOMPARE(base("Text.\nQuestion: Who?\nAnswer:"), QByteArray("Text."));
    QCOMPARE(base("Text.\nQuestion: Who?\nAnswer: \n"), QByteArray("Text."));
    QCOMPARE(base("Question: Who?\nAnswer:"), QByteArray());
    // Not at the end, or not a question: part of the text.
    QCOMPARE(base("Question: Who?\nAnswer: I.\nMore"),
             QByteArray("Question: Who?\nAnswer: I.\nMore"));
    QCOMPARE(base("A Question: Who?\nAnswer:"), QByteArray("A Question: Who?\nAnswer:"));
    QCOMPARE(base("Question: Who\nor what?\nAnswer:"),
             QByteArray("Question: Who\nor what?\nAnswer:"));
    QCOMPARE(base("Ä. F. B.", {{4, 6, QStringLiteral("fact")}}), QByteArray("Ä. B."));
    QCOMPARE(base("B. F.", {{3, 5, QStringLiteral("fact")}}), QByteArray("B. "));
    QCOMPARE(base("B. F.", {{3, 99, QStringLiteral("fact")}}), QByteArray("B. F."));
}

void TestHideFact::excerptsEndWithASentence() {
    const QByteArray text = "Alpha beta. Gamma — delta.\nNext line. End";
    QCOMPARE(excerpt(text, 100), text);
    QCOMPARE(excerpt(text, text.size()), text);
    QCOMPARE(excerpt(text, 14), QByteArray("Alpha beta."));
    QCOMPARE(excerpt(text, 11), QByteArray("Alpha beta."));
    QCOMPARE(excerpt(text, 34), QByteArray("Alpha beta. Gamma — delta."));
    QCOMPARE(excerpt(text, 5), QByteArray("Alpha"));
    QCOMPARE(excerpt("one two three", 9), QByteArray("one two"));
    QCOMPARE(excerpt("äöü", 3), QByteArray("ä"));
    QCOMPARE(excerpt("äöü", 0), QByteArray());
    QCOMPARE(excerpt({}, 10), QByteArray());
}

void TestHideFact::excerptsHaveAboutTheTokensAsked() {
    const auto tokenizer = fkv::text::openTokenizer(FKV_RESOURCES "/models/demo");
    const FactLibrary library = loadFactLibrary(kPrompts);
    QCOMPARE(library.haystacks.size(), std::size_t{3});
    for (const Haystack& haystack : library.haystacks) {
        const QByteArray text = readHaystack(haystack).toUtf8();
        QCOMPARE(text.size(), haystack.bytes);
        for (const double tokens : {1000.0, 3000.0, 7000.0}) {
            const QByteArray part =
                excerpt(text, static_cast<qsizetype>(tokens * haystack.bytesPerToken()));
            const auto got =
                static_cast<double>(tokenizer->encode(part.toStdString(), true).ids.size());
            QVERIFY2(got > 0.85 * tokens && got < 1.1 * tokens,
                     qPrintable(QStringLiteral("%1: %2").arg(haystack.id).arg(got)));
        }
    }
}

void TestHideFact::depthSnapsToSentences_data() {
    QTest::addColumn<double>("depth");
    QTest::addColumn<int>("index");
    QTest::newRow("before all") << -1.0 << 0;
    QTest::newRow("start") << 0.0 << 0;
    QTest::newRow("just nearer the first") << 0.29 << 0;
    QTest::newRow("just nearer the second") << 0.31 << 1;
    QTest::newRow("end") << 1.0 << 2;
    QTest::newRow("beyond") << 7.0 << 2;
    QTest::newRow("not a number") << std::nan("") << 0;
}

void TestHideFact::depthSnapsToSentences() {
    QFETCH(double, depth);
    QFETCH(int, index);
    const QByteArray text = "One now. Two now. Three now. ab"; // starts at 9, 18 and, small, not 29
    const std::vector<qsizetype> starts{0, 18, 24};
    const Place place = placeFor(starts, 30, depth);
    QCOMPARE(place.index, static_cast<std::size_t>(index));
    QCOMPARE(place.at, starts[static_cast<std::size_t>(index)]);
    QCOMPARE(place.count, std::size_t{3});
    const std::vector<qsizetype> expected{9, 18};
    QCOMPARE(sentenceStarts(text), expected);
}

void TestHideFact::startsOfOddTexts() {
    using Starts = std::vector<qsizetype>;
    QCOMPARE(sentenceStarts({}), (Starts{0}));
    QCOMPARE(sentenceStarts("word"), (Starts{0}));
    QCOMPARE(sentenceStarts("two words"), (Starts{4}));
    QCOMPARE(sentenceStarts("int a;\nint b;\n"), (Starts{7}));
    QCOMPARE(sentenceStarts("Ja? Nein! Doch"), (Starts{4, 10}));
    QCOMPARE(sentenceStarts("雨。雪。"), (Starts{6}));
    // Neither titles, initials, chapter numbers nor small letters.
    QCOMPARE(sentenceStarts(
                 "Mr. Fox met J. Hare in CHAPTER 12. Title and XIV. So vs. it etc. and on. Then"),
             (Starts{73}));
    QCOMPARE(placeFor(QByteArray(), 0.5).at, qsizetype{0});
}

void TestHideFact::movingTheFactKeepsWhatIsInFront() {
    const FactLibrary library = loadFactLibrary(kPrompts);
    HidePlan plan;
    plan.base = excerpt(readHaystack(library.haystacks[1]).toUtf8(), 8000);
    plan.fact = {QStringLiteral("The moon is made of tin."),
                 QStringLiteral("What is the moon made of?"), QStringLiteral("tin")};
    plan.distractors = 4;
    plan.seed = 5;
    plan.depth = 0.4;
    const PromptInput early = hide(plan, library.templates);
    plan.depth = 0.8;
    const PromptInput late = hide(plan, library.templates);
    QCOMPARE(rangeOf(early, 0), plan.fact.statement.toUtf8());
    QCOMPARE(rangeOf(late, 0), plan.fact.statement.toUtf8());
    QCOMPARE(rangeOf(late, 1), plan.fact.question.toUtf8());
    QVERIFY(late.spans[0].byteBegin > early.spans[0].byteBegin);
    const qsizetype front = early.spans[0].byteBegin;
    QCOMPARE(early.text.toUtf8().left(front), late.text.toUtf8().left(front));
    QVERIFY(baseOf(early) == baseOf(late));
    QVERIFY(late.text.endsWith(QStringLiteral("\nQuestion: What is the moon made of?\nAnswer:")));
}

void TestHideFact::distractorsNeverAnswer() {
    const FactLibrary library = loadFactLibrary(kPrompts);
    QVERIFY(library.problems.isEmpty());
    QCOMPARE(library.templates.size(), std::size_t{9});
    std::mt19937 random(3);
    HidePlan plan;
    plan.base = excerpt(readHaystack(library.haystacks[0]).toUtf8(), 12000);
    plan.distractors = 8;
    for (plan.seed = 0; plan.seed < 60; ++plan.seed) {
        const FactTemplate& pattern = library.templates[plan.seed % library.templates.size()];
        plan.fact = fill(pattern, randomValues(pattern, random));
        QVERIFY(!plan.fact.statement.contains(QLatin1Char('{')));
        QVERIFY(plan.fact.statement.contains(plan.fact.answer));
        const std::vector<Insertion> drawn = drawDistractors(plan, library.templates);
        QCOMPARE(drawn.size(), std::size_t{8});
        for (const Insertion& one : drawn) {
            QVERIFY2(!one.text.contains(plan.fact.answer), qPrintable(one.text));
            if (pattern.kind == QLatin1String("pass-key"))
                QVERIFY(!one.text.startsWith(QLatin1String("The pass key")));
        }
        const std::vector<Insertion> again = drawDistractors(plan, library.templates);
        QVERIFY(
            std::equal(drawn.begin(), drawn.end(), again.begin(), [](const auto& a, const auto& b) {
                return a.text == b.text && a.at == b.at;
            }));
    }
}

void TestHideFact::fillsBlanksOnce() {
    FactTemplate pattern;
    pattern.pattern = {QStringLiteral("{a} and {b} and {c}"), QStringLiteral("{b}?"),
                       QStringLiteral("{a}")};
    const Fact fact = fill(pattern, {{QStringLiteral("a"), QStringLiteral("{b}")},
                                     {QStringLiteral("b"), QStringLiteral("2")}});
    QCOMPARE(fact.statement, QStringLiteral("{b} and 2 and {c}"));
    QCOMPARE(fact.question, QStringLiteral("2?"));
    QCOMPARE(fact.answer, QStringLiteral("{b}"));
}

void TestHideFact::leavesOutBadEntries() {
    QTemporaryDir folder;
    const auto write = [&folder](const char* name, const QByteArray& text) {
        QFile file(folder.filePath(QLatin1String(name)));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(text);
    };
    write("facts.json",
          R"([{"kind":"a","title":"A","statement":"{x} is.","question":"q","answer":"{x}",
        "fillers":{"x":["1"]}}, {"kind":"b"}, 7, {"kind":"c","title":"C","statement":"{y}","question":"q",
        "answer":"a","fillers":{"x":["1"]}}])");
    write("haystacks.json",
          R"([{"id":"h","title":"H","file":"../../etc/passwd","bytes":1,"tokens":1},
        {"id":"i","title":"I","file":"i.txt","bytes":4,"tokens":1}])");
    const FactLibrary library = loadFactLibrary(folder.path());
    QCOMPARE(library.templates.size(), std::size_t{1});
    QCOMPARE(library.haystacks.size(), std::size_t{1});
    QCOMPARE(library.problems.size(), 4);
    QVERIFY(library.problems[2].contains(QStringLiteral("entry 4: nothing to fill {y} with")));
    QVERIFY_EXCEPTION_THROWN(readHaystack(library.haystacks[0]), fkv::Error);
    write("facts.json", "[{]");
    QVERIFY_EXCEPTION_THROWN(loadFactLibrary(folder.path()), fkv::Error);
    write("i.txt", "ab\xff.");
    QVERIFY_EXCEPTION_THROWN(readHaystack(library.haystacks[0]), fkv::Error);
}

QTEST_GUILESS_MAIN(TestHideFact)
#include "test_hide_fact.moc"
