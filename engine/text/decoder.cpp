// SPDX-License-Identifier: Apache-2.0
#include "engine/text/decoder.h"

#include "engine/core/error.h"
#include "engine/io/json_limits.h"
#include "engine/text/pattern_json.h"
#include "engine/text/unicode.h"

#include <algorithm>
#include <charconv>

namespace fkv::text {

Decoder::Decoder(const io::JsonRecord& from) : m_given(true) {
    add(from, 0);
}

Decoder Decoder::byteLevel() {
    Decoder decoder;
    decoder.m_given = true;
    decoder.m_steps.emplace_back(ByteLevel{});
    return decoder;
}

void Decoder::add(const io::JsonRecord& from, int depth) {
    const std::string type = from.text("type");
    if (m_steps.size() >= kMostSteps || depth > 8) from.bad("too many steps");
    if (type == "Sequence") {
        for (const io::JsonRecord& step : from.list("decoders", kMostSteps))
            add(step, depth + 1);
    } else if (type == "ByteLevel") {
        m_steps.emplace_back(ByteLevel{});
    } else if (type == "ByteFallback") {
        m_steps.emplace_back(ByteFallback{});
    } else if (type == "Fuse") {
        m_steps.emplace_back(Fuse{});
    } else if (type == "Replace") {
        m_steps.emplace_back(Replace{readPattern(from, "pattern"), from.text("content")});
    } else if (type == "Strip") {
        addStrip(from);
    } else if (type == "Metaspace") {
        bool prepended = !from.has("add_prefix_space") || from.flag("add_prefix_space");
        if (from.has("prepend_scheme")) prepended = from.text("prepend_scheme") != "never";
        m_steps.emplace_back(Metaspace{from.text("replacement"), prepended});
    } else {
        throw Error(ErrorCode::Unsupported,
                    from.where() + ": the decoder " + type + " is not one that this program knows");
    }
}

void Decoder::addStrip(const io::JsonRecord& from) {
    Strip strip{from.text("content"), from.integer("start", {0, 1 << 20}),
                from.integer("stop", {0, 1 << 20}), false};
    if (strip.content.empty()) from.bad("content is empty");
    strip.firstOnly = std::any_of(m_steps.begin(), m_steps.end(), [](const Step& step) {
        return std::holds_alternative<Fuse>(step);
    });
    // An answer that is shown while it grows has no end yet.
    if (strip.firstOnly && strip.stop > 0)
        throw Error(ErrorCode::Unsupported,
                    from.where() + ": the decoder Strip takes off the end of a text");
    m_steps.emplace_back(std::move(strip));
}

std::string Decoder::decode(std::string_view spelling, bool first) const {
    std::string text(spelling);
    if (!m_given) return first ? text : ' ' + text;
    for (const Step& step : m_steps)
        std::visit([&](const auto& s) { applyStep(s, text, first); }, step);
    return text;
}

/// A spelling with a character outside the byte alphabet stands for itself.
void Decoder::applyStep(const ByteLevel&, std::string& text, bool) {
    std::string bytes;
    for (std::size_t at = 0; at < text.size();) {
        const Character c = characterAt(text, at);
        const int byte = byteOfSpelling(c.code);
        if (byte < 0) return;
        bytes += static_cast<char>(byte);
        at += c.length;
    }
    text = std::move(bytes);
}

void Decoder::applyStep(const ByteFallback&, std::string& text, bool) {
    if (text.size() != 6 || !text.starts_with("<0x") || text.back() != '>') return;
    unsigned byte = 0;
    const auto [end, error] = std::from_chars(text.data() + 3, text.data() + 5, byte, 16);
    if (error == std::errc() && end == text.data() + 5) text.assign(1, static_cast<char>(byte));
}

void Decoder::applyStep(const Replace& step, std::string& text, bool) {
    // A byte of a character is no text to search in.
    if (!io::isUtf8(text)) return;
    MatchScratch scratch;
    std::vector<Range> matches;
    step.pattern.findAll(text, scratch, matches);
    for (auto it = matches.rbegin(); it != matches.rend(); ++it)
        text.replace(it->begin, it->size(), step.with);
}

void Decoder::applyStep(const Strip& step, std::string& text, bool first) {
    if (step.firstOnly && !first) return;
    for (std::int64_t i = 0; i < step.start && text.starts_with(step.content); ++i)
        text.erase(0, step.content.size());
    for (std::int64_t i = 0; i < step.stop && text.ends_with(step.content); ++i)
        text.erase(text.size() - step.content.size());
}

void Decoder::applyStep(const Metaspace& step, std::string& text, bool first) {
    if (step.replacement.empty()) return;
    const std::string_view with = first && step.prepended ? "" : " ";
    std::size_t at = 0;
    while ((at = text.find(step.replacement, at)) != std::string::npos) {
        text.replace(at, step.replacement.size(), with);
        at += with.size();
    }
}

} // namespace fkv::text
