// SPDX-License-Identifier: Apache-2.0
#include "engine/text/unicode_forms.h"

#include "engine/core/error.h"
#include "engine/text/unicode.h"

#include <algorithm>
#include <array>
#include <utf8proc.h>

namespace fkv::text {

namespace {

using Code = utf8proc_int32_t;

bool composes(UnicodeForm form) {
    return form == UnicodeForm::Nfc || form == UnicodeForm::Nfkc;
}

utf8proc_option_t optionsOf(UnicodeForm form) {
    int options = UTF8PROC_STABLE;
    options |= composes(form) ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE;
    if (form == UnicodeForm::Nfkc || form == UnicodeForm::Nfkd) options |= UTF8PROC_COMPAT;
    return static_cast<utf8proc_option_t>(options);
}

/// Characters that the form never changes and that no character in front of them takes in.
bool isPlain(char32_t code, UnicodeForm form) {
    if (code < 0x80) return true;
    if (form != UnicodeForm::Nfc) return false;
    return code < 0x300 || (code >= 0x3400 && code <= 0x9FFF);
}

class Normalizer {
public:
    Normalizer(const OffsetText& from, UnicodeForm form)
        : m_text(from.text()), m_form(form), m_options(optionsOf(form)), m_writer(from) {}

    OffsetText run() {
        while (m_at < m_text.size()) {
            keepPlain();
            if (m_at < m_text.size()) cluster();
        }
        return m_writer.take();
    }

private:
    /// Plain characters but the last one before others, which a mark may follow.
    void keepPlain() {
        std::size_t end = m_at;
        std::size_t last = m_at;
        while (end < m_text.size()) {
            const Character c = characterAt(m_text, end);
            if (!isPlain(c.code, m_form)) break;
            last = end;
            end += c.length;
        }
        if (end < m_text.size()) end = last;
        m_writer.keep({static_cast<std::uint32_t>(m_at), static_cast<std::uint32_t>(end)});
        m_at = end;
    }

    /// One grapheme cluster: nothing composes across its borders (UAX 29), so that it can be
    /// normalised by itself.
    void cluster() {
        const std::size_t begin = m_at;
        m_before.clear();
        Code state = 0;
        do {
            const Character c = characterAt(m_text, m_at);
            const auto code = static_cast<Code>(c.code);
            if (!m_before.empty() &&
                utf8proc_grapheme_break_stateful(m_before.back(), code, &state))
                break;
            m_before.push_back(code);
            m_at += c.length;
        } while (m_at < m_text.size());
        decompose();
        if (composes(m_form)) compose();
        const Range range{static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(m_at)};
        if (m_after == m_before) return m_writer.keep(range);
        m_bytes.clear();
        for (const Code code : m_after)
            appendUtf8(m_bytes, static_cast<char32_t>(code));
        m_writer.put(m_bytes, range);
    }

    void decompose() {
        m_after.clear();
        // The longest decomposition of one character has 18.
        std::array<Code, 32> parts{};
        for (const Code code : m_before) {
            int boundary = 0;
            const auto count = utf8proc_decompose_char(code, parts.data(),
                                                       static_cast<utf8proc_ssize_t>(parts.size()),
                                                       m_decompose, &boundary);
            if (count < 0 || count > static_cast<utf8proc_ssize_t>(parts.size()))
                throw Error(ErrorCode::Internal, "a character cannot be decomposed");
            m_after.insert(m_after.end(), parts.begin(), parts.begin() + count);
        }
        // The library's own ordering is quadratic in a run of marks.
        const auto combining = [](Code c) { return utf8proc_get_property(c)->combining_class; };
        for (auto at = m_after.begin(); at != m_after.end();) {
            const auto marks =
                std::find_if(at, m_after.end(), [&](Code c) { return combining(c) != 0; });
            at = std::find_if(marks, m_after.end(), [&](Code c) { return combining(c) == 0; });
            std::stable_sort(marks, at,
                             [&](Code a, Code b) { return combining(a) < combining(b); });
        }
    }

    void compose() {
        const auto count = utf8proc_normalize_utf32(
            m_after.data(), static_cast<utf8proc_ssize_t>(m_after.size()), m_options);
        if (count < 0) throw Error(ErrorCode::Internal, "a text cannot be normalised");
        m_after.resize(static_cast<std::size_t>(count));
    }

    std::string_view m_text;
    UnicodeForm m_form;
    utf8proc_option_t m_options;
    utf8proc_option_t m_decompose = static_cast<utf8proc_option_t>(
        UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | (m_options & UTF8PROC_COMPAT));
    OffsetTextWriter m_writer;
    std::size_t m_at = 0;
    std::vector<Code> m_before, m_after;
    std::string m_bytes;
};

} // namespace

OffsetText normalized(const OffsetText& from, UnicodeForm form) {
    const std::string_view text = from.text();
    bool plain = true;
    for (std::size_t at = 0; at < text.size() && plain;) {
        const Character c = characterAt(text, at);
        plain = isPlain(c.code, form);
        at += c.length;
    }
    return plain ? from : Normalizer(from, form).run();
}

} // namespace fkv::text
