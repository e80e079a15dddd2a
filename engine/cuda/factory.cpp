// SPDX-License-Identifier: Apache-2.0
// Picks a backend by name. A build without CUDA has the CPU alone and says so.
#include "engine/core/error.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/ops/backend.h"

#include <charconv>

#ifdef FKV_HAVE_CUDA
#include "engine/cuda/make_cuda.h"
#endif

namespace fkv::ops {

namespace {

#ifdef FKV_HAVE_CUDA
std::unique_ptr<Backend> makeCuda(int device, int threads) {
    return cuda::makeCudaBackend(device, threads);
}
int cudaDevices() {
    return cuda::deviceCount();
}
#else
std::unique_ptr<Backend> makeCuda(int device, int) {
    throw Error(ErrorCode::Unsupported,
                "this build has no CUDA, so there is no device cuda:" + std::to_string(device),
                "Choose cpu, or build with the CUDA toolkit installed.");
}
int cudaDevices() {
    return 0;
}
#endif

/// Ordinal of "cuda" or "cuda:N"; -1 for anything else.
int cudaOrdinal(std::string_view name) {
    if (name == "cuda") return 0;
    if (!name.starts_with("cuda:")) return -1;
    name.remove_prefix(5);
    int ordinal = -1;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), ordinal);
    return error == std::errc() && end == name.data() + name.size() ? ordinal : -1;
}

} // namespace

std::unique_ptr<Backend> makeBackend(const DeviceSpec& spec) {
    if (spec.name == "auto" && cudaDevices() > 0) return makeCuda(0, spec.threads);
    if (spec.name == "auto" || spec.name == "cpu") return makeCpuBackend(spec.threads);
    if (const int device = cudaOrdinal(spec.name); device >= 0)
        return makeCuda(device, spec.threads);
    throw Error(ErrorCode::BadArgument,
                "no device \"" + spec.name + "\", valid: auto, cpu, cuda:N");
}

std::vector<std::string> availableDevices() {
    std::vector<std::string> names{"cpu"};
    for (int i = 0; i < cudaDevices(); ++i)
        names.push_back("cuda:" + std::to_string(i));
    return names;
}

} // namespace fkv::ops
