// SPDX-License-Identifier: Apache-2.0
#include "engine/text/jinja/access.h"
#include "engine/text/jinja/characters.h"
#include "engine/text/jinja/loop.h"
#include "engine/text/jinja/operators.h"
#include "engine/text/jinja/text_methods.h"

namespace fkv::text::jinja {

namespace {

Value dictView(Runtime& runtime, const Dict& d, Sequence::Kind kind) {
    Values out;
    out.reserve(d.items.size());
    for (const auto& [key, value] : d.items) {
        if (kind == Sequence::Kind::Keys)
            out.push_back(key);
        else if (kind == Sequence::Kind::ValuesView)
            out.push_back(value);
        else
            out.push_back(runtime.list({key, value}, Sequence::Kind::Tuple));
    }
    return runtime.list(std::move(out), kind);
}

Value dictMethod(Runtime& runtime, const Method& method, const CallArguments& arguments) {
    const Dict& d = *method.self.dict();
    if (method.name == "get") {
        const Given given(runtime, "get", arguments, {"key", "default"});
        refuseUnhashable(runtime, given.value(0));
        if (const Value* found = d.find(given.value(0))) return *found;
        return given.has(1) ? given.value(1) : Value{};
    }
    const Given none(runtime, method.name, arguments, {});
    if (method.name == "items") return dictView(runtime, d, Sequence::Kind::Items);
    if (method.name == "keys") return dictView(runtime, d, Sequence::Kind::Keys);
    if (method.name == "values") return dictView(runtime, d, Sequence::Kind::ValuesView);
    if (method.name == "copy") return method.self;
    runtime.fail("dict." + method.name + "() is not supported", ErrorCode::Unsupported);
}

Value listMethod(Runtime& runtime, const Method& method, const CallArguments& arguments) {
    if (method.name == "copy") return method.self;
    const Given given(runtime, method.name, arguments, {"value"});
    const Values& items = method.self.sequence()->items;
    std::int64_t count = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (!equal(runtime, items[i], given.value(0))) continue;
        if (method.name == "index") return {static_cast<std::int64_t>(i)};
        ++count;
    }
    if (method.name == "index") runtime.fail("the item is not in the list");
    return {count};
}

} // namespace

Value callMethod(Runtime& runtime, const Method& method, const CallArguments& arguments) {
    runtime.step();
    if (method.self.string() != nullptr) return callTextMethod(runtime, method, arguments);
    if (method.self.dict() != nullptr) return dictMethod(runtime, method, arguments);
    if (Object* o = method.self.object(Object::Kind::Loop)) {
        Loop& loop = *static_cast<Loop*>(o);
        if (method.name == "cycle") return loop.cycle(runtime, arguments);
        return {loop.changed(runtime, arguments)};
    }
    return listMethod(runtime, method, arguments);
}

} // namespace fkv::text::jinja
