// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// What fake_cupti.cpp was told and answers. Found by dlsym, as the library is loaded at run time.
struct FakeCupti {
    int subscribeResult = 0; ///< a CUptiResult
    int enableResult = 0;
    int subscribers = 0;
    int kindsEnabled = 0;
    std::vector<std::uint64_t> owners; ///< entered and not left
    std::uint64_t now = 0;
    std::uint32_t correlation = 0; ///< of the last launch

    struct Launch {
        const char* name; ///< null: a copy; empty: a fill
        std::uint64_t begin, end;
    };
    /// As if a kernel was launched now: its records come with the next flush, in the order that
    /// CUPTI has them: owners with the launch, times when it has run.
    void (*launch)(const Launch& launch) = nullptr;
};
