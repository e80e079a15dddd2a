// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/run/hide_fact.h"

#include "app/run/samples.h"

#include <QRegularExpression>
#include <algorithm>
#include <cctype>
#include <cmath>
#include <numeric>
#include <set>
#include <string_view>

namespace fkv::app {
namespace {

bool isSpace(char c) {
    return c == ' ' || c == '\n' || c == '\t';
}
bool isContinuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// Does the full stop at `dot` end an abbreviation, an initial or a number rather than a sentence?
bool isAbbreviation(std::string_view text, std::size_t dot) {
    std::size_t begin = dot;
    while (begin > 0 && !isSpace(text[begin - 1]))
        --begin;
    const std::string_view word = text.substr(begin, dot - begin);
    static constexpr std::string_view kTitles[] = {
        "Mr", "Mrs", "Ms", "Dr", "St", "Prof", "Messrs", "Capt", "Col", "Gen", "Lt", "No", "vs"};
    if (word.size() <= 1 ||
        std::find(std::begin(kTitles), std::end(kTitles), word) != std::end(kTitles))
        return true;
    return std::all_of(word.begin(), word.end(), [](unsigned char c) {
        return std::isdigit(c) != 0 ||
               std::string_view("IVXLC").find(static_cast<char>(c)) != std::string_view::npos;
    });
}

/// Starts behind a full stop and a space: where the demo model met facts in training.
std::vector<qsizetype> behindFullStops(std::string_view text) {
    std::vector<qsizetype> starts;
    for (std::size_t i = 2; i < text.size(); ++i) {
        if (text[i - 1] != ' ' || text[i - 2] != '.') continue;
        if (std::islower(static_cast<unsigned char>(text[i])) != 0 || isSpace(text[i])) continue;
        if (!isAbbreviation(text, i - 2)) starts.push_back(static_cast<qsizetype>(i));
    }
    return starts;
}

/// Starts behind the other marks that end a sentence, in any script we know one of.
std::vector<qsizetype> behindOtherMarks(std::string_view text) {
    std::vector<qsizetype> starts;
    static constexpr std::string_view kMarks[] = {"。", "！", "？", "।", "؟"};
    for (std::size_t i = 1; i < text.size(); ++i) {
        const bool latin =
            i >= 2 && text[i - 1] == ' ' && (text[i - 2] == '!' || text[i - 2] == '?');
        const bool other =
            std::any_of(std::begin(kMarks), std::end(kMarks), [&](std::string_view mark) {
                return i >= mark.size() && text.substr(i - mark.size(), mark.size()) == mark;
            });
        if (latin || other) starts.push_back(static_cast<qsizetype>(i));
    }
    return starts;
}

std::vector<qsizetype> behind(std::string_view text, char mark) {
    std::vector<qsizetype> starts;
    for (std::size_t i = 1; i < text.size(); ++i)
        if (text[i - 1] == mark && !isSpace(text[i])) starts.push_back(static_cast<qsizetype>(i));
    return starts;
}

std::string_view viewOf(const QByteArray& bytes) {
    return {bytes.constData(), static_cast<std::size_t>(bytes.size())};
}

} // namespace

std::vector<qsizetype> sentenceStarts(const QByteArray& text) {
    const std::string_view view = viewOf(text);
    std::vector<qsizetype> starts = behindFullStops(view);
    if (starts.empty()) starts = behindOtherMarks(view);
    if (starts.empty()) starts = behind(view, '\n');
    if (starts.empty()) starts = behind(view, ' ');
    if (starts.empty()) starts = {0};
    return starts;
}

QByteArray excerpt(const QByteArray& text, qsizetype bytes) {
    if (bytes >= text.size()) return text;
    qsizetype end = std::max<qsizetype>(bytes, 0);
    while (end > 0 && isContinuation(text[end]))
        --end; // never half a character
    // A sentence ends one byte in front of the next one's start, or at the end of a line.
    const std::vector<qsizetype> starts = behindFullStops(viewOf(text.left(end + 2)));
    const qsizetype sentence = starts.empty() ? 0 : starts.back() - 1;
    const qsizetype line = text.lastIndexOf('\n', end);
    const qsizetype word = text.lastIndexOf(' ', end);
    const qsizetype cut = std::max<qsizetype>({sentence, line, 0});
    if (cut > 0 && cut <= end) return text.left(cut);
    return text.left(word > 0 ? word : end);
}

QByteArray baseOf(const PromptInput& prompt) {
    QByteArray text = prompt.text.toUtf8();
    std::vector<PromptInput::Span> facts;
    for (const PromptInput::Span& span : prompt.spans)
        if (span.name == QLatin1String("fact") && span.byteBegin >= 0 &&
            span.byteEnd <= text.size())
            facts.push_back(span);
    std::sort(facts.begin(), facts.end(),
              [](const auto& a, const auto& b) { return a.byteBegin > b.byteBegin; });
    for (const PromptInput::Span& fact : facts) {
        const bool space = fact.byteEnd < text.size() && text[fact.byteEnd] == ' ';
        text.remove(fact.byteBegin, fact.byteEnd - fact.byteBegin + (space ? 1 : 0));
    }
    // The question is the last thing of the text, if it is there at all.
    const QByteArray mark = QByteArrayLiteral("Question: ");
    const qsizetype at = text.lastIndexOf(mark);
    if (at < 0 || (at > 0 && text[at - 1] != '\n')) return text;
    const qsizetype answer = text.indexOf(QByteArrayLiteral("\nAnswer:"), at);
    if (answer < 0 || text.mid(at, answer - at).contains('\n') ||
        !text.mid(answer + 8).trimmed().isEmpty())
        return text;
    return text.left(std::max<qsizetype>(at - 1, 0));
}

Assembled assemble(const QByteArray& base, const std::vector<Insertion>& insertions,
                   const QString& question) {
    std::vector<std::size_t> order(insertions.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return insertions[a].at < insertions[b].at;
    });
    Assembled out;
    out.ranges.resize(insertions.size());
    qsizetype done = 0;
    for (const std::size_t i : order) {
        const qsizetype at = std::clamp<qsizetype>(insertions[i].at, 0, base.size());
        out.text += base.mid(done, at - done);
        done = at;
        const QByteArray text = insertions[i].text.toUtf8();
        out.ranges[i] = {out.text.size(), out.text.size() + text.size()};
        out.text += text + ' ';
    }
    out.text += base.mid(done);
    if (question.isEmpty()) return out;
    const qsizetype begin = out.text.size() + QByteArrayLiteral("\nQuestion: ").size();
    out.text += questionTail(question).toUtf8();
    out.question = {begin, begin + question.toUtf8().size()};
    return out;
}

Place placeFor(const std::vector<qsizetype>& starts, qsizetype size, double depth) {
    const double wanted =
        std::clamp(std::isfinite(depth) ? depth : 0.0, 0.0, 1.0) * static_cast<double>(size);
    const auto after =
        std::lower_bound(starts.begin(), starts.end(), wanted,
                         [](qsizetype at, double w) { return static_cast<double>(at) < w; });
    auto best = after == starts.end() ? after - 1 : after;
    if (best != starts.begin() &&
        wanted - static_cast<double>(*(best - 1)) <= std::fabs(static_cast<double>(*best) - wanted))
        --best;
    return {*best, size > 0 ? static_cast<double>(*best) / static_cast<double>(size) : 0.0,
            static_cast<std::size_t>(best - starts.begin()), starts.size()};
}

Place placeFor(const QByteArray& base, double depth) {
    return placeFor(sentenceStarts(base), base.size(), depth);
}

std::vector<Insertion> drawDistractors(const HidePlan& plan,
                                       const std::vector<FactTemplate>& templates) {
    std::vector<Insertion> drawn;
    if (templates.empty() || plan.distractors <= 0) return drawn;
    const std::vector<qsizetype> starts = sentenceStarts(plan.base);
    std::mt19937 random(plan.seed);
    // Other templates may fit the question too: what counts is that neither it nor the answer
    // returns.
    std::set<QString> questions{plan.fact.question};
    for (int attempt = 0; attempt < plan.distractors * 20; ++attempt) {
        if (static_cast<int>(drawn.size()) == plan.distractors) break;
        const FactTemplate& pattern = templates[pick(random, templates.size())];
        const Fact fact = fill(pattern, randomValues(pattern, random));
        const qsizetype at = starts[pick(random, starts.size())];
        // A sentence that holds the answer could give it away, whatever it is about.
        const bool answers = !plan.fact.answer.isEmpty() &&
                             fact.statement.contains(plan.fact.answer, Qt::CaseInsensitive);
        if (answers || !questions.insert(fact.question).second) continue;
        drawn.push_back({fact.statement, at});
    }
    return drawn;
}

PromptInput hide(const HidePlan& plan, const std::vector<FactTemplate>& templates) {
    std::vector<Insertion> insertions{{plan.fact.statement, placeFor(plan.base, plan.depth).at}};
    for (Insertion& distractor : drawDistractors(plan, templates))
        insertions.push_back(std::move(distractor));
    const Assembled assembled = assemble(plan.base, insertions, plan.fact.question);
    PromptInput prompt;
    prompt.text = QString::fromUtf8(assembled.text);
    prompt.expected = plan.fact.answer;
    prompt.spans.push_back(
        {assembled.ranges[0].first, assembled.ranges[0].second, QStringLiteral("fact")});
    if (assembled.question.first < assembled.question.second)
        prompt.spans.push_back(
            {assembled.question.first, assembled.question.second, QStringLiteral("question")});
    return prompt;
}

} // namespace fkv::app
