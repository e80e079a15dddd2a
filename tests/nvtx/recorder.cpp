// SPDX-License-Identifier: Apache-2.0
// An NVTX injection library: NVTX loads it when NVTX_INJECTION64_PATH names it. It writes what a
// program annotates to the file that FKV_NVTX_RECORD names, one line each, fields parted by tabs:
//     domain NAME | category DOMAIN ID NAME | string DOMAIN TEXT | schema DOMAIN NAME FIELD...
//     push THREAD DOMAIN TEXT CATEGORY FIELD=VALUE... | pop THREAD DOMAIN
// With FKV_NVTX_PLAIN set it knows no payload schemas, as older tools do.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <nvtx3/nvToolsExt.h>
#include <nvtx3/nvToolsExtPayload.h>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace {

struct Domain {
    std::string name;
};
struct Text {
    std::string value;
};
struct Field {
    std::string name;
    std::uint64_t offset;
};

/// What was told so far. Handles are addresses in these lists, which never move.
struct Record {
    std::mutex mutex;
    std::FILE* file = std::fopen(std::getenv("FKV_NVTX_RECORD"), "w");
    std::deque<Domain> domains;
    std::deque<Text> texts;
    std::map<std::uint64_t, std::vector<Field>> schemas;

    void line(const std::string& text) {
        std::fprintf(file, "%s\n", text.c_str());
        std::fflush(file);
    }
};

Record& record() {
    static Record& instance = *new Record; // the program may annotate until its very end
    return instance;
}

std::string nameOf(nvtxDomainHandle_t domain) {
    return domain == nullptr ? "" : reinterpret_cast<const Domain*>(domain)->name;
}

std::string thread() {
    return std::to_string(::syscall(SYS_gettid));
}

nvtxDomainHandle_t createDomain(const char* name) {
    const std::lock_guard lock(record().mutex);
    record().line(std::string("domain\t") + name);
    return reinterpret_cast<nvtxDomainHandle_t>(&record().domains.emplace_back(Domain{name}));
}

void nameCategory(nvtxDomainHandle_t domain, std::uint32_t id, const char* name) {
    const std::lock_guard lock(record().mutex);
    record().line("category\t" + nameOf(domain) + "\t" + std::to_string(id) + "\t" + name);
}

nvtxStringHandle_t registerString(nvtxDomainHandle_t domain, const char* text) {
    const std::lock_guard lock(record().mutex);
    record().line("string\t" + nameOf(domain) + "\t" + text);
    return reinterpret_cast<nvtxStringHandle_t>(&record().texts.emplace_back(Text{text}));
}

std::uint64_t registerSchema(nvtxDomainHandle_t domain, const nvtxPayloadSchemaAttr_t* schema) {
    const std::lock_guard lock(record().mutex);
    const std::uint64_t id = NVTX_PAYLOAD_SCHEMA_ID_DYNAMIC_START + record().schemas.size() + 1;
    std::string line = "schema\t" + nameOf(domain) + "\t" + schema->name;
    for (std::size_t i = 0; i < schema->numEntries; ++i) {
        const nvtxPayloadSchemaEntry_t& entry = schema->entries[i];
        if (entry.type != NVTX_PAYLOAD_ENTRY_TYPE_INT64) continue; // the only type in use here
        record().schemas[id].push_back({entry.name, entry.offset});
        line += std::string("\t") + entry.name;
    }
    record().line(line);
    return id;
}

std::string payloadText(const nvtxEventAttributes_t& range) {
    if (range.payloadType == NVTX_PAYLOAD_TYPE_INT64)
        return "\tpayload=" + std::to_string(range.payload.llValue);
    if (range.payloadType != NVTX_PAYLOAD_TYPE_EXT) return {};
    const auto* blobs = reinterpret_cast<const nvtxPayloadData_t*>(range.payload.ullValue);
    std::string text;
    for (std::int32_t i = 0; i < range.reserved0; ++i)
        for (const Field& field : record().schemas[blobs[i].schemaId]) {
            std::int64_t value = 0;
            if (field.offset + sizeof value > blobs[i].size) continue;
            std::memcpy(&value, static_cast<const char*>(blobs[i].payload) + field.offset,
                        sizeof value);
            text += "\t" + field.name + "=" + std::to_string(value);
        }
    return text;
}

int push(nvtxDomainHandle_t domain, const nvtxEventAttributes_t* range) {
    const std::lock_guard lock(record().mutex);
    // A text that was not registered shows as none: the test then fails.
    const bool registered = range->messageType == NVTX_MESSAGE_TYPE_REGISTERED;
    record().line("push\t" + thread() + "\t" + nameOf(domain) + "\t" +
                  (registered ? reinterpret_cast<const Text*>(range->message.registered)->value
                              : std::string("?")) +
                  "\t" + std::to_string(range->category) + payloadText(*range));
    return 0;
}

int pop(nvtxDomainHandle_t domain) {
    const std::lock_guard lock(record().mutex);
    record().line("pop\t" + thread() + "\t" + nameOf(domain));
    return 0;
}

template <class Function>
NvtxFunctionPointer pointer(Function* function) {
    return reinterpret_cast<NvtxFunctionPointer>(function);
}

} // namespace

extern "C" {

__attribute__((visibility("default"))) int
InitializeInjectionNvtx2(NvtxGetExportTableFunc_t exportTable) {
    if (std::getenv("FKV_NVTX_RECORD") == nullptr || record().file == nullptr) return 0;
    const auto* callbacks =
        static_cast<const NvtxExportTableCallbacks*>(exportTable(NVTX_ETID_CALLBACKS));
    NvtxFunctionTable table = nullptr;
    unsigned int size = 0;
    if (callbacks == nullptr ||
        callbacks->GetModuleFunctionTable(NVTX_CB_MODULE_CORE2, &table, &size) == 0 ||
        size <= NVTX_CBID_CORE2_DomainCreateA)
        return 0;
    *table[NVTX_CBID_CORE2_DomainCreateA] = pointer(&createDomain);
    *table[NVTX_CBID_CORE2_DomainNameCategoryA] = pointer(&nameCategory);
    *table[NVTX_CBID_CORE2_DomainRegisterStringA] = pointer(&registerString);
    *table[NVTX_CBID_CORE2_DomainRangePushEx] = pointer(&push);
    *table[NVTX_CBID_CORE2_DomainRangePop] = pointer(&pop);
    return 1;
}

__attribute__((visibility("default"))) int
InitializeInjectionNvtxExtension(nvtxExtModuleInfo_t* module) {
    if (module->moduleId != NVTX_EXT_PAYLOAD_MODULEID || module->segmentsCount == 0 ||
        std::getenv("FKV_NVTX_PLAIN") != nullptr)
        return 0;
    const nvtxExtModuleSegment_t& segment = module->segments[0];
    if (segment.slotCount <= NVTX3EXT_CBID_nvtxPayloadSchemaRegister) return 0;
    segment.functionSlots[NVTX3EXT_CBID_nvtxPayloadSchemaRegister] =
        reinterpret_cast<std::intptr_t>(&registerSchema);
    return 1;
}

} // extern "C"
