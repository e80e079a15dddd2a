// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/synthetic_run.h"
#include "viz/series/token_search.h"
#include "viz/series/token_text.h"
#include "viz/text/token_font.h"
#include "viz/text/token_layout.h"
#include "viz/text/token_line.h"

#include <QtTest>

using namespace fkv;
using namespace fkv::viz;

namespace {

/// A prompt whose tokens are these pieces of text, one after the other.
std::shared_ptr<const trace::Prompt> promptOf(const std::vector<std::string>& words) {
    auto prompt = std::make_shared<trace::Prompt>();
    std::int32_t id = 10;
    for (const std::string& word : words) {
        const auto begin = static_cast<std::uint32_t>(prompt->text.size());
        prompt->text += word;
        prompt->bytes.emplace_back(begin, static_cast<std::uint32_t>(prompt->text.size()));
        prompt->ids.push_back(id++);
        prompt->pieces.emplace_back();
    }
    return prompt;
}

/// Every box is 10 px wide, so that a line of 50 px holds five.
ShapeWidths tens(const TokenText& text) {
    return {std::vector<float>(text.shapes().size(), 10.0F), 0.0F};
}

std::vector<std::vector<std::int64_t>> linesOf(const TokenLayout& layout) {
    std::vector<std::vector<std::int64_t>> out;
    for (std::int64_t i = 0; i < layout.lines(); ++i) {
        out.emplace_back();
        for (std::int64_t t = layout.tokens(i).begin; t < layout.tokens(i).end; ++t)
            out.back().push_back(t);
    }
    return out;
}

using Lines = std::vector<std::vector<std::int64_t>>;

} // namespace

class TestTokenLayout : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void wordsStayTogether() {
        const TokenText text(promptOf({"The", " pass", "word", " of", " Ja", "ne", " is"}));
        QCOMPARE(linesOf(TokenLayout(text, tens(text), 30.0)), (Lines{{0, 1, 2}, {3, 4, 5}, {6}}));
        // "pass" would fit, "password" would not.
        QCOMPARE(linesOf(TokenLayout(text, tens(text), 20.0)),
                 (Lines{{0}, {1, 2}, {3}, {4, 5}, {6}}));
    }
    void longWordsBreakAnywhere() {
        const TokenText text(promptOf({" a", " bb", "cc", "dd", "ee", " f"}));
        QCOMPARE(linesOf(TokenLayout(text, tens(text), 20.0)), (Lines{{0}, {1, 2}, {3, 4}, {5}}));
        QCOMPARE(linesOf(TokenLayout(text, tens(text), 5.0)),
                 (Lines{{0}, {1}, {2}, {3}, {4}, {5}}));
    }
    void newlinesEndLines() {
        const TokenText text(promptOf({"a", "\n", "\n", " b", "\n"}));
        QCOMPARE(linesOf(TokenLayout(text, tens(text), 100.0)), (Lines{{0, 1}, {2}, {3, 4}}));
        QCOMPARE(text.shapes()[text.shapeOf()[1]].label, QStringLiteral("↵"));
    }
    void emptyPromptHasNoLines() {
        const TokenText text(promptOf({}));
        const TokenLayout layout(text, tens(text), 100.0);
        QCOMPARE(layout.lines(), std::int64_t{0});
        QCOMPARE(layout.lineOf(0), std::int64_t{0});
    }
    void lineStartsCoverAllTokensOnce() {
        const auto run = testing::makeRun(
            {.tokens = 5000, .layers = 2, .settings = {.tspLayer = 1}, .tables = false});
        const TokenText text(run->prompt);
        const TokenFont font(QGuiApplication::font());
        const ShapeWidths widths = font.widths(text);
        for (const double available : {1.0, 40.0, 220.0, 560.0, 1e6}) {
            const TokenLayout layout(text, widths, available);
            std::int64_t next = 0;
            for (std::int64_t line = 0; line < layout.lines(); ++line) {
                const TokenRange tokens = layout.tokens(line);
                QCOMPARE(tokens.begin, next);
                QVERIFY(tokens.size() > 0);
                QCOMPARE(layout.lineOf(tokens.begin), line);
                QCOMPARE(layout.lineOf(tokens.end - 1), line);
                next = tokens.end;
            }
            QCOMPARE(next, text.size());
        }
    }
    void widthsAddUpToWhatIsDrawn() {
        const auto run = testing::makeRun(
            {.tokens = 3000, .layers = 2, .settings = {.tspLayer = 1}, .tables = false});
        const TokenText text(run->prompt);
        const TokenFont font(QGuiApplication::font());
        const double available = 230.0;
        const TokenLayout layout(text, font.widths(text), available);
        for (std::int64_t line = 0; line < layout.lines(); ++line) {
            const ShapedLine shaped = shapeLine(text, layout, font, line, available);
            QVERIFY2(shaped.boxes.back().right() <= available + 2.0F,
                     qPrintable(QStringLiteral("line %1 ends at %2")
                                    .arg(line)
                                    .arg(static_cast<double>(shaped.boxes.back().right()))));
            for (std::size_t i = 1; i < shaped.boxes.size(); ++i)
                QVERIFY(std::fabs(shaped.boxes[i].left() - shaped.boxes[i - 1].right()) < 1e-3F);
        }
    }
    void tokensOfOneCharacterShareABox() {
        // U+1F600 as four byte tokens that all carry its range, as sentencepiece gives it.
        auto prompt = std::make_shared<trace::Prompt>();
        prompt->text = "a\xF0\x9F\x98\x80z";
        prompt->bytes = {{0, 1}, {1, 5}, {1, 5}, {1, 5}, {1, 5}, {5, 6}};
        prompt->ids = {1, 2, 3, 4, 5, 6};
        const TokenText text(prompt);
        QCOMPARE(text.box(0), (TokenRange{0, 1}));
        for (std::int64_t i = 1; i < 5; ++i)
            QCOMPARE(text.box(i), (TokenRange{1, 5}));
        QCOMPARE(text.box(5), (TokenRange{5, 6}));
        QCOMPARE(text.shapes()[text.shapeOf()[1]].label, QStringLiteral("😀"));
        QCOMPARE(text.text({2, 4}), std::string("\xF0\x9F\x98\x80"));
        // The same character cut between tokens that carry their own bytes.
        const TokenText cut(promptOf({"a", "\xF0\x9F", "\x98", "\x80", "z"}));
        QCOMPARE(cut.box(2), (TokenRange{1, 4}));
        QCOMPARE(cut.shapes()[cut.shapeOf()[1]].label, QStringLiteral("😀"));
    }
    void combiningMarksJoinTheirLetter() {
        const TokenText text(promptOf({"e", "\xCC\x81", "t"})); // e, U+0301, t
        QCOMPARE(text.box(1), (TokenRange{0, 2}));
        QCOMPARE(text.box(2), (TokenRange{2, 3}));
    }
    void invalidBytesBecomePills() {
        const TokenText text(
            promptOf({"a", "\x80", "\xE2\x82", "\xC0\xAF", "b", std::string(1, '\0')}));
        const auto shape = [&](std::size_t token) { return text.shapes()[text.shapeOf()[token]]; };
        QCOMPARE(shape(1).kind, TokenShape::Kind::Pill);
        QCOMPARE(shape(1).label, QStringLiteral("<80>"));
        QCOMPARE(shape(2).label, QStringLiteral("<E2><82>"));
        QCOMPARE(shape(3).label, QStringLiteral("<C0><AF>"));
        QCOMPARE(shape(4).kind, TokenShape::Kind::Text);
        QCOMPARE(shape(5).kind, TokenShape::Kind::Pill);
        QCOMPARE(shape(5).label, QStringLiteral("␀"));
    }
    void tokensWithoutTextShowTheirPiece() {
        auto prompt = std::make_shared<trace::Prompt>();
        prompt->text = "hi";
        prompt->bytes = {{0, 0}, {0, 2}, {7, 9}}; // the last lies outside the text
        prompt->ids = {1, 2, 77};
        prompt->pieces = {"<s>", "", ""};
        const TokenText text(prompt);
        QCOMPARE(text.shapes()[text.shapeOf()[0]].label, QStringLiteral("<s>"));
        QCOMPARE(text.shapes()[text.shapeOf()[0]].kind, TokenShape::Kind::Pill);
        QCOMPARE(text.shapes()[text.shapeOf()[2]].label, QStringLiteral("#77"));
        QCOMPARE(text.text({0, 3}), std::string("hi"));
    }
    void directionsThatWouldTurnTheLineAreNamed() {
        const TokenShape shape = shapeOfText("\xE2\x80\xAE"); // right-to-left override
        QCOMPARE(shape.kind, TokenShape::Kind::Pill);
        QCOMPARE(shape.label, QStringLiteral("U+202E"));
    }
    void sameIdWithOtherTextHasItsOwnShape() {
        // The first word of a text loses the space that its piece carries.
        auto prompt = std::make_shared<trace::Prompt>();
        prompt->text = "The sea The";
        prompt->bytes = {{0, 3}, {3, 7}, {7, 11}};
        prompt->ids = {5, 6, 5};
        const TokenText text(prompt);
        QCOMPARE(text.shapes()[text.shapeOf()[0]].label, QStringLiteral("The"));
        QCOMPARE(text.shapes()[text.shapeOf()[2]].label, QStringLiteral(" The"));
    }
    void rightToLeftRunsFromTheRight() {
        const std::vector<std::string> words{"שלום", " עולם", " abc", " ספר"};
        const TokenText text(promptOf(words));
        const TokenFont font(QGuiApplication::font());
        const TokenLayout layout(text, font.widths(text), 400.0);
        QCOMPARE(layout.lines(), std::int64_t{1});
        QVERIFY(layout.rightToLeft(0));
        const ShapedLine line = shapeLine(text, layout, font, 0, 400.0);
        for (std::size_t i = 1; i < line.boxes.size(); ++i)
            QVERIFY2(line.boxes[i].right() <= line.boxes[i - 1].left() + 1.0F,
                     "boxes run to the left");
        QVERIFY(std::fabs(line.boxes[0].right() - 400.0F) < 2.0F);
        for (const ShapedLine::Box& box : line.boxes) {
            QVERIFY(box.right() > box.left());
            QCOMPARE(line.at(0.5 * static_cast<double>(box.left() + box.right()))->tokens,
                     box.tokens);
        }
    }
    void hebrewInsideEnglishIsTurnedAround() {
        const TokenText text(promptOf({"say", " שלום", " עולם", " now"}));
        const TokenFont font(QGuiApplication::font());
        const TokenLayout layout(text, font.widths(text), 400.0);
        QVERIFY(!layout.rightToLeft(0));
        const ShapedLine line = shapeLine(text, layout, font, 0, 400.0);
        // The space stays at the left, its word moves behind the next one: two places, one box.
        QCOMPARE(line.boxes[1].stretches.size(), qsizetype{2});
        QVERIFY(line.boxes[1].right() > line.boxes[2].right());
        QVERIFY(line.boxes[1].left() < line.boxes[2].left());
        QVERIFY(line.boxes[3].left() >= line.boxes[1].right() - 0.5F);
        const ShapedLine::Stretch word = line.boxes[1].stretches[1];
        QCOMPARE(line.at(0.5 * static_cast<double>(word.left + word.right)), &line.boxes[1]);
        QCOMPARE(line.at(0.5 * static_cast<double>(line.boxes[2].left() + line.boxes[2].right())),
                 &line.boxes[2]);
    }
    void hitTestingFindsTheBox() {
        const TokenText text(promptOf({"The", " pass", "word"}));
        const TokenFont font(QGuiApplication::font());
        const TokenLayout layout(text, font.widths(text), 400.0);
        const ShapedLine line = shapeLine(text, layout, font, 0, 400.0);
        for (const ShapedLine::Box& box : line.boxes) {
            QCOMPARE(line.at(static_cast<double>(box.left()) + 0.1)->tokens, box.tokens);
            QCOMPARE(line.at(static_cast<double>(box.right()) - 0.1)->tokens, box.tokens);
        }
        QCOMPARE(line.at(-50.0)->tokens, (TokenRange{0, 1}));
        QCOMPARE(line.at(5000.0)->tokens, (TokenRange{2, 3}));
        QVERIFY(ShapedLine{}.at(0.0) == nullptr);
    }
    void wrappedLinesSwallowTheirSpace() {
        const TokenText text(promptOf({"The", " sea", " sea"}));
        const TokenFont font(QGuiApplication::font());
        const double room = font.width(text.shapes()[0]) + font.width(text.shapes()[1]) + 1.0;
        const TokenLayout layout(text, font.widths(text), room);
        QCOMPARE(layout.lines(), std::int64_t{2});
        QVERIFY(layout.wrapped(1));
        QCOMPARE(shapeLine(text, layout, font, 1, room).boxes[0].drawn, QStringLiteral("sea"));
        QCOMPARE(shapeLine(text, layout, font, 0, room).boxes[1].drawn, QStringLiteral(" sea"));
    }
    void tooWideBoxesAreCut() {
        const TokenText text(promptOf({"a", std::string(300, 'x')}));
        const TokenFont font(QGuiApplication::font());
        const TokenLayout layout(text, font.widths(text), 120.0);
        QCOMPARE(layout.lines(), std::int64_t{2});
        const ShapedLine line = shapeLine(text, layout, font, 1, 120.0);
        QVERIFY(line.boxes[0].drawn.endsWith(QStringLiteral("…")));
        QVERIFY(line.boxes[0].right() <= 121.0F);
    }
    void searchFindsTokensWhateverTheCase() {
        const TokenSearch search(
            *promptOf({"The", " pass", "word", " of", " Pässe", "\xE2\x82", "x", "WORD"}));
        using Hits = std::vector<TokenRange>;
        QCOMPARE(search.find(QStringLiteral("PASSWORD")), (Hits{{1, 3}}));
        QCOMPARE(search.find(QStringLiteral("word")), (Hits{{2, 3}, {7, 8}}));
        QCOMPARE(search.find(QStringLiteral("PÄSSE")), (Hits{{4, 5}}));
        QCOMPARE(search.find(QStringLiteral("s")), (Hits{{1, 2}, {1, 2}, {4, 5}, {4, 5}}));
        QCOMPARE(search.find(QStringLiteral("xw")), (Hits{{6, 8}})); // behind stray bytes
        QCOMPARE(search.find(QString()), Hits{});
        QCOMPARE(search.find(QStringLiteral("absent")), Hits{});
        QCOMPARE(TokenSearch(trace::Prompt{}).find(QStringLiteral("a")), Hits{});
    }
    void searchFindsCharactersSplitIntoBytes() {
        auto prompt = std::make_shared<trace::Prompt>();
        prompt->text = "a\xF0\x9F\x98\x80z";
        prompt->bytes = {{0, 0}, {0, 1}, {1, 5}, {1, 5}, {1, 5}, {1, 5}, {5, 6}};
        prompt->ids = {0, 1, 2, 3, 4, 5, 6};
        const TokenSearch search(*prompt);
        QCOMPARE(search.find(QStringLiteral("😀")), (std::vector<TokenRange>{{2, 6}}));
        QCOMPARE(search.find(QStringLiteral("z")), (std::vector<TokenRange>{{6, 7}}));
        QCOMPARE(search.find(QStringLiteral("a")), (std::vector<TokenRange>{{1, 2}}));
    }
    void searchEndsSomewhere() {
        auto prompt = std::make_shared<trace::Prompt>();
        prompt->text = std::string(300000, 'x');
        prompt->ids = {1};
        prompt->bytes = {{0, 300000}};
        QCOMPARE(TokenSearch(*prompt).find(QStringLiteral("x")).size(), TokenSearch::kMostHits);
    }
    void damagedRangesStayCheap() {
        auto prompt = std::make_shared<trace::Prompt>();
        prompt->text = std::string(200000, 'x');
        for (int i = 0; i < 50000; ++i) {
            prompt->ids.push_back(3);
            prompt->bytes.emplace_back(0U, 200000U);
        }
        const TokenText text(prompt);
        for (const TokenShape& shape : text.shapes())
            QVERIFY(shape.label.size() <= 512);
        QVERIFY(text.box(25000).size() <= 64);
    }
};

QTEST_MAIN(TestTokenLayout)
#include "test_token_layout.moc"
