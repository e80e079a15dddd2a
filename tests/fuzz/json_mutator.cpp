// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/json_mutator.h"

#include <array>
#include <nlohmann/json.hpp>

namespace fkv::fuzz {

namespace {

using Json = nlohmann::json;

/// Texts that mean something to some reader: types of steps, patterns, characters that change.
constexpr std::array kTexts{
    "",          "a",         "▁",         "Ġ",       "e\xCC\x81",  "\xF0\x9F\x98\x80",
    "Sequence",  "NFC",       "NFD",       "Replace", "Strip",      "Lowercase",
    "ByteLevel", "Split",     "Metaspace", "Digits",  "Whitespace", "Removed",
    "Isolated",  "Fuse",      "(a|a)*b",   "\\s+$",   "(?i:a)\\w",  "x*",
    "^|$",       "[^\\s\\S]", "AAAA",      "QQ==",    "yarn",       "MergedWithPrevious"};

Json value(const Below& below) {
    switch (below(8)) {
    case 0:
        return nullptr;
    case 1:
        return below(2) == 0;
    case 2:
        return static_cast<std::int64_t>(below(400)) - 8;
    case 3:
        return std::int64_t{1} << below(63);
    case 4:
        return 0.5;
    case 5:
        return Json::array();
    case 6:
        return Json::object();
    default:
        return kTexts[below(kTexts.size())];
    }
}

/// A value at random: each step down takes one of the children.
Json* pick(Json& root, const Below& below) {
    Json* at = &root;
    while (at->is_structured() && !at->empty() && below(8) != 0)
        at = &std::next(at->begin(), static_cast<std::ptrdiff_t>(below(at->size()))).value();
    return at;
}

void eraseChild(Json& parent, const Below& below) {
    if (parent.empty()) return;
    const auto child = std::next(parent.begin(), static_cast<std::ptrdiff_t>(below(parent.size())));
    parent.erase(child);
}

void changeOne(Json& root, const Below& below) {
    Json* at = pick(root, below);
    switch (below(6)) {
    case 0:
    case 1:
        *at = value(below);
        break;
    case 2:
        if (at->is_structured())
            eraseChild(*at, below);
        else
            *at = value(below);
        break;
    case 3:
        if (at->is_array() && !at->empty())
            at->push_back(Json((*at)[below(at->size())]));
        else if (at->is_object())
            (*at)[kTexts[below(kTexts.size())]] = value(below);
        else if (at->is_number_integer())
            *at = at->get<std::int64_t>() + 1;
        break;
    case 4: { // a value from elsewhere
        const Json copy = *pick(root, below);
        *pick(root, below) = copy;
        break;
    }
    default:
        if (at->is_string())
            *at = at->get<std::string>() + kTexts[below(kTexts.size())];
        else
            *at = Json::array({*at});
    }
}

} // namespace

bool changeJson(std::string& text, const Below& below) {
    Json json = Json::parse(text, nullptr, false);
    if (json.is_discarded()) return false;
    for (std::size_t i = 1 + below(3); i > 0; --i)
        changeOne(json, below);
    text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
    return true;
}

} // namespace fkv::fuzz
