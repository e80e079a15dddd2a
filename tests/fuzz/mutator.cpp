// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/mutator.h"

#include "tests/fuzz/json_mutator.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace fkv::fuzz {

namespace {

using namespace std::string_view_literals;

/// What breaks readers of JSON, texts and patterns.
constexpr std::array kInteresting{
    "0"sv,
    "-1"sv,
    "1e999"sv,
    "2147483648"sv,
    "18446744073709551615"sv,
    "-0"sv,
    "0.5"sv,
    "null"sv,
    "true"sv,
    "false"sv,
    "{}"sv,
    "[]"sv,
    "\"\""sv,
    "{\"type\":"sv,
    "[[[[[[[[[[["sv,
    "\\u0000"sv,
    "\\ud800"sv,
    "\xFF"sv,
    "\xED\xA0\x80"sv,
    "\0"sv,
    "\n"sv,
    ","sv,
    ":"sv,
    "\""sv,
    "}"sv,
    "(a+)+b"sv,
    "(?=(.*))*"sv,
    "[^"sv,
    "\\p{L}"sv,
    "{1,9999}"sv,
    "e\xCC\x81"sv,
    "\xEA\xB0\x80"sv,
    "\xF0\x9F\x98\x80"sv,
    "\xE2\x96\x81"sv,
    " "sv,
    "<s>"sv,
    "<0x0A>"sv,
    "\xCC\x81\xCC\x96"sv,
    "\xE1\x84\x92\xE1\x85\xA1"sv,
    "NFKC"sv,
};

} // namespace

std::size_t Mutator::below(std::size_t limit) {
    // Not a distribution of the library: those differ between implementations.
    return limit == 0 ? 0 : static_cast<std::size_t>(m_random() % limit);
}

std::string Mutator::next() {
    std::string input = m_corpus[below(m_corpus.size())];
    const auto limited = [this](std::size_t limit) { return below(limit); };
    if (below(2) == 0 && changeJson(input, limited)) return input;
    for (std::size_t i = 1 + below(4); i > 0; --i)
        change(input);
    return input;
}

void Mutator::change(std::string& input) {
    const std::size_t at = place(input);
    switch (below(10)) {
    case 0:
    case 1:
        if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << below(8)));
        break;
    case 2:
        if (at < input.size()) input[at] = static_cast<char>(below(256));
        break;
    case 3:
    case 4:
        changeNumber(input);
        break;
    case 5: { // overwrite
        const std::string_view with = kInteresting[below(kInteresting.size())];
        if (at + with.size() <= input.size()) input.replace(at, with.size(), with);
        break;
    }
    case 6:
        insert(input, kInteresting[below(kInteresting.size())]);
        break;
    case 7:
        input.erase(at, 1 + below(16));
        break;
    case 8: { // a stretch again elsewhere
        const std::string stretch = input.substr(at, 1 + below(64));
        insert(input, stretch);
        break;
    }
    default: { // the front of one, the rest of another
        const std::string& other = m_corpus[below(m_corpus.size())];
        input = input.substr(0, at) + other.substr(std::min(at, other.size()));
    }
    }
}

/// Another digit, or the digits of a number moved.
void Mutator::changeNumber(std::string& input) {
    std::size_t at = place(input);
    const auto isDigit = [&](std::size_t i) {
        return std::isdigit(static_cast<unsigned char>(input[i])) != 0;
    };
    while (at < input.size() && !isDigit(at))
        ++at;
    if (at >= input.size()) return;
    std::size_t end = at;
    while (end < input.size() && isDigit(end))
        ++end;
    if (below(4) == 0)
        input.insert(end, std::string(1 + below(20), '9'));
    else
        input[at + below(end - at)] = static_cast<char>('0' + below(10));
}

void Mutator::insert(std::string& input, std::string_view what) {
    input.insert(place(input), what);
}

} // namespace fkv::fuzz
