// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

/// What the GPU of fake_nvml.cpp is said to do. Found by dlsym, as the library is loaded at run
/// time.
struct FakeNvml {
    std::atomic<int> opened{0}; ///< initialised and not shut down
    std::atomic<int> asked{0};  ///< how often for a clock
    std::atomic<bool> broken{false};
    std::atomic<unsigned> smMhz{1980}, memoryMhz{2619};
    std::atomic<unsigned> milliwatts{650'250}; ///< 0: not supported
    std::atomic<unsigned> celsius{66};
    std::atomic<unsigned long long> reasons{0};
};
