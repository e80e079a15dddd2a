// SPDX-License-Identifier: Apache-2.0
#include "engine/core/kernel_tracer.h"

#include <algorithm>
#include <cstdlib>
#include <cxxabi.h>
#include <limits>
#include <memory>
#include <unordered_map>

namespace fkv {

namespace {

/// Cuts what stands between `open` and its `close` from the text, nested ones with it.
std::string without(const std::string& text, char open, char close) {
    std::string kept;
    int depth = 0;
    for (const char c : text) {
        if (c == open) ++depth;
        if (depth == 0) kept += c;
        if (c == close && depth > 0) --depth;
    }
    return kept;
}

} // namespace

std::string kernelName(const char* mangled) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> demangled(
        abi::__cxa_demangle(mangled, nullptr, nullptr, &status), &std::free);
    if (status != 0 || !demangled) return mangled; // a name of C
    std::string name = demangled.get();
    constexpr std::string_view kNameless = "(anonymous namespace)::";
    for (std::size_t at = 0; (at = name.find(kNameless, at)) != std::string::npos;)
        name.erase(at, kNameless.size());
    name = without(without(name, '<', '>'), '(', ')');
    if (const auto space = name.rfind(' '); space != std::string::npos) name.erase(0, space + 1);
    return name;
}

trace::KernelList placeKernels(std::vector<KernelRecord> records,
                               std::span<const trace::Span> spans,
                               std::span<const std::uint64_t> owners,
                               std::optional<std::int64_t> offset) {
    std::unordered_map<std::uint64_t, std::uint32_t> spanOf;
    for (std::size_t i = 0; i < owners.size(); ++i)
        spanOf[owners[i]] = static_cast<std::uint32_t>(i);
    std::erase_if(records, [&](const KernelRecord& r) { return !spanOf.contains(r.owner); });
    std::stable_sort(
        records.begin(), records.end(),
        [](const KernelRecord& a, const KernelRecord& b) { return a.beginNs < b.beginNs; });
    std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                 most = std::numeric_limits<std::int64_t>::max();
    for (const KernelRecord& r : records) {
        const trace::Span& span = spans[spanOf[r.owner]];
        least = std::max(least, span.beginNs - r.beginNs);
        most = std::min(most, span.endNs - r.endNs);
    }
    trace::KernelList list;
    if (records.empty()) return list;
    if (!offset) offset = least <= most ? least + (most - least) / 2 : least;
    std::unordered_map<std::string, std::uint32_t> names;
    for (const KernelRecord& r : records) {
        const auto [name, added] =
            names.emplace(r.name, static_cast<std::uint32_t>(list.names.size()));
        if (added) list.names.push_back(r.name);
        const std::int64_t begin = std::max<std::int64_t>(0, r.beginNs + *offset);
        list.kernels.push_back(
            {begin, std::max(begin, r.endNs + *offset), spanOf[r.owner], name->second});
    }
    return list;
}

} // namespace fkv
