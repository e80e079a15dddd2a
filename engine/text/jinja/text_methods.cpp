// SPDX-License-Identifier: Apache-2.0
#include "engine/text/jinja/text_methods.h"

#include "engine/text/jinja/characters.h"

#include <algorithm>
#include <array>

namespace fkv::text::jinja {

namespace {

using Names = std::initializer_list<std::string_view>;

struct Subject {
    Runtime& runtime;
    const std::string& text;
    const CallArguments& arguments;
    std::string_view name;

    Given given(Names parameters) const { return {runtime, name, arguments, parameters}; }
    Value texts(const std::vector<std::string_view>& parts,
                Sequence::Kind kind = Sequence::Kind::List) const {
        Values out;
        out.reserve(parts.size());
        for (const std::string_view part : parts)
            out.push_back(runtime.text(std::string(part)));
        return runtime.list(std::move(out), kind);
    }
};

Value stripped(const Subject& s, Sides sides) {
    const Given g = s.given({"chars"});
    return s.runtime.text(std::string(strip(s.text, g.textIf(0), sides)));
}

/// Pieces between white space, at most `most` cuts (below 0: all), from the left or the right. What
/// is left over keeps the white space at its far end.
std::vector<std::string_view> splitAtSpace(std::string_view text, std::int64_t most, bool right) {
    std::vector<std::string_view> pieces;
    for (std::size_t at = spaceLength(text, 0); at < text.size();) {
        std::size_t end = at;
        while (end < text.size() && !isSpace(codePointAt(text, end).value))
            end += codePointAt(text, end).bytes;
        pieces.push_back(text.substr(at, end - at));
        at = end + spaceLength(text, end);
    }
    if (most < 0 || static_cast<std::int64_t>(pieces.size()) <= most) return pieces;
    const auto begin = [&](std::string_view piece) {
        return static_cast<std::size_t>(piece.data() - text.data());
    };
    const auto cuts = static_cast<std::size_t>(most);
    if (right) {
        const std::size_t from = pieces.size() - 1 - cuts;
        const std::string_view piece = pieces[from];
        pieces.erase(pieces.begin(), pieces.begin() + static_cast<std::ptrdiff_t>(from));
        pieces.front() = text.substr(0, begin(piece) + piece.size());
    } else {
        pieces.resize(cuts + 1);
        pieces.back() = text.substr(begin(pieces.back()));
    }
    return pieces;
}

std::vector<std::string_view> splitAt(std::string_view text, std::string_view by, std::int64_t most,
                                      bool right) {
    std::vector<std::string_view> out;
    while (most < 0 || static_cast<std::int64_t>(out.size()) < most) {
        const std::size_t at = right ? text.rfind(by) : text.find(by);
        if (at == std::string_view::npos) break;
        out.push_back(right ? text.substr(at + by.size()) : text.substr(0, at));
        text = right ? text.substr(0, at) : text.substr(at + by.size());
    }
    out.push_back(text);
    if (right) std::reverse(out.begin(), out.end());
    return out;
}

Value split(const Subject& s, bool right) {
    const Given g = s.given({"sep", "maxsplit"});
    const std::int64_t most = g.integer(1, -1);
    s.runtime.work(s.text.size());
    if (const auto by = g.textIf(0)) {
        if (by->empty()) s.runtime.fail("the separator to split at is empty");
        return s.texts(splitAt(s.text, *by, most, right));
    }
    return s.texts(splitAtSpace(s.text, most, right));
}

Value partition(const Subject& s, bool right) {
    const Given g = s.given({"sep"});
    const std::string by = g.text(0, "");
    if (by.empty()) s.runtime.fail("the separator to split at is empty");
    const std::size_t at = right ? s.text.rfind(by) : s.text.find(by);
    const std::string_view text = s.text;
    if (at == std::string::npos)
        return right ? s.texts({"", "", text}, Sequence::Kind::Tuple)
                     : s.texts({text, "", ""}, Sequence::Kind::Tuple);
    return s.texts({text.substr(0, at), by, text.substr(at + by.size())}, Sequence::Kind::Tuple);
}

/// The part of the text that the arguments start and end choose, as in startswith(x, 1, 5).
std::optional<std::string_view> chosenPart(const Subject& s, const Given& g, std::size_t& from) {
    const auto size = static_cast<std::int64_t>(codePoints(s.text));
    const auto clip = [&](std::int64_t i) {
        return std::max<std::int64_t>(0, i < 0 ? (i < -size ? 0 : i + size) : i);
    };
    const std::int64_t begin = clip(g.integer(1, 0)),
                       end = std::min(size, clip(g.integer(2, size)));
    if (begin > end) return std::nullopt;
    from = byteOf(s.text, static_cast<std::size_t>(begin));
    return std::string_view(s.text).substr(from,
                                           byteOf(s.text, static_cast<std::size_t>(end)) - from);
}

Value startsOrEnds(const Subject& s, bool starts) {
    const Given g = s.given({"text", "start", "end"});
    s.runtime.work(g.has(1) ? s.text.size() : 0);
    std::size_t ignored = 0;
    const auto part = g.has(1) ? chosenPart(s, g, ignored) : std::string_view(s.text);
    const auto fits = [&](const Value& v) {
        if (v.string() == nullptr) s.runtime.refuse(v, "a text");
        return part && (starts ? part->starts_with(*v.string()) : part->ends_with(*v.string()));
    };
    const Sequence* any = g.value(0).sequence();
    if (any == nullptr || any->kind != Sequence::Kind::Tuple) return {fits(g.value(0))};
    s.runtime.step(any->items.size());
    return {std::any_of(any->items.begin(), any->items.end(), fits)};
}

Value find(const Subject& s, bool right, bool must) {
    const Given g = s.given({"text", "start", "end"});
    if (g.value(0).string() == nullptr) s.runtime.refuse(g.value(0), "a text");
    s.runtime.work(s.text.size());
    std::size_t from = 0;
    const auto part = chosenPart(s, g, from);
    const std::string& what = *g.value(0).string();
    const std::size_t at = !part ? part->npos : right ? part->rfind(what) : part->find(what);
    if (at != std::string_view::npos)
        return {
            static_cast<std::int64_t>(codePoints(std::string_view(s.text).substr(0, from + at)))};
    if (must) s.runtime.fail("the text to find is not there");
    return {std::int64_t{-1}};
}

Value count(const Subject& s) {
    const Given g = s.given({"text", "start", "end"});
    if (g.value(0).string() == nullptr) s.runtime.refuse(g.value(0), "a text");
    s.runtime.work(s.text.size());
    std::size_t from = 0;
    const auto part = chosenPart(s, g, from);
    if (!part) return {std::int64_t{0}};
    const std::string& what = *g.value(0).string();
    if (what.empty()) return {static_cast<std::int64_t>(codePoints(*part)) + 1};
    std::int64_t found = 0;
    for (std::size_t at = part->find(what); at != part->npos;
         at = part->find(what, at + what.size()))
        ++found;
    return {found};
}

Value join(const Subject& s) {
    const Given g = s.given({"iterable"});
    const SequencePtr items = s.runtime.items(g.value(0));
    std::string out;
    for (std::size_t i = 0; i < items->items.size(); ++i) {
        const std::string* part = items->items[i].string();
        if (part == nullptr) s.runtime.refuse(items->items[i], "a text to join");
        if (i > 0) out += s.text;
        out += *part;
        s.runtime.work(part->size() + s.text.size());
    }
    return s.runtime.text(std::move(out));
}

/// str.isdigit() and their like for ASCII; letters beyond it count by their case.
template <typename Is>
Value all(const Subject& s, Is is) {
    const Given none = s.given({});
    bool every = !s.text.empty();
    for (std::size_t at = 0; at < s.text.size() && every;) {
        const CodePoint c = codePointAt(s.text, at);
        every = is(c.value);
        at += c.bytes;
    }
    return {every};
}

/// str.islower(), str.isupper(): some letter has that case, and none the other.
Value hasCase(const Subject& s, bool isUpper) {
    const Given none = s.given({});
    const std::string other = isUpper ? lower(s.text) : upper(s.text);
    return {s.text == (isUpper ? upper(s.text) : lower(s.text)) && s.text != other};
}

Value padded(const Subject& s, bool left, bool right) {
    const Given g = s.given({"width", "fillchar"});
    const std::int64_t size = static_cast<std::int64_t>(codePoints(s.text));
    const std::string fill = g.text(1, " ");
    if (codePoints(fill) != 1) s.runtime.fail("the text to fill with is not one character");
    const std::int64_t missing = std::max<std::int64_t>(0, g.integer(0, 0) - size);
    s.runtime.work(static_cast<std::size_t>(missing)); // before it is made
    s.runtime.work(static_cast<std::size_t>(missing) * (fill.size() - 1));
    // Python's str.center() puts the odd blank on the left where the width is odd.
    const std::int64_t before = left && right ? missing / 2 + (missing & g.integer(0, 0) & 1)
                                : left        ? missing
                                              : 0;
    std::string out;
    for (std::int64_t i = 0; i < before; ++i)
        out += fill;
    out += s.text;
    for (std::int64_t i = before; i < missing; ++i)
        out += fill;
    return s.runtime.text(std::move(out));
}

Value swapCase(const Subject& s) {
    const Given none = s.given({});
    std::string out;
    for (std::size_t at = 0; at < s.text.size();) {
        const CodePoint c = codePointAt(s.text, at);
        appendCodePoint(out, toUpper(c.value) != c.value ? toUpper(c.value) : toLower(c.value));
        at += c.bytes;
    }
    return s.runtime.text(std::move(out));
}

Value withoutAffix(const Subject& s, bool prefix) {
    const Given g = s.given({"text"});
    const std::string affix = g.text(0, "");
    std::string_view rest = s.text;
    if (prefix && rest.starts_with(affix)) rest.remove_prefix(affix.size());
    if (!prefix && rest.ends_with(affix)) rest.remove_suffix(affix.size());
    return s.runtime.text(std::string(rest));
}

using Run = Value (*)(const Subject&);
Value mapped(const Subject& s, std::string (*map)(std::string_view)) {
    const Given none = s.given({});
    return s.runtime.text(map(s.text));
}

constexpr std::array<std::pair<std::string_view, Run>, 33> kMethods{{
    {"strip", [](const Subject& s) { return stripped(s, {}); }},
    {"lstrip", [](const Subject& s) { return stripped(s, {.right = false}); }},
    {"rstrip", [](const Subject& s) { return stripped(s, {.left = false}); }},
    {"split", [](const Subject& s) { return split(s, false); }},
    {"rsplit", [](const Subject& s) { return split(s, true); }},
    {"splitlines",
     [](const Subject& s) {
         return s.texts(splitLines(s.text, s.given({"keepends"}).flag(0, false)));
     }},
    {"partition", [](const Subject& s) { return partition(s, false); }},
    {"rpartition", [](const Subject& s) { return partition(s, true); }},
    {"startswith", [](const Subject& s) { return startsOrEnds(s, true); }},
    {"endswith", [](const Subject& s) { return startsOrEnds(s, false); }},
    {"removeprefix", [](const Subject& s) { return withoutAffix(s, true); }},
    {"removesuffix", [](const Subject& s) { return withoutAffix(s, false); }},
    {"replace",
     [](const Subject& s) {
         const Given g = s.given({"old", "new", "count"});
         for (const std::size_t i : {0U, 1U})
             if (g.value(i).string() == nullptr) s.runtime.refuse(g.value(i), "a text");
         return replaced(s.runtime, s.text, *g.value(0).string(), *g.value(1).string(),
                         g.integer(2, -1));
     }},
    {"find", [](const Subject& s) { return find(s, false, false); }},
    {"rfind", [](const Subject& s) { return find(s, true, false); }},
    {"index", [](const Subject& s) { return find(s, false, true); }},
    {"rindex", [](const Subject& s) { return find(s, true, true); }},
    {"count", [](const Subject& s) { return count(s); }},
    {"join", [](const Subject& s) { return join(s); }},
    {"upper", [](const Subject& s) { return mapped(s, upper); }},
    {"lower", [](const Subject& s) { return mapped(s, lower); }},
    {"casefold", [](const Subject& s) { return mapped(s, lower); }},
    {"title", [](const Subject& s) { return mapped(s, title); }},
    {"capitalize", [](const Subject& s) { return mapped(s, capitalize); }},
    {"swapcase", [](const Subject& s) { return swapCase(s); }},
    {"isspace", [](const Subject& s) { return all(s, isSpace); }},
    {"isascii",
     [](const Subject& s) {
         const Value every = all(s, [](char32_t c) { return c < 0x80; });
         return s.text.empty() ? Value{true} : every;
     }},
    {"isdigit",
     [](const Subject& s) { return all(s, [](char32_t c) { return c >= '0' && c <= '9'; }); }},
    {"islower", [](const Subject& s) { return hasCase(s, false); }},
    {"isupper", [](const Subject& s) { return hasCase(s, true); }},
    {"ljust", [](const Subject& s) { return padded(s, false, true); }},
    {"rjust", [](const Subject& s) { return padded(s, true, false); }},
    {"center", [](const Subject& s) { return padded(s, true, true); }},
}};

} // namespace

Value replaced(Runtime& runtime, std::string_view text, std::string_view from, std::string_view to,
               std::int64_t count) {
    std::string out;
    std::size_t done = 0;
    runtime.work(text.size());
    for (std::int64_t n = 0; count < 0 || n < count; ++n) {
        // An empty text stands before every character and at the end.
        const std::size_t at =
            !from.empty() ? text.find(from, done)
            : n == 0      ? 0
                          : (done < text.size() ? done + codePointAt(text, done).bytes : text.npos);
        if (at == std::string_view::npos) break;
        out += text.substr(done, at - done);
        out += to;
        runtime.work(to.size());
        done = at + from.size();
    }
    out += text.substr(done);
    return runtime.text(std::move(out));
}

std::vector<std::string_view> splitLines(std::string_view text, bool keepEnds) {
    std::vector<std::string_view> out;
    for (std::size_t at = 0, begin = 0; at < text.size();) {
        const CodePoint c = codePointAt(text, at);
        const bool breaks = (c.value >= 0x0A && c.value <= 0x0D) ||
                            (c.value >= 0x1C && c.value <= 0x1E) || c.value == 0x85 ||
                            c.value == 0x2028 || c.value == 0x2029;
        std::size_t end = at + c.bytes;
        if (breaks) {
            if (c.value == '\r' && end < text.size() && text[end] == '\n') ++end;
            out.push_back(text.substr(begin, (keepEnds ? end : at) - begin));
            begin = end;
        } else if (end == text.size()) {
            out.push_back(text.substr(begin));
        }
        at = end;
    }
    return out;
}

Value callTextMethod(Runtime& runtime, const Method& method, const CallArguments& arguments) {
    const auto* it = std::find_if(kMethods.begin(), kMethods.end(),
                                  [&](const auto& m) { return m.first == method.name; });
    if (it == kMethods.end())
        runtime.fail("str." + method.name + "() is not supported", ErrorCode::Unsupported);
    return it->second({runtime, *method.self.string(), arguments, method.name});
}

} // namespace fkv::text::jinja
