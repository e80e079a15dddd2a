// SPDX-License-Identifier: Apache-2.0
#include "engine/run/held_kv.h"

#include "engine/run/kv_copy.h"

namespace fkv::run {

using trace::Zone;

void placeKv(const RunContext& context, HeldFull& full, ops::Place place, std::int64_t capacity,
             std::int64_t kept) {
    model::Transformer& transformer = context.transformer();
    full.layers.resize(static_cast<std::size_t>(context.layers()));
    for (HeldLayer& layer : full.layers) {
        context.gate.pass(context.stop);
        resizeCache(transformer, layer.cache, capacity, kept, place);
    }
    if (place == ops::Place::Host)
        resizeCache(transformer, full.near, capacity, 0);
    else
        full.near = {};
}

ops::KvView& nearKv(const RunContext& context, HeldFull& full, int layer, std::int64_t tokens,
                    PassScope& scope) {
    model::LayerCache& held = full.layers[static_cast<std::size_t>(layer)].cache;
    if (held.place == ops::Place::Device) return held.kv;
    ops::KvView& near = full.near.kv;
    near.length = tokens;
    if (tokens > 0)
        scope.op(Zone::Checkpoint, tokens,
                 [&] { copyTokens(context.transformer().backend(), held.kv, 0, near); });
    return near;
}

void keepKv(const RunContext& context, HeldFull& full, int layer, std::int64_t from,
            PassScope& scope) {
    model::LayerCache& held = full.layers[static_cast<std::size_t>(layer)].cache;
    if (held.place == ops::Place::Device) return;
    const ops::KvView& near = full.near.kv;
    held.kv.length = near.length;
    const std::int64_t tokens = near.length - from;
    scope.op(Zone::Checkpoint, tokens, [&] {
        copyTokens(context.transformer().backend(), near, from, held.kv.slice(from, tokens));
    });
}

} // namespace fkv::run
