// SPDX-License-Identifier: Apache-2.0
// Picks a backend by name. This build has the CPU alone; a build with CUDA replaces this file.
#include "engine/core/error.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/ops/backend.h"

namespace fkv::ops {

std::unique_ptr<Backend> makeBackend(const DeviceSpec& spec) {
    if (spec.name == "auto" || spec.name == "cpu") return makeCpuBackend(spec.threads);
    if (spec.name == "cuda" || spec.name.starts_with("cuda:"))
        throw Error(ErrorCode::Unsupported,
                    "this build has no CUDA, so there is no device " + spec.name,
                    "Choose cpu, or build with the CUDA toolkit installed.");
    throw Error(ErrorCode::BadArgument,
                "no device \"" + spec.name + "\", valid: auto, cpu, cuda:N");
}

std::vector<std::string> availableDevices() {
    return {"cpu"};
}

} // namespace fkv::ops
