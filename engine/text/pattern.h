// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/offset_text.h"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct pcre2_real_code_8;
struct pcre2_real_match_data_8;
struct pcre2_real_match_context_8;
struct pcre2_real_jit_stack_8;

namespace fkv::text {

/// Whose regular expressions a file is written in: what `\s`, `\w`, `{1,3}+` and `^` mean differs.
enum class Dialect {
    Oniguruma, ///< tokenizer.json
    Rust       ///< tekken.json
};

/// What matching needs besides the pattern; one for each encode call, for all its patterns. Made at
/// the first regular expression.
class MatchScratch {
public:
    /// A place where a match may begin costs a bounded number of steps, but a text has many places:
    /// searches that go on for longer than this in all are given up.
    explicit MatchScratch(std::chrono::milliseconds limit = std::chrono::seconds(60))
        : m_deadline(std::chrono::steady_clock::now() + limit) {}
    ~MatchScratch();
    MatchScratch(const MatchScratch&) = delete;
    MatchScratch& operator=(const MatchScratch&) = delete;

private:
    friend class Pattern;
    void prepare();
    std::chrono::steady_clock::time_point m_deadline;
    pcre2_real_match_data_8* m_data = nullptr;
    pcre2_real_match_context_8* m_context = nullptr;
    pcre2_real_jit_stack_8* m_stack = nullptr;
};

/// A compiled regular expression, or a literal text. Immutable, cheap to copy, thread-safe.
class Pattern {
public:
    /// Throws BadFile for an expression that is not valid; `where` names it in this and later
    /// messages.
    static Pattern compile(std::string_view expression, Dialect dialect, const std::string& where);
    static Pattern literal(std::string text);

    /// Adds all matches in `text` (UTF-8, already checked) from left to right, as the regex
    /// libraries of the dialects iterate: no empty match right behind another match. Throws BadFile
    /// when the expression backtracks without end on this text, or the scratch's time is over.
    void findAll(std::string_view text, MatchScratch& scratch, std::vector<Range>& matches) const;

private:
    bool search(std::string_view text, std::size_t from, MatchScratch& scratch, Range& match) const;
    int matchWithin(std::string_view text, Range starts, MatchScratch& scratch) const;
    [[noreturn]] void giveUp(const std::string& why) const;
    void findLiteral(std::string_view text, std::vector<Range>& matches) const;

    std::shared_ptr<pcre2_real_code_8> m_code; ///< null for a literal
    std::string m_literal;
    std::string m_where;
};

} // namespace fkv::text
