// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/jinja/runtime.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

// The subset of Jinja that chat templates use, rendered as Python's jinja2 renders it when Hugging
// Face transformers calls it: trim_blocks, lstrip_blocks, no escaping, the immutable sandbox.
//
// Covered. Tags: if elif else, for (else, inline if, tuples, loop.*, break, continue), set (names,
// namespace attributes, tuples, blocks), macro, call, filter, with, generation, print, raw,
// comments; "-" and "+" at both ends of a tag. Expressions: literals, lists, tuples, dicts,
// attributes, items, slices, calls, + - * / // % ** ~, chains of comparisons, in, not in, and, or,
// not, inline if, filters, tests. Functions: range, dict, namespace, raise_exception, strftime_now.
// Filters: abs capitalize count d default dictsort e escape first float forceescape indent int
// items join last length list lower map max min reject rejectattr replace reverse round safe select
// selectattr sort string sum title tojson trim unique upper wordcount. Tests: boolean callable
// defined divisibleby eq equalto escaped even false float ge gt in integer iterable le lower lt
// mapping ne none number odd sameas sequence string true undefined upper, and the signs. Methods:
// str: all that templates call (text_methods.cpp); dict: get items keys values copy; list and
// tuple: count index.
// Not covered, and an error that says so: include, import, extends, block, do, autoescape,
// recursive loops, varargs and kwargs of macros, "%" and format after a text, whole numbers beyond
// 64 bits, keys of a dict that are tuples. Generators are made at once, not as they are read; the
// mark of |safe is lost by methods.
namespace fkv::text::jinja {

struct Stmt;

/// A template that was read once and may be rendered from any thread.
class Template {
public:
    /// `source` is untrusted UTF-8. Throws Error{BadFile, Unsupported} in one line with the line of
    /// the template.
    explicit Template(std::string_view source, const Limits& limits = {});
    ~Template();
    Template(const Template&) = delete;
    Template& operator=(const Template&) = delete;

    /// Throws Error{BadFile} for what goes wrong in the template or passes a limit, and
    /// Error{BadArgument} when the template raises an exception of its own.
    std::string render(const nlohmann::ordered_json& variables, const Moment& now) const;

private:
    Limits m_limits;
    std::vector<Stmt> m_body;
};

} // namespace fkv::text::jinja
