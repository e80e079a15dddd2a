// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/token_text.h"

#include <QChar>
#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

namespace fkv::viz {
namespace {

constexpr char32_t kReturnSign = 0x21b5;
constexpr char32_t kReplacement = 0xfffd;
// Real boxes are far smaller; a damaged file must not make one that takes seconds to draw.
constexpr std::size_t kMostTokensInBox = 64;
constexpr std::size_t kMostBytesInBox = 512;

bool isContinuation(char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

/// Does the character go on with the one before it, so that no cursor can stand between them?
bool extends(char32_t c) {
    if (c < 0x300) return false;
    const auto category = QChar::category(c);
    return category == QChar::Mark_NonSpacing || category == QChar::Mark_SpacingCombining ||
           category == QChar::Mark_Enclosing || c == 0x200d || (c >= 0x1f3fb && c <= 0x1f3ff);
}

/// Is a byte offset inside a valid character, not at its first byte?
bool insideCharacter(std::string_view text, std::size_t at) {
    if (at == 0 || at >= text.size() || !isContinuation(text[at])) return false;
    for (std::size_t back = 1; back <= 3 && back <= at; ++back) {
        if (isContinuation(text[at - back])) continue;
        const Utf8Character c = utf8At(text, at - back);
        return c.valid && static_cast<std::size_t>(c.length) > back;
    }
    return false;
}

bool isIdeograph(char32_t c) {
    if (c < 0x2e80) return false;
    switch (QChar::script(c)) {
    case QChar::Script_Han:
    case QChar::Script_Hiragana:
    case QChar::Script_Katakana:
        return true;
    default:
        return false;
    }
}

std::int8_t directionOf(char32_t c) {
    switch (QChar::direction(c)) {
    case QChar::DirL:
        return 1;
    case QChar::DirR:
    case QChar::DirAL:
        return -1;
    default:
        return 0;
    }
}

QString hex(char32_t value, int digits) {
    return QString::number(static_cast<uint>(value), 16).toUpper().rightJustified(digits, u'0');
}

/// Name of a character that would draw nothing or turn the line around; empty for all others.
QString nameOfControl(char32_t c) {
    if (c == U'\t') return QStringLiteral("⇥");
    if (c < 0x20) return QString(QChar(static_cast<char16_t>(0x2400 + c)));
    if (c == 0x7f) return QString(QChar(u'\u2421'));
    if (c >= 0x20 && c < 0x7f) return {};
    const auto category = QChar::category(c);
    const bool joins = c == 0x200c || c == 0x200d; // shape the letters beside them
    if ((category == QChar::Other_Control || category == QChar::Other_Format ||
         category == QChar::Separator_Line || category == QChar::Separator_Paragraph) &&
        !joins)
        return QStringLiteral("U+") + hex(c, 4);
    return {};
}

void append(QString& label, char32_t c) {
    const auto utf16 = QChar::fromUcs4(c);
    label.append(QStringView(utf16));
}

struct Summary {
    int drawn = 0; ///< characters that draw themselves
    int named = 0; ///< controls and stray bytes
    bool newline = false;
    char32_t first = 0, last = 0;
};

/// Fills label and direction, character by character.
Summary spell(TokenShape& shape) {
    Summary s;
    const std::string_view bytes = shape.bytes;
    for (std::size_t i = 0; i < bytes.size();) {
        const Utf8Character c = utf8At(bytes, i);
        if (i == 0) s.first = c.valid ? c.code : kReplacement;
        s.last = c.valid ? c.code : kReplacement;
        if (!c.valid) {
            shape.label += QStringLiteral("<") + hex(static_cast<unsigned char>(bytes[i]), 2) +
                           QStringLiteral(">");
            ++s.named;
        } else if (c.code == U'\n') {
            append(shape.label, kReturnSign);
            s.newline = true;
        } else if (const QString name = nameOfControl(c.code); !name.isEmpty()) {
            shape.label += name;
            ++s.named;
        } else {
            append(shape.label, c.code);
            if (shape.direction == 0) shape.direction = directionOf(c.code);
            ++s.drawn;
        }
        i += static_cast<std::size_t>(c.length);
    }
    return s;
}

TokenShape shapeOfPiece(const std::string& piece, std::int32_t id) {
    TokenShape shape;
    shape.kind = TokenShape::Kind::Pill;
    shape.label = piece.empty() ? QStringLiteral("#%1").arg(id) : QString::fromStdString(piece);
    shape.ascii = std::all_of(shape.label.begin(), shape.label.end(),
                              [](QChar c) { return c.unicode() < 0x7f; });
    shape.breakBefore = shape.breakAfter = true;
    return shape;
}

} // namespace

Utf8Character utf8At(std::string_view bytes, std::size_t at) {
    const auto lead = static_cast<unsigned char>(bytes[at]);
    if (lead < 0x80) return {lead, 1, true};
    const int length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || at + static_cast<std::size_t>(length) > bytes.size())
        return {};
    char32_t code = lead & (0xffU >> (length + 1));
    for (int i = 1; i < length; ++i) {
        const char next = bytes[at + static_cast<std::size_t>(i)];
        if (!isContinuation(next)) return {};
        code = code << 6 | (static_cast<unsigned char>(next) & 0x3fU);
    }
    constexpr std::array<char32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xd800 && code < 0xe000;
    if (code < kLeast[static_cast<std::size_t>(length)] || surrogate || code > 0x10ffff) return {};
    return {code, length, true};
}

TokenShape shapeOfText(std::string_view bytes) {
    TokenShape shape;
    shape.bytes = bytes;
    const Summary s = spell(shape);
    shape.ascii = std::all_of(shape.label.begin(), shape.label.end(),
                              [](QChar c) { return c.unicode() >= 0x20 && c.unicode() < 0x7f; });
    if (s.newline) {
        shape.kind = TokenShape::Kind::Newline;
    } else if (s.named > 0 && s.drawn == 0) {
        shape.kind = TokenShape::Kind::Pill;
    }
    const bool pill = shape.kind == TokenShape::Kind::Pill;
    shape.leadingSpace = s.first == U' ' && s.drawn > 1 && bytes.find_first_not_of(' ') == 1;
    shape.breakBefore = s.first == U' ' || pill || isIdeograph(s.first);
    shape.breakAfter = pill || s.last == U' ' || s.last == U'-' || s.last == 0x2014;
    return shape;
}

TokenText::TokenText(std::shared_ptr<const trace::Prompt> prompt) : m_prompt(std::move(prompt)) {
    m_shapeOf.resize(m_prompt->ids.size());
    addBoxes();
}

namespace {

/// Byte ranges of tokens, made safe: inside the text and never backwards.
class Ranges {
public:
    explicit Ranges(const trace::Prompt& prompt) : m_prompt(prompt) {}
    std::pair<std::size_t, std::size_t> of(std::size_t token) const {
        if (token >= m_prompt.bytes.size()) return {0, 0};
        const auto [begin, end] = m_prompt.bytes[token];
        if (begin >= end || end > m_prompt.text.size()) return {0, 0};
        return {begin, end};
    }
    /// Does the token go on with the box that covers [begin, end) so far?
    bool joins(std::size_t token, std::pair<std::size_t, std::size_t> box) const {
        const auto [begin, end] = of(token);
        if (begin == end || box.first == box.second) return false;
        if (begin < box.second) return true;
        const std::string_view text = m_prompt.text;
        const auto lead = static_cast<unsigned char>(text[begin]);
        if (lead < 0x80 || begin != box.second) return false;
        if (insideCharacter(text, begin)) return true;
        const Utf8Character c = utf8At(text, begin);
        return c.valid && extends(c.code);
    }

private:
    const trace::Prompt& m_prompt;
};

} // namespace

void TokenText::addBoxes() {
    const Ranges ranges(*m_prompt);
    const std::string_view text = m_prompt->text;
    const std::size_t count = m_prompt->ids.size();
    std::unordered_map<std::string, std::uint32_t> byText, byPiece;
    // The last shape of every id: the same id nearly always covers the same bytes.
    std::vector<std::uint32_t> byId;
    const auto lookUp = [this](auto& map, const std::string& key, auto&& make) {
        const auto [at, added] = map.try_emplace(key, static_cast<std::uint32_t>(m_shapes.size()));
        if (added) m_shapes.push_back(make());
        return at->second;
    };
    for (std::size_t i = 0; i < count;) {
        auto box = ranges.of(i);
        std::size_t end = i + 1;
        for (; end < std::min(count, i + kMostTokensInBox) && ranges.joins(end, box); ++end) {
            const auto more = ranges.of(end);
            box = {std::min(box.first, more.first), std::max(box.second, more.second)};
            m_shapeOf[end] = kJoined;
        }
        const std::int32_t id = m_prompt->ids[i];
        const auto slot = static_cast<std::size_t>(std::max(id, 0));
        if (slot >= byId.size() && slot < (1U << 20)) byId.resize(slot + 1, kJoined);
        const std::string_view bytes =
            text.substr(box.first, std::min(box.second - box.first, kMostBytesInBox));
        const std::uint32_t known = slot < byId.size() ? byId[slot] : kJoined;
        if (known != kJoined && !bytes.empty() && m_shapes[known].bytes == bytes) {
            m_shapeOf[i] = known;
        } else if (bytes.empty()) {
            const std::string piece = i < m_prompt->pieces.size() ? m_prompt->pieces[i] : "";
            m_shapeOf[i] = lookUp(byPiece, piece.empty() ? '#' + std::to_string(id) : piece,
                                  [&] { return shapeOfPiece(piece, id); });
        } else {
            m_shapeOf[i] = lookUp(byText, std::string(bytes), [&] { return shapeOfText(bytes); });
            if (slot < byId.size()) byId[slot] = m_shapeOf[i];
        }
        i = end;
    }
}

TokenRange TokenText::box(std::int64_t token) const {
    auto begin = static_cast<std::size_t>(token);
    while (begin > 0 && m_shapeOf[begin] == kJoined)
        --begin;
    auto end = static_cast<std::size_t>(token) + 1;
    while (end < m_shapeOf.size() && m_shapeOf[end] == kJoined)
        ++end;
    return {static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end)};
}

std::string TokenText::text(TokenRange tokens) const {
    const Ranges ranges(*m_prompt);
    std::size_t begin = m_prompt->text.size(), end = 0;
    for (std::int64_t i = std::max<std::int64_t>(tokens.begin, 0); i < std::min(tokens.end, size());
         ++i) {
        const auto [from, to] = ranges.of(static_cast<std::size_t>(i));
        if (from == to) continue;
        begin = std::min(begin, from);
        end = std::max(end, to);
    }
    return begin < end ? m_prompt->text.substr(begin, end - begin) : std::string{};
}

} // namespace fkv::viz
