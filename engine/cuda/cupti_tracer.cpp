// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cupti_tracer.h"

#ifdef FKV_CUPTI
#include <array>
#include <cstdlib>
#include <cupti.h>
#include <dlfcn.h>
#include <mutex>
#include <unordered_map>
#endif
#include <utility>

namespace fkv::cuda {

#ifdef FKV_CUPTI

namespace {

#if CUPTI_API_VERSION >= 130000
using KernelActivity = CUpti_ActivityKernel10;
using CopyActivity = CUpti_ActivityMemcpy6;
#else
using KernelActivity = CUpti_ActivityKernel9;
using CopyActivity = CUpti_ActivityMemcpy5;
#endif
using FillActivity = CUpti_ActivityMemset4;

// Owners come with the records of API calls, so these have to be recorded although nobody reads
// them.
constexpr std::array kKinds{CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION,
                            CUPTI_ACTIVITY_KIND_RUNTIME,
                            CUPTI_ACTIVITY_KIND_DRIVER,
                            CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL,
                            CUPTI_ACTIVITY_KIND_MEMCPY,
                            CUPTI_ACTIVITY_KIND_MEMSET};
constexpr auto kOwner = CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0;
constexpr std::size_t kBufferBytes = std::size_t{1} << 20;

/// What CUPTI delivered. Its callbacks carry nothing of ours, so this belongs to the process.
struct Inbox {
    struct Record {
        std::int64_t beginNs, endNs;
        std::uint32_t correlation;
        std::string name; ///< mangled
    };
    std::mutex mutex;
    decltype(&cuptiActivityGetNextRecord) next = nullptr;
    std::vector<Record> records;
    std::unordered_map<std::uint32_t, std::uint64_t> owners; ///< by correlation

    template <class Activity>
    void add(const CUpti_Activity* activity, const char* name) {
        const auto* a = reinterpret_cast<const Activity*>(activity);
        if (a->start == 0 || a->end < a->start) return; // there was no memory for its times
        records.push_back({static_cast<std::int64_t>(a->start), static_cast<std::int64_t>(a->end),
                           a->correlationId, name});
    }
    void read(const CUpti_Activity* activity) {
        switch (activity->kind) {
        case CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION: {
            const auto* e = reinterpret_cast<const CUpti_ActivityExternalCorrelation*>(activity);
            if (e->externalKind == kOwner) owners[e->correlationId] = e->externalId;
            break;
        }
        case CUPTI_ACTIVITY_KIND_KERNEL:
        case CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL: {
            const char* name = reinterpret_cast<const KernelActivity*>(activity)->name;
            add<KernelActivity>(activity, name != nullptr ? name : "kernel");
            break;
        }
        case CUPTI_ACTIVITY_KIND_MEMCPY:
            add<CopyActivity>(activity, "copy");
            break;
        case CUPTI_ACTIVITY_KIND_MEMSET:
            add<FillActivity>(activity, "fill");
            break;
        default:
            break;
        }
    }
};

Inbox& inbox() {
    static Inbox& instance = *new Inbox; // CUPTI may deliver until the very end of the process
    return instance;
}

void CUPTIAPI bufferRequested(std::uint8_t** buffer, std::size_t* size, std::size_t* records) {
    *buffer = static_cast<std::uint8_t*>(std::aligned_alloc(8, kBufferBytes));
    *size = *buffer != nullptr ? kBufferBytes : 0;
    *records = 0; // as many as fit
}

void CUPTIAPI bufferCompleted(CUcontext, std::uint32_t, std::uint8_t* buffer, std::size_t,
                              std::size_t used) {
    const std::lock_guard lock(inbox().mutex);
    CUpti_Activity* activity = nullptr;
    while (used > 0 && inbox().next(buffer, used, &activity) == CUPTI_SUCCESS)
        inbox().read(activity);
    std::free(buffer);
}

void CUPTIAPI ignored(void*, CUpti_CallbackDomain, CUpti_CallbackId, const void*) {}

} // namespace

struct CuptiTracer::Library {
    void* handle = nullptr;
    CUpti_SubscriberHandle subscriber = nullptr;
    decltype(&cuptiSubscribe) subscribe = nullptr;
    decltype(&cuptiUnsubscribe) unsubscribe = nullptr;
    decltype(&cuptiActivityRegisterCallbacks) registerCallbacks = nullptr;
    decltype(&cuptiActivityEnable) enable = nullptr;
    decltype(&cuptiActivityDisable) disable = nullptr;
    decltype(&cuptiActivityFlushAll) flush = nullptr;
    decltype(&cuptiActivityPushExternalCorrelationId) push = nullptr;
    decltype(&cuptiActivityPopExternalCorrelationId) pop = nullptr;
    decltype(&cuptiGetTimestamp) timestamp = nullptr;
    decltype(&cuptiGetResultString) resultString = nullptr;
    std::size_t enabled = 0; ///< of kKinds

    Library() = default;
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;
    // The library stays loaded: it may hold on to our callbacks.
    ~Library() {
        if (subscriber == nullptr) return;
        while (enabled > 0)
            disable(kKinds[--enabled]);
        flush(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED);
        unsubscribe(subscriber);
    }
    template <class Function>
    bool find(Function& function, const char* name) {
        function = reinterpret_cast<Function>(::dlsym(handle, name));
        return function != nullptr;
    }
    bool load(const char* name) {
        handle = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
        return handle != nullptr && find(subscribe, "cuptiSubscribe") &&
               find(unsubscribe, "cuptiUnsubscribe") &&
               find(registerCallbacks, "cuptiActivityRegisterCallbacks") &&
               find(enable, "cuptiActivityEnable") && find(disable, "cuptiActivityDisable") &&
               find(flush, "cuptiActivityFlushAll") &&
               find(push, "cuptiActivityPushExternalCorrelationId") &&
               find(pop, "cuptiActivityPopExternalCorrelationId") &&
               find(timestamp, "cuptiGetTimestamp") && find(resultString, "cuptiGetResultString") &&
               find(inbox().next, "cuptiActivityGetNextRecord");
    }
    /// Empty when it goes.
    std::string start() {
        CUptiResult result = subscribe(&subscriber, &ignored, nullptr);
        if (result != CUPTI_SUCCESS) subscriber = nullptr;
        if (result == CUPTI_SUCCESS) result = registerCallbacks(&bufferRequested, &bufferCompleted);
        for (; result == CUPTI_SUCCESS && enabled < kKinds.size(); ++enabled)
            if ((result = enable(kKinds[enabled])) != CUPTI_SUCCESS) break;
        if (result == CUPTI_SUCCESS) return {};
        if (result == CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED)
            return "another tool, as Nsight Systems, is tracing this program";
        const char* text = nullptr;
        resultString(result, &text);
        return text != nullptr ? text : "CUPTI gives no reason";
    }
};

CuptiTracer::Opened CuptiTracer::open(const char* library) {
    // Records have the layout of the header's major version alone.
    const std::string name = "libcupti.so." + std::to_string(CUDA_VERSION / 1000);
    std::unique_ptr<Library> loaded;
    for (const char* candidate : {name.c_str(), FKV_CUPTI_LIBRARY}) {
        loaded = std::make_unique<Library>();
        if (loaded->load(library != nullptr ? library : candidate)) break;
        loaded.reset();
    }
    if (!loaded) return {nullptr, name + " was not found"};
    if (std::string refusal = loaded->start(); !refusal.empty()) return {nullptr, refusal};
    {
        const std::lock_guard lock(inbox().mutex);
        inbox().records.clear();
        inbox().owners.clear();
    }
    return {std::unique_ptr<CuptiTracer>(new CuptiTracer(std::move(loaded))), {}};
}

CuptiTracer::CuptiTracer(std::unique_ptr<Library> library) : m_library(std::move(library)) {}

CuptiTracer::~CuptiTracer() = default;

std::uint64_t CuptiTracer::enter() {
    m_library->push(kOwner, ++m_entered);
    return m_entered;
}

void CuptiTracer::leave() {
    std::uint64_t last = 0;
    m_library->pop(kOwner, &last);
}

std::int64_t CuptiTracer::nowNs() {
    std::uint64_t now = 0;
    m_library->timestamp(&now);
    return static_cast<std::int64_t>(now);
}

std::vector<KernelRecord> CuptiTracer::take() {
    m_library->flush(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED);
    const std::lock_guard lock(inbox().mutex);
    std::vector<KernelRecord> taken;
    std::unordered_map<std::string, std::string> names;
    for (const Inbox::Record& r : inbox().records) {
        const auto owner = inbox().owners.find(r.correlation);
        std::string& name = names[r.name];
        if (name.empty()) name = kernelName(r.name.c_str());
        taken.push_back(
            {r.beginNs, r.endNs, owner != inbox().owners.end() ? owner->second : 0, name});
    }
    inbox().records.clear();
    inbox().owners.clear();
    return taken;
}

#else

struct CuptiTracer::Library {};

CuptiTracer::Opened CuptiTracer::open(const char*) {
    return {nullptr, "this build found no CUPTI"};
}

CuptiTracer::CuptiTracer(std::unique_ptr<Library> library) : m_library(std::move(library)) {}
CuptiTracer::~CuptiTracer() = default;
std::uint64_t CuptiTracer::enter() {
    return ++m_entered;
}
void CuptiTracer::leave() {}
std::int64_t CuptiTracer::nowNs() {
    return 0;
}
std::vector<KernelRecord> CuptiTracer::take() {
    return {};
}

#endif

} // namespace fkv::cuda
