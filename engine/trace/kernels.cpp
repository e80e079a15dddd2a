// SPDX-License-Identifier: Apache-2.0
#include "engine/trace/kernels.h"

#include <algorithm>
#include <tuple>

namespace fkv::trace {

void append(KernelList& to, const KernelList& more, const StretchPlace& place) {
    std::vector<std::uint32_t> names; // of `more`, in `to`
    for (const std::string& name : more.names) {
        const auto at = std::find(to.names.begin(), to.names.end(), name);
        names.push_back(static_cast<std::uint32_t>(at - to.names.begin()));
        if (at == to.names.end()) to.names.push_back(name);
    }
    for (Kernel kernel : more.kernels) {
        kernel.beginNs += place.ns;
        kernel.endNs += place.ns;
        kernel.span += static_cast<std::uint32_t>(place.spans);
        kernel.name = names[kernel.name];
        to.kernels.push_back(kernel);
    }
}

std::vector<KernelTotal> totals(const KernelList& list) {
    std::vector<KernelTotal> sums(list.names.size());
    for (std::size_t i = 0; i < sums.size(); ++i)
        sums[i].name = static_cast<std::uint32_t>(i);
    for (const Kernel& kernel : list.kernels) {
        sums[kernel.name].ns += kernel.durationNs();
        ++sums[kernel.name].count;
    }
    std::sort(sums.begin(), sums.end(), [&](const KernelTotal& a, const KernelTotal& b) {
        return std::tie(b.ns, list.names[a.name]) < std::tie(a.ns, list.names[b.name]);
    });
    return sums;
}

} // namespace fkv::trace
