// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/jinja/arguments.h"

#include <optional>

namespace fkv::text::jinja {

/// The `loop` of a for block.
struct Loop final : Object {
    explicit Loop(SequencePtr all) : Object(Kind::Loop), items(std::move(all)) {}
    void release() override;

    /// index, first, last, length, previtem, ...; undefined for other names.
    Value attribute(Runtime& runtime, std::string_view name) const;
    Value cycle(Runtime& runtime, const CallArguments& arguments) const;
    /// True the first time and whenever the values differ from those of the last call.
    bool changed(Runtime& runtime, const CallArguments& arguments);

    SequencePtr items;
    std::int64_t index0 = 0;
    std::int64_t depth0 = 0;
    std::optional<Values> last;
};

} // namespace fkv::text::jinja
