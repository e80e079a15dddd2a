// SPDX-License-Identifier: Apache-2.0
#define PCRE2_CODE_UNIT_WIDTH 8
#include "engine/text/pattern.h"

#include "engine/core/error.h"
#include "engine/text/pattern_dialect.h"
#include "engine/text/unicode.h"

#include <algorithm>
#include <array>
#include <new>
#include <pcre2.h>

namespace fkv::text {

namespace {

constexpr std::size_t kMaxExpression = 64U << 10;
constexpr std::size_t kFirstStack = 32U << 10;
constexpr std::size_t kMaxStack = 8U << 20;
constexpr std::uint32_t kMaxHeapKiB = 64U << 10;
/// Steps that a match may take. Honest patterns need a few for every byte of a long run of spaces;
/// catastrophic ones need more than there are, on forty letters.
constexpr std::uint32_t kLeastSteps = 1U << 20;
constexpr std::uint32_t kStepsPerByte = 16;
constexpr std::size_t kStartsAtOnce = 1024; ///< between two looks at the clock

std::string pcreMessage(int code) {
    std::array<PCRE2_UCHAR, 160> buffer{};
    pcre2_get_error_message(code, buffer.data(), buffer.size());
    return reinterpret_cast<const char*>(buffer.data());
}

} // namespace

void MatchScratch::prepare() {
    if (m_data != nullptr) return;
    m_data = pcre2_match_data_create(1, nullptr);
    m_context = pcre2_match_context_create(nullptr);
    m_stack = pcre2_jit_stack_create(kFirstStack, kMaxStack, nullptr);
    if (m_data == nullptr || m_context == nullptr) throw std::bad_alloc();
    pcre2_set_heap_limit(m_context, kMaxHeapKiB);
    // Without a stack of its own the JIT falls back on 32 KiB of ours.
    if (m_stack != nullptr) pcre2_jit_stack_assign(m_context, nullptr, m_stack);
}

MatchScratch::~MatchScratch() {
    pcre2_match_data_free(m_data);
    pcre2_match_context_free(m_context);
    if (m_stack != nullptr) pcre2_jit_stack_free(m_stack);
}

Pattern Pattern::compile(std::string_view expression, Dialect dialect, const std::string& where) {
    if (expression.size() > kMaxExpression)
        throw Error(ErrorCode::BadFile, where + ": the regular expression is too long");
    const std::string translated = translatePattern(expression, dialect, where);
    std::uint32_t options =
        PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_USE_OFFSET_LIMIT;
    // `^` and `$` mean lines in Oniguruma's default syntax, always.
    options |= dialect == Dialect::Oniguruma ? PCRE2_MULTILINE : PCRE2_DOLLAR_ENDONLY;
    const std::unique_ptr<pcre2_compile_context, void (*)(pcre2_compile_context*)> context(
        pcre2_compile_context_create(nullptr), pcre2_compile_context_free);
    if (!context) throw std::bad_alloc();
    pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
    int error = 0;
    PCRE2_SIZE at = 0;
    pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()),
                                     translated.size(), options, &error, &at, context.get());
    if (code == nullptr)
        throw Error(ErrorCode::BadFile,
                    where + ": not a regular expression: " + pcreMessage(error));
    Pattern pattern;
    pattern.m_code.reset(code, pcre2_code_free);
    pattern.m_where = where;
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); // where it cannot, the interpreter serves
    return pattern;
}

Pattern Pattern::literal(std::string text) {
    Pattern pattern;
    pattern.m_literal = std::move(text);
    return pattern;
}

void Pattern::findLiteral(std::string_view text, std::vector<Range>& matches) const {
    if (m_literal.empty()) return;
    for (std::size_t at = text.find(m_literal); at != std::string_view::npos;
         at = text.find(m_literal, at + m_literal.size()))
        matches.push_back(
            {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + m_literal.size())});
}

void Pattern::giveUp(const std::string& why) const {
    throw Error(ErrorCode::BadFile,
                m_where + ": the regular expression gives up on this text: " + why);
}

/// PCRE2's answer for a match that begins at one of `starts`, the end included.
int Pattern::matchWithin(std::string_view text, Range starts, MatchScratch& scratch) const {
    const auto subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    pcre2_set_offset_limit(scratch.m_context, starts.end);
    // The text was checked once; checking it again at every match would be quadratic.
    const std::uint32_t options = PCRE2_NO_UTF_CHECK;
    int found = pcre2_match(m_code.get(), subject, text.size(), starts.begin, options,
                            scratch.m_data, scratch.m_context);
    if (found == PCRE2_ERROR_JIT_STACKLIMIT)
        found = pcre2_match(m_code.get(), subject, text.size(), starts.begin,
                            options | PCRE2_NO_JIT, scratch.m_data, scratch.m_context);
    return found;
}

bool Pattern::search(std::string_view text, std::size_t from, MatchScratch& scratch,
                     Range& match) const {
    for (;;) {
        const std::size_t to = std::min(text.size(), from + kStartsAtOnce);
        const int found = matchWithin(
            text, {static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to)}, scratch);
        if (found >= 0) break; // 0: groups that nobody asks for have no room
        if (found != PCRE2_ERROR_NOMATCH) giveUp(pcreMessage(found));
        if (to == text.size()) return false;
        if (std::chrono::steady_clock::now() > scratch.m_deadline) giveUp("it takes too long");
        from = characterEnd(text, to + 1);
    }
    const PCRE2_SIZE* place = pcre2_get_ovector_pointer(scratch.m_data);
    // `\K` in a look-ahead can put the start behind the end.
    match = {static_cast<std::uint32_t>(std::min(place[0], place[1])),
             static_cast<std::uint32_t>(place[1])};
    return true;
}

void Pattern::findAll(std::string_view text, MatchScratch& scratch,
                      std::vector<Range>& matches) const {
    if (!m_code) {
        findLiteral(text, matches);
        return;
    }
    scratch.prepare();
    const std::uint64_t steps = kLeastSteps + std::uint64_t{kStepsPerByte} * text.size();
    pcre2_set_match_limit(scratch.m_context,
                          static_cast<std::uint32_t>(std::min<std::uint64_t>(steps, UINT32_MAX)));
    std::size_t from = 0;
    bool any = false;
    std::uint32_t last = 0; // end of the match before
    Range match;
    while (from <= text.size() && search(text, from, scratch, match)) {
        if (match.empty() && any && match.end == last) {
            if (from >= text.size()) return;
            from += characterAt(text, from).length;
            continue;
        }
        // A look-behind with \K may reach back before the match before.
        match.begin = std::max(match.begin, any ? last : 0U);
        matches.push_back(match);
        from = last = match.end;
        any = true;
    }
}

} // namespace fkv::text
