// SPDX-License-Identifier: Apache-2.0
#include "engine/core/nvtx.h"

#ifdef FKV_NVTX
#include <array>
#include <cstddef>
#include <cstdint>
#include <nvtx3/nvToolsExt.h>
#include <nvtx3/nvToolsExtPayload.h>
#include <string>
#endif

namespace fkv::nvtx {

#ifdef FKV_NVTX

namespace {

enum class Category : std::uint32_t { Prefill = 1, Select, Rerun, Decode, Load };
constexpr std::array<const char*, 5> kCategories{"prefill", "select", "rerun", "decode", "load"};

Category categoryOf(const trace::Span& span) {
    using trace::PassKind;
    if (span.pass == PassKind::DecodeFull || span.pass == PassKind::DecodeFastKv)
        return Category::Decode;
    if (span.pass == PassKind::Load) return Category::Load;
    if (groupOf(span.zone) == trace::ZoneGroup::Selection) return Category::Select;
    return span.pass == PassKind::FastKv ? Category::Rerun : Category::Prefill;
}

struct Payload {
    std::int64_t layer;
    std::int64_t tokens;
};

/// 0 when the tool knows no schemas, or the headers are older than them.
std::uint64_t registerSchema([[maybe_unused]] nvtxDomainHandle_t domain) {
#ifdef NVTX_PAYLOAD_SCHEMA_ATTR_FIELD_NAME
    std::array<nvtxPayloadSchemaEntry_t, 2> entries{};
    entries[0].type = entries[1].type = NVTX_PAYLOAD_ENTRY_TYPE_INT64;
    entries[0].name = "layer";
    entries[0].offset = offsetof(Payload, layer);
    entries[1].name = "tokens";
    entries[1].offset = offsetof(Payload, tokens);
    nvtxPayloadSchemaAttr_t schema{};
    schema.fieldMask = NVTX_PAYLOAD_SCHEMA_ATTR_FIELD_NAME | NVTX_PAYLOAD_SCHEMA_ATTR_FIELD_TYPE |
                       NVTX_PAYLOAD_SCHEMA_ATTR_FIELD_ENTRIES |
                       NVTX_PAYLOAD_SCHEMA_ATTR_FIELD_NUM_ENTRIES |
                       NVTX_PAYLOAD_SCHEMA_ATTR_FIELD_STATIC_SIZE;
    schema.name = "fastkv span";
    schema.type = NVTX_PAYLOAD_SCHEMA_TYPE_STATIC;
    schema.entries = entries.data();
    schema.numEntries = entries.size();
    schema.payloadStaticSize = sizeof(Payload);
    return nvtxPayloadSchemaRegister(domain, &schema);
#else
    return 0;
#endif
}

/// What a tool is told once. NVTX binds to its tool once in a process, so this is one in a process
/// too, and lives to its end: the tool may be gone before.
struct Domain {
    nvtxDomainHandle_t handle = nvtxDomainCreateA("fastkv"); ///< null: nobody listens
    std::array<nvtxStringHandle_t, static_cast<std::size_t>(trace::Zone::Count)> names{};
    std::uint64_t schema = 0;

    Domain() {
        if (handle == nullptr) return;
        for (std::size_t c = 0; c < kCategories.size(); ++c)
            nvtxDomainNameCategoryA(handle, static_cast<std::uint32_t>(c + 1), kCategories[c]);
        for (std::size_t z = 0; z < names.size(); ++z)
            names[z] = nvtxDomainRegisterStringA(
                handle, std::string(trace::name(static_cast<trace::Zone>(z))).c_str());
        schema = registerSchema(handle);
    }
};

const Domain& domain() {
    static const Domain instance;
    return instance;
}

} // namespace

void push(const trace::Span& span) {
    const Domain& d = domain();
    if (d.handle == nullptr) return;
    const Payload payload{span.layer, span.tokens};
    const nvtxPayloadData_t data{d.schema, sizeof payload, &payload};
    nvtxEventAttributes_t range{};
    range.version = NVTX_VERSION;
    range.size = NVTX_EVENT_ATTRIB_STRUCT_SIZE;
    range.category = static_cast<std::uint32_t>(categoryOf(span));
    range.messageType = NVTX_MESSAGE_TYPE_REGISTERED;
    range.message.registered = d.names[static_cast<std::size_t>(span.zone)];
    if (d.schema != 0) {
        range.payloadType = NVTX_PAYLOAD_TYPE_EXT;
        range.reserved0 = 1; // payloads
        range.payload.ullValue = reinterpret_cast<std::uintptr_t>(&data);
    } else {
        range.payloadType = NVTX_PAYLOAD_TYPE_INT64;
        range.payload.llValue = payload.layer;
    }
    nvtxDomainRangePushEx(d.handle, &range);
}

void pop() {
    if (domain().handle != nullptr) nvtxDomainRangePop(domain().handle);
}

#else

void push(const trace::Span&) {}
void pop() {}

#endif

} // namespace fkv::nvtx
