// SPDX-License-Identifier: Apache-2.0
#include "engine/text/jinja/print.h"

#include "engine/text/jinja/characters.h"
#include "engine/text/jinja/literals.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace fkv::text::jinja {

namespace {

std::string hex(const char* format, char32_t c) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), format, static_cast<unsigned>(c));
    return text.data();
}

std::string quoted(std::string_view text) {
    const bool twice =
        text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
    const char quote = twice ? '"' : '\'';
    std::string out(1, quote);
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = codePointAt(text, at);
        if (c.value == '\n')
            out += "\\n";
        else if (c.value == '\r')
            out += "\\r";
        else if (c.value == '\t')
            out += "\\t";
        else if (c.value == '\\' || c.value == static_cast<char32_t>(quote))
            out += {'\\', static_cast<char>(c.value)};
        else if (isPrintable(c.value))
            out += text.substr(at, c.bytes);
        else if (c.value < 0x100)
            out += hex("\\x%02x", c.value);
        else
            out += hex(c.value < 0x10000 ? "\\u%04x" : "\\U%08x", c.value);
        at += c.bytes;
    }
    return out + quote;
}

class Representation {
public:
    explicit Representation(Runtime& runtime) : m_runtime(runtime) {}

    std::string take() { return std::move(m_out); }

    void add(const Value& value) {
        m_runtime.step();
        const std::size_t before = m_out.size();
        if (const std::string* s = value.string())
            put(value.as<Str>()->markup, *s);
        else if (const Sequence* q = value.sequence())
            addSequence(*q);
        else if (const Dict* d = value.dict())
            addDict(d->items);
        else
            m_out += plain(value);
        m_runtime.work(m_out.size() - before);
    }

    static std::string plain(const Value& value) {
        if (value.isUndefined()) return "Undefined";
        if (value.isNone()) return "None";
        if (const bool* b = value.as<bool>()) return *b ? "True" : "False";
        if (const auto* i = value.as<std::int64_t>()) return std::to_string(*i);
        if (const double* d = value.as<double>()) return floatText(*d);
        return "<" + std::string(typeName(value)) + ">"; // Python prints an address here
    }

private:
    void put(bool markup, const std::string& s) {
        m_out += markup ? "Markup(" + quoted(s) + ")" : quoted(s);
    }

    void addAll(const Values& items) {
        bool first = true;
        for (const Value& item : items) {
            if (!std::exchange(first, false)) m_out += ", ";
            add(item);
        }
    }

    void addSequence(const Sequence& s) {
        switch (s.kind) {
        case Sequence::Kind::List:
            m_out += '[';
            break;
        case Sequence::Kind::Tuple:
            m_out += '(';
            break;
        case Sequence::Kind::Range:
            addRange(s.items);
            return;
        case Sequence::Kind::Generator:
            m_out += "<generator>";
            return;
        default:
            m_out += std::string(typeName(
                         {std::make_shared<const Sequence>(Sequence{s.kind, {}, 1, false})})) +
                     "([";
            break;
        }
        addAll(s.items);
        if (s.kind == Sequence::Kind::List)
            m_out += ']';
        else if (s.kind == Sequence::Kind::Tuple)
            m_out += s.items.size() == 1 ? ",)" : ")";
        else
            m_out += "])";
    }

    void addRange(const Values& items) {
        const auto at = [&](std::size_t i) { return *items[i].as<std::int64_t>(); };
        const std::int64_t from = items.empty() ? 0 : at(0);
        const std::int64_t step = items.size() > 1 ? at(1) - at(0) : 1;
        m_out += "range(" + std::to_string(from) + ", " +
                 std::to_string(items.empty() ? 0 : at(items.size() - 1) + step);
        m_out += step == 1 ? ")" : ", " + std::to_string(step) + ")";
    }

    void addDict(const std::vector<std::pair<Value, Value>>& items) {
        m_out += '{';
        bool first = true;
        for (const auto& [key, value] : items) {
            if (!std::exchange(first, false)) m_out += ", ";
            add(key);
            m_out += ": ";
            add(value);
        }
        m_out += '}';
    }

    Runtime& m_runtime;
    std::string m_out;
};

class JsonWriter {
public:
    JsonWriter(Runtime& runtime, const JsonStyle& style) : m_runtime(runtime), m_style(style) {}

    std::string take() { return std::move(m_out); }

    void add(const Value& value, int level) {
        m_runtime.step();
        const std::size_t before = m_out.size();
        if (const std::string* s = value.string())
            m_out += text(*s);
        else if (const Sequence* q = value.sequence())
            addList(value, *q, level);
        else if (const Dict* d = value.dict())
            addDict(*d, level);
        else
            m_out += scalar(value);
        m_runtime.work(m_out.size() - before);
    }

private:
    std::string scalar(const Value& value) const {
        if (value.isNone()) return "null";
        if (const bool* b = value.as<bool>()) return *b ? "true" : "false";
        if (const auto* i = value.as<std::int64_t>()) return std::to_string(*i);
        if (const double* d = value.as<double>()) {
            const std::string text = floatText(*d);
            return text == "nan"    ? "NaN"
                   : text == "inf"  ? "Infinity"
                   : text == "-inf" ? "-Infinity"
                                    : text;
        }
        m_runtime.fail(std::string(typeName(value)) + " cannot be written as JSON");
    }

    std::string text(std::string_view s) const {
        std::string out = "\"";
        for (std::size_t at = 0; at < s.size();) {
            const CodePoint c = codePointAt(s, at);
            static constexpr std::string_view kShort = "\"\\\n\r\t\f\b";
            static constexpr std::string_view kLetters = "\"\\nrtfb";
            const std::size_t known =
                c.value < 0x80 ? kShort.find(static_cast<char>(c.value)) : kShort.npos;
            if (known != kShort.npos)
                out += {'\\', kLetters[known]};
            else if (c.value < 0x20 || (m_style.ascii && c.value >= 0x7F))
                out += units(c.value);
            else
                out += s.substr(at, c.bytes);
            at += c.bytes;
        }
        return out + '"';
    }

    static std::string units(char32_t c) {
        if (c < 0x10000) return hex("\\u%04x", c);
        return hex("\\u%04x", 0xD800U + ((c - 0x10000U) >> 10U)) +
               hex("\\u%04x", 0xDC00U + ((c - 0x10000U) & 0x3FFU));
    }

    void newLine(int level) {
        if (!m_style.indent) return;
        m_out += '\n';
        for (int i = 0; i < level; ++i)
            m_out += *m_style.indent;
    }

    void addList(const Value& value, const Sequence& s, int level) {
        if (s.kind != Sequence::Kind::List && s.kind != Sequence::Kind::Tuple)
            m_runtime.fail(std::string(typeName(value)) + " cannot be written as JSON");
        m_out += '[';
        for (std::size_t i = 0; i < s.items.size(); ++i) {
            if (i > 0) m_out += m_style.itemSeparator;
            newLine(level + 1);
            add(s.items[i], level + 1);
        }
        if (!s.items.empty()) newLine(level);
        m_out += ']';
    }

    void addDict(const Dict& d, int level) {
        std::vector<const std::pair<Value, Value>*> order;
        for (const auto& item : d.items)
            order.push_back(&item);
        if (m_style.sortKeys) {
            for (const auto* item : order)
                if (item->first.string() == nullptr) m_runtime.fail("only text keys can be sorted");
            std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
                return *a->first.string() < *b->first.string();
            });
        }
        m_out += '{';
        for (std::size_t i = 0; i < order.size(); ++i) {
            if (i > 0) m_out += m_style.itemSeparator;
            newLine(level + 1);
            const std::string* name = order[i]->first.string();
            m_out += text(name != nullptr ? *name : scalar(order[i]->first));
            m_out += m_style.keySeparator;
            add(order[i]->second, level + 1);
        }
        if (!order.empty()) newLine(level);
        m_out += '}';
    }

    Runtime& m_runtime;
    const JsonStyle& m_style;
    std::string m_out;
};

} // namespace

std::string printed(Runtime& runtime, const Value& value) {
    if (const std::string* s = value.string()) return *s;
    if (value.isUndefined()) return {};
    return representation(runtime, value);
}

std::string representation(Runtime& runtime, const Value& value) {
    Representation out(runtime);
    out.add(value);
    return out.take();
}

std::string json(Runtime& runtime, const Value& value, const JsonStyle& style) {
    JsonWriter out(runtime, style);
    out.add(value, 0);
    return out.take();
}

std::string escaped(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        switch (c) {
        case '&':
            out += "&amp;";
            break;
        case '<':
            out += "&lt;";
            break;
        case '>':
            out += "&gt;";
            break;
        case '\'':
            out += "&#39;";
            break;
        case '"':
            out += "&#34;";
            break;
        default:
            out += c;
        }
    }
    return out;
}

} // namespace fkv::text::jinja
