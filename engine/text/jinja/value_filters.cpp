// SPDX-License-Identifier: Apache-2.0
#include "engine/text/jinja/characters.h"
#include "engine/text/jinja/filter_tables.h"
#include "engine/text/jinja/literals.h"
#include "engine/text/jinja/print.h"
#include "engine/text/jinja/text_methods.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace fkv::text::jinja {

namespace {

std::string textOf(const FilterCall& f) {
    std::string text = printed(f.runtime, f.input);
    f.runtime.work(text.size());
    return text;
}

Value mapped(const FilterCall& f, std::string (*map)(std::string_view)) {
    const Given none = f.given({});
    return f.runtime.text(map(textOf(f)));
}

Value trim(const FilterCall& f) {
    const Given g = f.given({"chars"});
    const std::string text = textOf(f);
    return f.runtime.text(std::string(strip(text, g.textIf(0))));
}

/// Jinja's own title case: a word begins after white space, "-" or an opening bracket.
Value titleCase(const FilterCall& f) {
    const Given none = f.given({});
    const std::string text = textOf(f);
    std::string out;
    bool begins = true;
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = codePointAt(text, at);
        std::string one;
        appendCodePoint(one, c.value);
        out += begins ? upper(one) : lower(one);
        begins = isSpace(c.value) || std::string_view("-({[<").find(static_cast<char>(c.value)) !=
                                         std::string_view::npos;
        begins = begins && (isSpace(c.value) || c.value < 0x80);
        at += c.bytes;
    }
    return f.runtime.text(std::move(out));
}

Value tojson(const FilterCall& f) {
    const Given g = f.given({"ensure_ascii", "indent", "separators", "sort_keys"});
    JsonStyle style;
    style.ascii = g.flag(0, false);
    style.sortKeys = g.flag(3, false);
    if (g.has(1) && !g.value(1).isNone()) {
        const std::string* text = g.value(1).string();
        const std::int64_t wide = text != nullptr ? 0 : g.integer(1, 0);
        if (wide > 100) f.runtime.fail("tojson indents by at most 100");
        style.indent =
            text != nullptr
                ? *text
                : std::string(static_cast<std::size_t>(std::max<std::int64_t>(0, wide)), ' ');
        style.itemSeparator = ",";
    }
    if (g.has(2) && !g.value(2).isNone()) {
        const SequencePtr both = f.runtime.items(g.value(2));
        if (both->items.size() != 2 || both->items[0].string() == nullptr ||
            both->items[1].string() == nullptr)
            f.runtime.fail("the separators of tojson are two texts");
        style.itemSeparator = *both->items[0].string();
        style.keySeparator = *both->items[1].string();
    }
    return f.runtime.text(json(f.runtime, f.input, style));
}

Value orDefault(const FilterCall& f) {
    const Given g = f.given({"default_value", "boolean"});
    const bool missing = f.input.isUndefined() || (g.flag(1, false) && !truthy(f.input));
    if (!missing) return f.input;
    return g.has(0) ? g.value(0) : f.runtime.text({});
}

Value replace(const FilterCall& f) {
    const Given g = f.given({"old", "new", "count"});
    const std::string from = printed(f.runtime, g.value(0)), to = printed(f.runtime, g.value(1));
    return replaced(f.runtime, textOf(f), from, to, g.integer(2, -1));
}

Value indent(const FilterCall& f) {
    const Given g = f.given({"width", "first", "blank"});
    const std::string* own = g.has(0) ? g.value(0).string() : nullptr;
    const std::int64_t width = own != nullptr ? 0 : g.integer(0, 4);
    if (width > 1000) f.runtime.fail("indent takes a width of at most 1000");
    const std::string by =
        own != nullptr
            ? *own
            : std::string(static_cast<std::size_t>(std::max<std::int64_t>(0, width)), ' ');
    if (f.input.string() == nullptr) f.runtime.refuse(f.input, "a text");
    const std::string text = textOf(f) + "\n"; // so that a last line break counts as a line
    std::string out = g.flag(1, false) ? by : std::string();
    bool first = true;
    for (const std::string_view line : splitLines(text, false)) {
        if (!first) {
            out += '\n';
            if (!line.empty() || g.flag(2, false)) out += by;
            f.runtime.work(by.size());
        }
        out += line;
        first = false;
    }
    return f.runtime.text(std::move(out));
}

/// int(text, base) of Python, for what fits 64 bits.
std::optional<std::int64_t> parseInteger(std::string_view text, std::int64_t base) {
    text = strip(text, {});
    bool negative = false;
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
        negative = text[0] == '-';
        text.remove_prefix(1);
    }
    static constexpr std::array<std::pair<std::string_view, std::int64_t>, 3> kPrefixes{
        {{"0x", 16}, {"0o", 8}, {"0b", 2}}};
    for (const auto& [prefix, meaning] : kPrefixes)
        if (base == meaning && lower(text.substr(0, 2)) == prefix) text.remove_prefix(2);
    std::string digits;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool between = i > 0 && i + 1 < text.size() && text[i - 1] != '_';
        if (text[i] != '_')
            digits += text[i];
        else if (!between)
            return std::nullopt;
    }
    if (negative) digits.insert(digits.begin(), '-');
    std::int64_t value = 0;
    const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), value,
                                              static_cast<int>(base));
    if (digits.empty() || fault != std::errc() || end != digits.data() + digits.size())
        return std::nullopt;
    return value;
}

/// float(text) of Python.
std::optional<double> parseFloat(std::string_view text) {
    text = strip(text, {});
    if (text.starts_with('+')) text.remove_prefix(1);
    std::string digits;
    for (const char c : text)
        if (c != '_') digits += c;
    double value = 0.0;
    const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || digits.starts_with("+") || fault != std::errc() ||
        end != digits.data() + digits.size() || digits.find_first_of("()") != std::string::npos)
        return std::nullopt;
    return value;
}

Value whole(const FilterCall& f, double number, const Value& otherwise) {
    if (!std::isfinite(number)) return otherwise;
    if (std::abs(number) >= 9.2e18) f.runtime.fail("a number is too large");
    return {static_cast<std::int64_t>(number)};
}

Value toInteger(const FilterCall& f) {
    const Given g = f.given({"default", "base"});
    const Value zero{std::int64_t{0}};
    const Value& otherwise = g.has(0) ? g.value(0) : zero;
    const std::int64_t base = g.integer(1, 10);
    if (base < 2 || base > 36) f.runtime.fail("the base of int is 2 to 36");
    std::int64_t storage = 0;
    if (f.input.isUndefined()) f.runtime.refuse(f.input, "a number");
    if (const std::int64_t* i = integerOf(f.input, storage)) return {*i};
    if (const double* d = f.input.as<double>()) return whole(f, *d, otherwise);
    const std::string* text = f.input.string();
    if (text == nullptr) return otherwise;
    f.runtime.work(2 * text->size());
    if (const auto value = parseInteger(*text, base)) return {*value};
    const auto number = parseFloat(*text);
    return number ? whole(f, *number, otherwise) : otherwise;
}

Value toFloat(const FilterCall& f) {
    const Given g = f.given({"default"});
    double number = 0.0;
    if (f.input.isUndefined()) f.runtime.refuse(f.input, "a number");
    if (numberOf(f.input, number)) return {number};
    if (const std::string* text = f.input.string()) {
        f.runtime.work(text->size());
        if (const auto value = parseFloat(*text)) return {*value};
    }
    return g.has(0) ? g.value(0) : Value{0.0};
}

Value absolute(const FilterCall& f) {
    const Given none = f.given({});
    std::int64_t storage = 0;
    if (const double* d = f.input.as<double>()) return {std::abs(*d)};
    const std::int64_t* i = integerOf(f.input, storage);
    if (i == nullptr) f.runtime.refuse(f.input, "a number");
    if (*i == INT64_MIN) f.runtime.fail("a number is too large");
    return {*i < 0 ? -*i : *i};
}

/// round() of a whole number, which stays one: halves to even at 10^-places.
std::int64_t roundedInteger(const FilterCall& f, std::int64_t number, std::int64_t places) {
    if (places >= 0) return number;
    if (places < -18) return 0;
    std::int64_t unit = 1;
    for (; places < 0; ++places)
        unit *= 10;
    const std::int64_t rest = (number % unit + unit) % unit;
    if (number < INT64_MIN + unit || number > INT64_MAX - unit)
        f.runtime.fail("a number is too large");
    const std::int64_t down = number - rest;
    const bool up = rest > unit / 2 || (rest == unit / 2 && down / unit % 2 != 0);
    return up ? down + unit : down;
}

/// round(), ceil or floor at a number of decimal places.
Value rounded(const FilterCall& f) {
    const Given g = f.given({"precision", "method"});
    const std::string method = g.text(1, "common");
    const std::int64_t places = g.integer(0, 0);
    double number = 0.0;
    std::int64_t storage = 0;
    if (!numberOf(f.input, number)) f.runtime.refuse(f.input, "a number");
    if (const std::int64_t* i = integerOf(f.input, storage); i != nullptr && method == "common")
        return {roundedInteger(f, *i, places)};
    if (places < -30 || places > 30) f.runtime.fail("round takes a precision from -30 to 30");
    const double scale = std::pow(10.0, static_cast<double>(places));
    if (method == "ceil") return {std::ceil(number * scale) / scale};
    if (method == "floor") return {std::floor(number * scale) / scale};
    if (method != "common") f.runtime.fail("round knows common, ceil and floor");
    if (!std::isfinite(number)) return {number};
    if (places < 0) return {std::nearbyint(number * scale) / scale};
    // Exact, as Python rounds: the decimal text of the number itself, halves to even.
    std::array<char, 400> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number,
                                   std::chars_format::fixed, static_cast<int>(places))
                         .ptr;
    double out = 0.0;
    std::from_chars(buffer.data(), end, out);
    return {out};
}

Value wordCount(const FilterCall& f) {
    const Given none = f.given({});
    // A word is a run of letters, digits and "_".
    std::int64_t words = 0;
    bool inside = false;
    const std::string text = textOf(f);
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = codePointAt(text, at);
        const bool word = isWord(c.value);
        words += word && !inside ? 1 : 0;
        inside = word;
        at += c.bytes;
    }
    return {words};
}

constexpr std::array<FilterEntry, 20> kFilters{{
    {"abs", absolute},
    {"capitalize", [](const FilterCall& f) { return mapped(f, capitalize); }},
    {"d", orDefault},
    {"default", orDefault},
    {"e", [](const FilterCall& f) { return f.runtime.text(escaped(textOf(f)), true); }},
    {"escape", [](const FilterCall& f) { return f.runtime.text(escaped(textOf(f)), true); }},
    {"float", toFloat},
    {"indent", indent},
    {"int", toInteger},
    {"lower", [](const FilterCall& f) { return mapped(f, lower); }},
    {"replace", replace},
    {"round", rounded},
    {"safe",
     [](const FilterCall& f) {
         const Given none = f.given({});
         return f.runtime.text(textOf(f), true);
     }},
    {"string",
     [](const FilterCall& f) {
         const Given none = f.given({});
         return f.input.string() != nullptr ? f.input : f.runtime.text(textOf(f));
     }},
    {"title", titleCase},
    {"tojson", tojson},
    {"trim", trim},
    {"upper", [](const FilterCall& f) { return mapped(f, upper); }},
    {"wordcount", wordCount},
    {"forceescape", [](const FilterCall& f) { return f.runtime.text(escaped(textOf(f)), true); }},
}};

} // namespace

std::span<const FilterEntry> valueFilters() {
    return kFilters;
}

} // namespace fkv::text::jinja
