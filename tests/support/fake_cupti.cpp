// SPDX-License-Identifier: Apache-2.0
// Stands in for libcupti.so: it records the launches that a test makes and hands them out as CUPTI
// does, through its client's buffers. Built as a library of its own, and loaded as CUPTI is.
#include "tests/support/fake_cupti.h"

#include <cstddef>
#include <cstring>
#include <cupti.h>

namespace {

#if CUPTI_API_VERSION >= 130000
using KernelActivity = CUpti_ActivityKernel10;
using CopyActivity = CUpti_ActivityMemcpy6;
#else
using KernelActivity = CUpti_ActivityKernel9;
using CopyActivity = CUpti_ActivityMemcpy5;
#endif

/// A record as it lies in a buffer.
using Bytes = std::vector<std::byte>;

FakeCupti state;
CUpti_BuffersCallbackRequestFunc request;
CUpti_BuffersCallbackCompleteFunc complete;
std::vector<Bytes> launches, activities;
int subscriber;

template <class Record>
void keep(std::vector<Bytes>& records, const Record& record) {
    // Rounded up, as records are aligned to eight bytes.
    Bytes bytes((sizeof record + 7) / 8 * 8);
    std::memcpy(bytes.data(), &record, sizeof record);
    records.push_back(std::move(bytes));
}

template <class Record>
void keepActivity(CUpti_ActivityKind kind, const FakeCupti::Launch& launch) {
    Record record{};
    record.kind = kind;
    record.start = launch.begin;
    record.end = launch.end;
    record.correlationId = state.correlation;
    if constexpr (requires { record.name; }) record.name = launch.name;
    keep(activities, record);
}

void launchNow(const FakeCupti::Launch& launch) {
    ++state.correlation;
    if (!state.owners.empty()) {
        CUpti_ActivityExternalCorrelation owner{};
        owner.kind = CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION;
        owner.externalKind = CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0;
        owner.externalId = state.owners.back();
        owner.correlationId = state.correlation;
        keep(launches, owner);
    }
    CUpti_ActivityAPI call{};
    call.kind = CUPTI_ACTIVITY_KIND_RUNTIME;
    call.correlationId = state.correlation;
    keep(launches, call);
    if (launch.name == nullptr)
        keepActivity<CopyActivity>(CUPTI_ACTIVITY_KIND_MEMCPY, launch);
    else if (*launch.name == '\0')
        keepActivity<CUpti_ActivityMemset4>(CUPTI_ACTIVITY_KIND_MEMSET, launch);
    else
        keepActivity<KernelActivity>(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL, launch);
}

void deliver(std::vector<Bytes>& records) {
    if (records.empty()) return;
    std::uint8_t* buffer = nullptr;
    std::size_t size = 0, most = 1, used = 0;
    request(&buffer, &size, &most);
    for (const Bytes& record : records) {
        std::memcpy(buffer + used, record.data(), record.size());
        used += record.size();
    }
    complete(nullptr, 0, buffer, size, used);
    records.clear();
}

std::size_t sizeOf(const CUpti_Activity* record) {
    std::size_t size = 0;
    switch (record->kind) {
    case CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION:
        size = sizeof(CUpti_ActivityExternalCorrelation);
        break;
    case CUPTI_ACTIVITY_KIND_RUNTIME:
        size = sizeof(CUpti_ActivityAPI);
        break;
    case CUPTI_ACTIVITY_KIND_MEMCPY:
        size = sizeof(CopyActivity);
        break;
    case CUPTI_ACTIVITY_KIND_MEMSET:
        size = sizeof(CUpti_ActivityMemset4);
        break;
    default:
        size = sizeof(KernelActivity);
        break;
    }
    return (size + 7) / 8 * 8;
}

} // namespace

extern "C" {

FakeCupti* fakeCupti() {
    state.launch = &launchNow;
    return &state;
}

CUptiResult cuptiSubscribe(CUpti_SubscriberHandle* handle, CUpti_CallbackFunc, void*) {
    if (state.subscribeResult != 0) return static_cast<CUptiResult>(state.subscribeResult);
    ++state.subscribers;
    *handle = reinterpret_cast<CUpti_SubscriberHandle>(&subscriber);
    return CUPTI_SUCCESS;
}
CUptiResult cuptiUnsubscribe(CUpti_SubscriberHandle) {
    --state.subscribers;
    return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityRegisterCallbacks(CUpti_BuffersCallbackRequestFunc requested,
                                           CUpti_BuffersCallbackCompleteFunc completed) {
    request = requested;
    complete = completed;
    return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityEnable(CUpti_ActivityKind kind) {
    if (kind == CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL && state.enableResult != 0)
        return static_cast<CUptiResult>(state.enableResult);
    ++state.kindsEnabled;
    return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityDisable(CUpti_ActivityKind) {
    --state.kindsEnabled;
    return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityFlushAll(std::uint32_t) {
    deliver(activities); // what ran may come before what launched it
    deliver(launches);
    return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityGetNextRecord(std::uint8_t* buffer, std::size_t used,
                                       CUpti_Activity** record) {
    const std::size_t at =
        *record == nullptr
            ? 0
            : static_cast<std::size_t>(reinterpret_cast<std::uint8_t*>(*record) - buffer) +
                  sizeOf(*record);
    if (at >= used) return CUPTI_ERROR_MAX_LIMIT_REACHED;
    *record = reinterpret_cast<CUpti_Activity*>(buffer + at);
    return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityPushExternalCorrelationId(CUpti_ExternalCorrelationKind,
                                                   std::uint64_t id) {
    state.owners.push_back(id);
    return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityPopExternalCorrelationId(CUpti_ExternalCorrelationKind,
                                                  std::uint64_t* last) {
    if (state.owners.empty()) return CUPTI_ERROR_QUEUE_EMPTY;
    *last = state.owners.back();
    state.owners.pop_back();
    return CUPTI_SUCCESS;
}
CUptiResult cuptiGetTimestamp(std::uint64_t* now) {
    *now = state.now;
    return CUPTI_SUCCESS;
}
CUptiResult cuptiGetResultString(CUptiResult result, const char** text) {
    *text = result == CUPTI_ERROR_INSUFFICIENT_PRIVILEGES ? "CUPTI_ERROR_INSUFFICIENT_PRIVILEGES"
                                                          : "CUPTI_ERROR_UNKNOWN";
    return CUPTI_SUCCESS;
}

} // extern "C"
