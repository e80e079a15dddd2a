// SPDX-License-Identifier: Apache-2.0
#include "engine/text/jinja/template.h"

#include "engine/io/json_limits.h"
#include "engine/text/jinja/evaluator.h"
#include "engine/text/jinja/parser.h"

namespace fkv::text::jinja {

namespace {

using Json = nlohmann::ordered_json;

Value fromJson(Runtime& runtime, const Json& json) {
    switch (json.type()) {
    case Json::value_t::null:
        return {};
    case Json::value_t::boolean:
        return {json.get<bool>()};
    case Json::value_t::number_integer:
        return {json.get<std::int64_t>()};
    case Json::value_t::number_unsigned:
        if (json.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX))
            runtime.fail("a number is too large");
        return {json.get<std::int64_t>()};
    case Json::value_t::number_float:
        return {json.get<double>()};
    case Json::value_t::string:
        return runtime.text(json.get<std::string>());
    case Json::value_t::array: {
        Values items;
        for (const Json& item : json)
            items.push_back(fromJson(runtime, item));
        return runtime.list(std::move(items));
    }
    case Json::value_t::object: {
        Dict dict;
        for (const auto& [key, value] : json.items())
            dict.set(runtime.text(key), fromJson(runtime, value));
        return runtime.dict(std::move(dict));
    }
    default:
        runtime.fail("a variable is neither text, number, list nor dict");
    }
}

ScopePtr makeGlobals(Runtime& runtime, const Json& variables) {
    auto globals = std::make_shared<Scope>(nullptr);
    globals->values = {{"range", {Builtin::Range}},
                       {"dict", {Builtin::Dict}},
                       {"namespace", {Builtin::Namespace}},
                       {"raise_exception", {Builtin::RaiseException}},
                       {"strftime_now", {Builtin::StrftimeNow}}};
    for (const auto& [name, value] : variables.items())
        globals->values[name] = fromJson(runtime, value);
    return globals;
}

Body parsed(std::string_view source, const Limits& limits) {
    if (source.size() > limits.templateBytes)
        throw Error(ErrorCode::BadFile, "the chat template is larger than " +
                                            std::to_string(limits.templateBytes >> 10U) + " KiB");
    if (!io::isUtf8(source))
        throw Error(ErrorCode::BadFile, "the chat template is not valid UTF-8");
    return parse(source);
}

} // namespace

Template::Template(std::string_view source, const Limits& limits)
    : m_limits(limits), m_body(parsed(source, limits)) {}

Template::~Template() = default;

std::string Template::render(const Json& variables, const Moment& now) const {
    Runtime runtime(m_limits, now);
    std::string out;
    Evaluator evaluator(runtime, makeGlobals(runtime, variables));
    evaluator.run(m_body, out);
    return out;
}

} // namespace fkv::text::jinja
