// SPDX-License-Identifier: Apache-2.0
#include "engine/text/normalizer.h"

#include "engine/core/error.h"
#include "engine/text/pattern_json.h"
#include "engine/text/unicode.h"

#include <array>
#include <utf8proc.h>

namespace fkv::text {

namespace {

Range whole(const OffsetText& text) {
    return {0, static_cast<std::uint32_t>(text.text().size())};
}

/// Rewrites character by character: `rewrite(code, out)` says what stands in its place.
template <typename Rewrite>
OffsetText rewritten(const OffsetText& from, Rewrite&& rewrite) {
    OffsetTextWriter writer(from);
    const std::string_view text = from.text();
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const Character c = characterAt(text, at);
        out.clear();
        rewrite(c.code, out);
        writer.put(out,
                   {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + c.length)});
        at += c.length;
    }
    return writer.take();
}

} // namespace

Normalizer::Normalizer(const io::JsonRecord& from) {
    add(from, 0);
}

void Normalizer::add(const io::JsonRecord& from, int depth) {
    const std::string type = from.text("type");
    if (m_steps.size() >= kMostSteps || depth > 8) from.bad("too many steps");
    if (type == "Sequence") {
        for (const io::JsonRecord& step : from.list("normalizers", kMostSteps))
            add(step, depth + 1);
    } else if (type == "NFC") {
        m_steps.emplace_back(UnicodeForm::Nfc);
    } else if (type == "NFD") {
        m_steps.emplace_back(UnicodeForm::Nfd);
    } else if (type == "NFKC") {
        m_steps.emplace_back(UnicodeForm::Nfkc);
    } else if (type == "NFKD") {
        m_steps.emplace_back(UnicodeForm::Nfkd);
    } else if (type == "Prepend") {
        m_steps.emplace_back(Prepend{from.text("prepend")});
    } else if (type == "Replace") {
        m_steps.emplace_back(Replace{readPattern(from, "pattern"), from.text("content")});
    } else if (type == "Strip") {
        m_steps.emplace_back(Strip{from.flag("strip_left"), from.flag("strip_right")});
    } else if (type == "StripAccents") {
        m_steps.emplace_back(StripAccents{});
    } else if (type == "Lowercase") {
        m_steps.emplace_back(Lowercase{});
    } else if (type == "ByteLevel") {
        m_steps.emplace_back(SpellBytes{});
    } else {
        throw Error(ErrorCode::Unsupported, from.where() + ": the normaliser " + type +
                                                " is not one that this program knows");
    }
}

OffsetText Normalizer::apply(OffsetText text, MatchScratch& scratch) const {
    for (const Step& step : m_steps)
        text = std::visit([&](const auto& s) { return applyStep(s, text, scratch); }, step);
    return text;
}

OffsetText Normalizer::applyStep(const UnicodeForm& form, const OffsetText& text, MatchScratch&) {
    return normalized(text, form);
}

OffsetText Normalizer::applyStep(const Prepend& step, const OffsetText& text, MatchScratch&) {
    if (text.text().empty()) return text;
    OffsetTextWriter writer(text);
    writer.put(step.text, {0, 0});
    writer.keep(whole(text));
    return writer.take();
}

OffsetText Normalizer::applyStep(const Replace& step, const OffsetText& text,
                                 MatchScratch& scratch) {
    return replaced(text, step.pattern, step.with, scratch);
}

OffsetText Normalizer::applyStep(const Strip& step, const OffsetText& text, MatchScratch&) {
    const std::string_view bytes = text.text();
    Range rest = whole(text);
    while (step.left && !rest.empty() && isWhiteSpace(characterAt(bytes, rest.begin).code))
        rest.begin += static_cast<std::uint32_t>(characterAt(bytes, rest.begin).length);
    while (step.right && !rest.empty()) {
        const std::size_t last = characterBegin(bytes, rest.end - 1);
        if (!isWhiteSpace(characterAt(bytes, last).code)) break;
        rest.end = static_cast<std::uint32_t>(last);
    }
    return text.slice(rest);
}

OffsetText Normalizer::applyStep(const StripAccents&, const OffsetText& text, MatchScratch&) {
    return rewritten(text, [](char32_t code, std::string& out) {
        const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(code));
        const bool mark = category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC ||
                          category == UTF8PROC_CATEGORY_ME;
        if (!mark) appendUtf8(out, code);
    });
}

OffsetText Normalizer::applyStep(const Lowercase&, const OffsetText& text, MatchScratch&) {
    return rewritten(text, [](char32_t code, std::string& out) {
        // The one character whose lower case is two (SpecialCasing.txt, unconditional).
        if (code == 0x130)
            out += "i\xCC\x87";
        else
            appendUtf8(
                out, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code))));
    });
}

OffsetText Normalizer::applyStep(const SpellBytes&, const OffsetText& text, MatchScratch&) {
    return spelledBytes(text);
}

OffsetText spelledBytes(const OffsetText& from) {
    OffsetTextWriter writer(from);
    const std::string_view text = from.text();
    for (std::uint32_t i = 0; i < text.size(); ++i)
        writer.put(byteSpelling(static_cast<unsigned char>(text[i])), {i, i + 1});
    return writer.take();
}

OffsetText replaced(const OffsetText& from, const Pattern& pattern, std::string_view with,
                    MatchScratch& scratch) {
    std::vector<Range> matches;
    pattern.findAll(from.text(), scratch, matches);
    if (matches.empty()) return from;
    OffsetTextWriter writer(from);
    std::uint32_t at = 0;
    for (const Range& match : matches) {
        writer.keep({at, match.begin});
        writer.put(with, match);
        at = match.end;
    }
    writer.keep({at, whole(from).end});
    return writer.take();
}

} // namespace fkv::text
