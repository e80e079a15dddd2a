// SPDX-License-Identifier: Apache-2.0
#include "engine/text/pre_tokenizer.h"

#include "engine/core/error.h"
#include "engine/text/pattern_json.h"
#include "engine/text/unicode.h"

#include <array>

namespace fkv::text {

namespace {

/// GPT-2's own cut, which ByteLevel makes unless it is told not to.
constexpr std::string_view kByteLevelWords =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kPunctuation = R"([\p{P}$+<=>^`|~])";

Splitter splitter(std::string_view expression, SplitBehavior behavior, bool invert = false) {
    return {Pattern::compile(expression, Dialect::Rust, "pre_tokenizer"), behavior, invert};
}

/// Rewrites every word: `rewrite(word, writer)` copies or replaces its bytes. What no word covers
/// is dropped.
template <typename Rewrite>
void rewriteWords(Words& w, Rewrite&& rewrite) {
    OffsetTextWriter writer(w.text);
    for (Range& word : w.words) {
        const std::uint32_t begin = writer.size();
        rewrite(word, writer);
        word = {begin, writer.size()};
    }
    w.text = writer.take();
}

} // namespace

PreTokenizer::PreTokenizer(const io::JsonRecord& from) {
    add(from, 0);
    if (m_steps.empty()) return;
    if (auto* last = std::get_if<ByteLevel>(&m_steps.back())) {
        last->spell = false;
        m_byteLevel = true;
    }
}

PreTokenizer::PreTokenizer(Pattern pattern) : m_byteLevel(true) {
    m_steps.emplace_back(Splitter{std::move(pattern), SplitBehavior::Isolated, false});
}

void PreTokenizer::add(const io::JsonRecord& from, int depth) {
    const std::string type = from.text("type");
    if (m_steps.size() >= kMostSteps || depth > 8) from.bad("too many steps");
    if (type == "Sequence") {
        for (const io::JsonRecord& step : from.list("pretokenizers", kMostSteps))
            add(step, depth + 1);
    } else if (type == "Split") {
        const bool invert = from.has("invert") && from.flag("invert");
        m_steps.emplace_back(Splitter{readPattern(from, "pattern"), readBehavior(from), invert});
    } else if (type == "ByteLevel") {
        addByteLevel(from);
    } else if (type == "Metaspace") {
        addMetaspace(from);
    } else if (type == "Digits") {
        const bool each = from.has("individual_digits") && from.flag("individual_digits");
        m_steps.emplace_back(
            splitter(R"(\p{N})", each ? SplitBehavior::Isolated : SplitBehavior::Contiguous));
    } else if (type == "Punctuation") {
        const bool given = from.has("behavior");
        m_steps.emplace_back(
            splitter(kPunctuation, given ? readBehavior(from) : SplitBehavior::Isolated));
    } else if (type == "Whitespace") {
        m_steps.emplace_back(splitter(R"(\w+|[^\w\s]+)", SplitBehavior::Removed, true));
    } else if (type == "WhitespaceSplit") {
        m_steps.emplace_back(splitter(R"(\s)", SplitBehavior::Removed));
    } else if (type == "BertPreTokenizer") {
        m_steps.emplace_back(splitter(R"(\s)", SplitBehavior::Removed));
        m_steps.emplace_back(splitter(kPunctuation, SplitBehavior::Isolated));
    } else if (type == "CharDelimiterSplit") {
        m_steps.emplace_back(
            Splitter{Pattern::literal(from.text("delimiter")), SplitBehavior::Removed, false});
    } else {
        throw Error(ErrorCode::Unsupported, from.where() + ": the pre-tokenizer " + type +
                                                " is not one that this program knows");
    }
}

void PreTokenizer::addByteLevel(const io::JsonRecord& from) {
    const bool prefix = !from.has("add_prefix_space") || from.flag("add_prefix_space");
    const bool words = !from.has("use_regex") || from.flag("use_regex");
    if (prefix) m_steps.emplace_back(ByteLevel{true, false});
    if (words) m_steps.emplace_back(splitter(kByteLevelWords, SplitBehavior::Isolated));
    m_steps.emplace_back(ByteLevel{false, true});
}

void PreTokenizer::addMetaspace(const io::JsonRecord& from) {
    Metaspace step{Pattern::literal(" "), from.text("replacement"), Metaspace::Prepend::Always};
    if (step.replacement.empty()) from.bad("replacement is empty");
    if (from.has("prepend_scheme")) {
        constexpr std::array<std::string_view, 3> kSchemes{"never", "first", "always"};
        step.prepend = static_cast<Metaspace::Prepend>(from.oneOf("prepend_scheme", kSchemes));
    } else if (from.has("add_prefix_space") && !from.flag("add_prefix_space")) {
        step.prepend = Metaspace::Prepend::Never;
    }
    const Splitter words{Pattern::literal(step.replacement), SplitBehavior::MergedWithNext, false};
    m_steps.emplace_back(std::move(step));
    if (!from.has("split") || from.flag("split")) m_steps.emplace_back(words);
}

Words PreTokenizer::apply(OffsetText text, MatchScratch& scratch) const {
    Words w{std::move(text), {}};
    if (!w.text.text().empty())
        w.words.push_back({0, static_cast<std::uint32_t>(w.text.text().size())});
    for (const Step& step : m_steps)
        std::visit([&](const auto& s) { applyStep(s, w, scratch); }, step);
    return w;
}

void PreTokenizer::applyStep(const Splitter& step, Words& w, MatchScratch& scratch) {
    std::vector<Range> parts;
    parts.reserve(w.words.size() + w.text.text().size() / 4);
    for (const Range& word : w.words)
        step.split(w.text.text(), word, scratch, parts);
    w.words = std::move(parts);
}

void PreTokenizer::applyStep(const ByteLevel& step, Words& w, MatchScratch&) {
    if (step.prefixSpace)
        rewriteWords(w, [&](Range word, OffsetTextWriter& to) {
            if (!cut(w.text.text(), word).starts_with(' ')) to.put(" ", {word.begin, word.begin});
            to.keep(word);
        });
    if (step.spell)
        rewriteWords(w, [&](Range word, OffsetTextWriter& to) {
            for (std::uint32_t i = word.begin; i < word.end; ++i)
                to.put(byteSpelling(static_cast<unsigned char>(w.text.text()[i])), {i, i + 1});
        });
}

void PreTokenizer::applyStep(const Metaspace& step, Words& w, MatchScratch& scratch) {
    rewriteWords(w, [&](Range word, OffsetTextWriter& to) {
        const std::string_view text = cut(w.text.text(), word);
        const bool wanted =
            step.prepend == Metaspace::Prepend::Always ||
            (step.prepend == Metaspace::Prepend::First && w.text.source(word).begin == 0);
        if (wanted && !text.starts_with(' ') && !text.starts_with(step.replacement))
            to.put(step.replacement, {word.begin, word.begin});
        std::vector<Range> spaces;
        step.space.findAll(text, scratch, spaces);
        std::uint32_t at = word.begin;
        for (const Range& s : spaces) {
            to.keep({at, word.begin + s.begin});
            to.put(step.replacement, {word.begin + s.begin, word.begin + s.end});
            at = word.begin + s.end;
        }
        to.keep({at, word.end});
    });
}

} // namespace fkv::text
