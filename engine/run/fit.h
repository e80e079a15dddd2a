// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/ops/backend.h"
#include "engine/run/session.h"

#include <cstdint>
#include <filesystem>
#include <string>

namespace fkv::run {

/// One prefill on the deployed path and decoding after it (see Standalone).
struct DeployedMemory {
    std::int64_t kvBytes = 0;         ///< caches that are kept, room for generated tokens included
    std::int64_t activationBytes = 0; ///< everything else beside the weights
    double prefillFlop = 0.0;         ///< of one prefill
    std::int64_t stepBytes = 0;       ///< that one generated token reads: weights and kept tokens
};

/// What is left of the instrument when it has to fit.
enum class Fit : std::uint8_t {
    Everything,
    FewerCheckpoints, ///< reruns of late layers start further in front
    NoCapture,        ///< the deployed path over full context and over what FastKV keeps
    FastKvAlone,      ///< the deployed path over what FastKV keeps
    Nothing,
    Unknown ///< the memory of the device is not known
};

/// What a model would need on a device for a prompt of some length, from its headers alone.
struct FitReport {
    std::int64_t tokens = 0;
    std::int64_t memoryBytes = 0; ///< of the device; 0: not known
    std::int64_t weightBytes = 0;
    DeployedMemory full, fastkv;
    MemoryEstimate instrument; ///< with the checkpoints that the request allows
    Fit fit = Fit::Unknown;
    std::string givenUp; ///< of the checkpoints, in words; empty for nothing

    std::int64_t totalBytes(const DeployedMemory& m) const {
        return weightBytes + m.kvBytes + m.activationBytes;
    }
};

/// `device` need not be there: see ops::cpuTraits() and gpuTraits(). A tenth of its memory is left
/// to others. Throws as opening the model does, and BadArgument for more tokens than the model
/// takes.
FitReport estimateFit(const std::filesystem::path& modelFolder, const ops::DeviceInfo& device,
                      std::int64_t tokens, const Request& request);

/// "everything", "fewer checkpoints: ...".
std::string fitText(const FitReport& report);

} // namespace fkv::run
