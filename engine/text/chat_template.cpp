// SPDX-License-Identifier: Apache-2.0
#include "engine/text/chat_template.h"

#include "engine/core/error.h"
#include "engine/io/json_limits.h"
#include "engine/text/jinja/characters.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <system_error>

namespace fkv::text {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostTemplate = 1U << 20;

[[noreturn]] void bad(const std::string& origin, const std::string& what) {
    throw Error(ErrorCode::BadFile, origin + ": " + what);
}

bool isThere(const std::filesystem::path& path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

Json readConfig(const std::filesystem::path& path) {
    if (!isThere(path)) return Json::object();
    Json config = io::readJson(path);
    if (!config.is_object()) bad(path.string(), "not a JSON object");
    return config;
}

/// `chat_template` of a config; absent when there is none.
std::optional<std::string> templateIn(const Json& config, const std::string& origin) {
    const auto it = config.find("chat_template");
    if (it == config.end() || it->is_null()) return std::nullopt;
    if (it->is_string()) return it->get<std::string>();
    if (!it->is_array()) bad(origin, "chat_template is neither a text nor a list");
    for (const Json& entry : *it) {
        const bool named = entry.is_object() && entry.contains("name") &&
                           entry.contains("template") && entry["template"].is_string();
        if (!named) bad(origin, "chat_template has an entry without a name and a template");
        if (entry["name"] == "default") return entry["template"].get<std::string>();
    }
    bad(origin, "none of the chat templates is named \"default\"");
}

/// A token's text: a string, or an object with its `content`.
std::optional<std::string> tokenText(const Json& token) {
    if (token.is_string()) return token.get<std::string>();
    if (token.is_object() && token.contains("content") && token["content"].is_string())
        return token["content"].get<std::string>();
    return std::nullopt;
}

nlohmann::ordered_json specialTokens(const Json& config, const Tokenizer& tokenizer) {
    static constexpr std::array kNames{"bos_token", "eos_token", "unk_token", "sep_token",
                                       "pad_token", "cls_token", "mask_token"};
    auto tokens = nlohmann::ordered_json::object();
    for (const char* name : kNames)
        if (const auto it = config.find(name); it != config.end())
            if (const auto text = tokenText(*it)) tokens[name] = *text;
    // A config that says null means it: Qwen has no BOS. One that says nothing leaves it to us.
    if (!config.contains("bos_token") && tokenizer.bos() >= 0)
        tokens["bos_token"] = tokenizer.piece(tokenizer.bos());
    if (!config.contains("eos_token") && tokenizer.eos() >= 0)
        tokens["eos_token"] = tokenizer.piece(tokenizer.eos());
    const auto more = config.find("additional_special_tokens");
    if (more == config.end() || !more->is_array()) return tokens;
    auto list = nlohmann::ordered_json::array();
    for (const Json& token : *more)
        if (const auto text = tokenText(token)) list.push_back(*text);
    tokens["additional_special_tokens"] = std::move(list);
    return tokens;
}

} // namespace

ChatTemplate::ChatTemplate(std::string origin, std::string_view source,
                           nlohmann::ordered_json tokens)
    : m_origin(std::move(origin)), m_template(source), m_tokens(std::move(tokens)) {}

std::shared_ptr<const ChatTemplate> ChatTemplate::open(const std::filesystem::path& modelFolder,
                                                       const Tokenizer& tokenizer) {
    const char* const kFile = "chat_template.jinja";
    const char* const kConfig = "tokenizer_config.json";
    const char* const kOwnJson = "chat_template.json";
    const Json config = readConfig(modelFolder / kConfig);
    std::optional<std::string> source;
    std::string origin = kFile;
    if (isThere(modelFolder / kFile)) {
        source = io::readText(modelFolder / kFile, kMostTemplate);
    } else if ((source = templateIn(config, kConfig))) {
        origin = kConfig;
    } else if (isThere(modelFolder / kOwnJson)) {
        source = templateIn(readConfig(modelFolder / kOwnJson), kOwnJson);
        origin = kOwnJson;
    }
    if (!source) return nullptr;
    try {
        return std::shared_ptr<const ChatTemplate>(
            new ChatTemplate(origin, *source, specialTokens(config, tokenizer)));
    } catch (const Error& error) {
        throw Error(error.code(), origin + ": " + error.what(), error.hint());
    }
}

RenderedChat ChatTemplate::render(const ChatInput& input) const {
    nlohmann::ordered_json variables = m_tokens;
    auto messages = nlohmann::ordered_json::array();
    for (const ChatMessage& m : input.messages) {
        if (!io::isUtf8(m.content) || !io::isUtf8(m.role))
            throw Error(ErrorCode::BadArgument, "the text is not valid UTF-8");
        messages.push_back({{"role", m.role}, {"content", m.content}});
    }
    variables["messages"] = std::move(messages);
    variables["tools"] = nullptr;
    variables["documents"] = nullptr;
    variables["add_generation_prompt"] = input.addGenerationPrompt;
    for (const auto& [name, value] : input.extra.items())
        variables[name] = value;
    RenderedChat out;
    out.text = m_template.render(variables, input.now ? *input.now : jinja::Moment::now());
    const auto bos = m_tokens.find("bos_token");
    out.hasBos = bos != m_tokens.end() && !bos->get_ref<const std::string&>().empty() &&
                 out.text.starts_with(bos->get_ref<const std::string&>());
    return out;
}

ChatInput chatInput(const ChatTurn& turn) {
    ChatInput input;
    if (!turn.system.empty()) input.messages.push_back({"system", turn.system});
    input.messages.push_back({"user", turn.user});
    jinja::Moment day;
    int end = 0;
    const bool read = std::sscanf(turn.date.c_str(), "%4d-%2d-%2d%n", &day.year, &day.month,
                                  &day.day, &end) == 3 &&
                      static_cast<std::size_t>(end) == turn.date.size();
    const std::chrono::year_month_day real{std::chrono::year(day.year),
                                           std::chrono::month(static_cast<unsigned>(day.month)),
                                           std::chrono::day(static_cast<unsigned>(day.day))};
    if (!read || day.year < 1 || day.month < 1 || day.day < 1 || !real.ok())
        throw Error(ErrorCode::BadArgument,
                    "\"" + turn.date + "\" is not a date, valid: 2026-01-31");
    input.now = day;
    return input;
}

std::string today() {
    const jinja::Moment now = jinja::Moment::now();
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02d-%02d", now.year, now.month, now.day);
    return text.data();
}

Encoding encodeChat(const RenderedChat& chat, const Tokenizer& tokenizer) {
    const std::string bos = tokenizer.bos() >= 0 ? tokenizer.piece(tokenizer.bos()) : std::string();
    const bool addBos = tokenizer.addsBos() && !chat.hasBos;
    // tokenizer.json knows its control tokens by their spelling; sentencepiece takes them for text.
    const bool spellingIsToken = [&] {
        if (bos.empty()) return true;
        const Encoding probe = tokenizer.encode(bos, false);
        return probe.ids.size() == 1 && probe.ids.front() == tokenizer.bos();
    }();
    if (spellingIsToken) return tokenizer.encode(chat.text, addBos);
    const std::string eos = tokenizer.eos() >= 0 ? tokenizer.piece(tokenizer.eos()) : std::string();
    Encoding out = tokenizer.encode({}, addBos);
    const std::string_view text = chat.text;
    const auto append = [&](std::size_t from, std::size_t to) {
        if (from == to) return;
        const Encoding part = tokenizer.encode(text.substr(from, to - from), false);
        out.ids.insert(out.ids.end(), part.ids.begin(), part.ids.end());
        for (const auto& [begin, end] : part.bytes)
            out.bytes.emplace_back(begin + static_cast<std::uint32_t>(from),
                                   end + static_cast<std::uint32_t>(from));
    };
    std::size_t done = 0;
    for (std::size_t at = 0; at < text.size();) {
        const bool isBos = text.substr(at).starts_with(bos);
        const bool isEos = !isBos && !eos.empty() && text.substr(at).starts_with(eos);
        if (!isBos && !isEos) {
            ++at;
            continue;
        }
        append(done, at);
        done = at + (isBos ? bos : eos).size();
        out.ids.push_back(isBos ? tokenizer.bos() : tokenizer.eos());
        out.bytes.emplace_back(static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(done));
        at = done;
    }
    append(done, text.size());
    return out;
}

std::optional<std::int64_t> shiftOf(std::string_view rendered, std::string_view user) {
    const std::string_view words = jinja::strip(user, {});
    for (const std::string_view part : {user, words}) {
        const std::size_t at = part.empty() ? part.npos : rendered.rfind(part);
        if (at != std::string_view::npos)
            return static_cast<std::int64_t>(at) - (part.data() - user.data());
    }
    return std::nullopt;
}

ChatSupport findChatTemplate(const std::filesystem::path& modelFolder, const Tokenizer& tokenizer) {
    try {
        if (auto chat = ChatTemplate::open(modelFolder, tokenizer)) return {std::move(chat), {}};
        return {nullptr, "no chat template"};
    } catch (const Error& error) {
        return {nullptr, error.what()};
    }
}

} // namespace fkv::text
