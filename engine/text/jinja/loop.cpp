// SPDX-License-Identifier: Apache-2.0
#include "engine/text/jinja/loop.h"

#include "engine/text/jinja/operators.h"

namespace fkv::text::jinja {

void Loop::release() {
    items.reset();
    last.reset();
}

Value Loop::attribute(Runtime& runtime, std::string_view name) const {
    const auto size = static_cast<std::int64_t>(items ? items->items.size() : 0);
    const auto item = [&](std::int64_t i) { return items->items[static_cast<std::size_t>(i)]; };
    if (name == "index") return {index0 + 1};
    if (name == "index0") return {index0};
    if (name == "first") return {index0 == 0};
    if (name == "last") return {index0 + 1 >= size};
    if (name == "length") return {size};
    if (name == "revindex") return {size - index0};
    if (name == "revindex0") return {size - index0 - 1};
    if (name == "depth") return {depth0 + 1};
    if (name == "depth0") return {depth0};
    if (name == "previtem")
        return index0 > 0 && index0 <= size ? item(index0 - 1)
                                            : Runtime::undefined("there is no previous item");
    if (name == "nextitem")
        return index0 + 1 < size ? item(index0 + 1) : Runtime::undefined("there is no next item");
    runtime.step();
    return Runtime::undefined("the loop has no attribute '" + std::string(name) + "'");
}

Value Loop::cycle(Runtime& runtime, const CallArguments& arguments) const {
    if (arguments.positional.empty() || !arguments.named.empty())
        runtime.fail("loop.cycle needs items to go round");
    return arguments.positional[static_cast<std::size_t>(index0) % arguments.positional.size()];
}

bool Loop::changed(Runtime& runtime, const CallArguments& arguments) {
    if (!arguments.named.empty()) runtime.fail("loop.changed takes no names");
    const Values& now = arguments.positional;
    bool same = last && last->size() == now.size();
    for (std::size_t i = 0; same && i < now.size(); ++i)
        same = equal(runtime, (*last)[i], now[i]);
    if (!same) last = now;
    return !same;
}

} // namespace fkv::text::jinja
