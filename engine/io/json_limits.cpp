// SPDX-License-Identifier: Apache-2.0
#include "engine/io/json_limits.h"

#include "engine/core/error.h"
#include "engine/io/mapped_file.h"

#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

namespace fkv::io {

namespace {

using Json = nlohmann::json;

[[noreturn]] void bad(std::string_view where, const std::string& what) {
    throw Error(ErrorCode::BadFile, std::string(where) + ": " + what);
}

// Untrusted text goes into one line of an error message.
std::string shown(const std::string& key) {
    std::string out;
    for (const char c : key.substr(0, 60)) {
        const auto u = static_cast<unsigned char>(c);
        out += u < 0x20 || u == 0x7F || u >= 0x80 ? '?' : c;
    }
    return out;
}

/// Looks at the events of a parse before anything is built: the depth has to be refused before the
/// tree exists, and duplicate keys are invisible afterwards.
class Checker : public nlohmann::json_sax<Json> {
public:
    Checker(std::string_view where, const JsonLimits& limits) : m_where(where), m_limits(limits) {}

    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool string(string_t&) override { return true; }
    bool binary(binary_t&) override { return true; }
    bool start_object(std::size_t) override { return enter(); }
    bool start_array(std::size_t) override { return enter(); }
    bool end_object() override { return leave(); }
    bool end_array() override { return leave(); }
    bool key(string_t& key) override {
        if (m_limits.refuseDuplicateKeys && !m_keys.back().insert(key).second)
            bad(m_where, "duplicate key \"" + shown(key) + "\"");
        return true;
    }
    bool parse_error(std::size_t position, const std::string&,
                     const nlohmann::detail::exception& error) override {
        // The library's text quotes the input, line breaks and all; the place is what helps. A
        // number too large for a double is well-formed JSON, and the one other kind there is.
        bad(m_where, error.id == 406 ? "a JSON number is out of range"
                                     : "invalid JSON at byte " + std::to_string(position));
    }

private:
    bool enter() {
        m_keys.emplace_back();
        if (m_keys.size() > static_cast<std::size_t>(m_limits.maxDepth))
            bad(m_where, "JSON nested deeper than " + std::to_string(m_limits.maxDepth));
        return true;
    }
    bool leave() {
        m_keys.pop_back();
        return true;
    }

    std::string_view m_where;
    const JsonLimits& m_limits;
    std::vector<std::unordered_set<std::string>> m_keys;
};

std::string readWhole(const std::filesystem::path& path, std::size_t maxBytes) {
    const auto file = MappedFile::open(path);
    const auto bytes = file->bytes();
    if (bytes.size() > maxBytes)
        bad(path.string(), "larger than " + std::to_string(maxBytes) + " bytes");
    if (bytes.empty()) return {};
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

nlohmann::json parseJson(std::string_view text, std::string_view where, const JsonLimits& limits) {
    if (text.size() > limits.maxBytes)
        bad(where, "JSON larger than " + std::to_string(limits.maxBytes) + " bytes");
    Checker checker(where, limits);
    if (!Json::sax_parse(text.begin(), text.end(), &checker)) bad(where, "invalid JSON");
    try {
        return Json::parse(text.begin(), text.end());
    } catch (const Json::exception&) {
        bad(where, "invalid JSON");
    }
}

nlohmann::json readJson(const std::filesystem::path& path, const JsonLimits& limits) {
    return parseJson(readWhole(path, limits.maxBytes), path.string(), limits);
}

std::string readText(const std::filesystem::path& path, std::size_t maxBytes) {
    return readWhole(path, maxBytes);
}

bool isUtf8(std::string_view text) {
    const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    for (std::size_t i = 0; i < text.size();) {
        const std::uint8_t lead = at(i);
        std::size_t more = 0;
        // The second byte's range is what rules out overlong forms, surrogates and U+110000
        // upwards.
        std::uint8_t low = 0x80;
        std::uint8_t high = 0xBF;
        if (lead < 0x80) {
            ++i;
            continue;
        }
        if (lead >= 0xC2 && lead <= 0xDF) more = 1;
        else if (lead >= 0xE0 && lead <= 0xEF) more = 2;
        else if (lead >= 0xF0 && lead <= 0xF4) more = 3;
        else return false;
        if (lead == 0xE0) low = 0xA0;
        if (lead == 0xED) high = 0x9F;
        if (lead == 0xF0) low = 0x90;
        if (lead == 0xF4) high = 0x8F;
        if (text.size() - i <= more) return false;
        if (at(i + 1) < low || at(i + 1) > high) return false;
        for (std::size_t k = 2; k <= more; ++k)
            if ((at(i + k) & 0xC0U) != 0x80U) return false;
        i += more + 1;
    }
    return true;
}

}  // namespace fkv::io
