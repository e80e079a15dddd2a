// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/ops/backend.h"
#include "engine/run/checkpoint_plan.h"
#include "engine/run/loaded_model.h"
#include "engine/run/request.h"
#include "engine/run/work.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace fkv::run {

/// Memory that runs may use.
struct Room {
    std::int64_t deviceBytes = 0; ///< weights included; 0: not known
    std::int64_t hostBytes = 0;   ///< beside a GPU: of its host's, what may be pinned
};

/// One prefill on the deployed path and decoding after it (see Standalone).
struct DeployedMemory {
    std::int64_t kvBytes = 0;         ///< caches that are kept, room for generated tokens included
    std::int64_t activationBytes = 0; ///< everything else beside the weights
    double prefillFlop = 0.0;         ///< of one prefill
    std::int64_t stepBytes = 0;       ///< that one generated token reads: weights and kept tokens
};

/// Where the instrument holds keys and values, and whether those of late layers at all.
struct KvHolding {
    ops::Place place = ops::Place::Device; ///< of the full pass
    bool late = true; ///< else only what the KV budget keeps, and another one needs a rerun
};

/// What the instrument holds at most.
struct InstrumentMemory {
    std::int64_t weightBytes = 0, kvBytes = 0, checkpointBytes = 0, planeBytes = 0,
                 scratchBytes = 0;
    std::int64_t pinnedBytes = 0; ///< beside all these, in the memory of a GPU's host
    /// Without what is pinned.
    std::int64_t total() const {
        return weightBytes + kvBytes + checkpointBytes + planeBytes + scratchBytes;
    }
};

/// What a model needs for a prompt of some length, and how much of it the memory has room for.
struct FitReport {
    std::int64_t tokens = 0;
    std::int64_t roomBytes = 0; ///< that may be used, weights included; 0: not known
    std::int64_t weightBytes = 0;
    DeployedMemory full, fastkv;
    double lateFlop = 0.0;       ///< of a rerun of the layers after TSP
    InstrumentMemory instrument; ///< with the checkpoints that are held then
    bool hostMemory = true;      ///< planes share the device's memory

    /// What is run then; nothing when even FastKV alone does not fit. Everything when the room is
    /// not known.
    std::optional<trace::Rung> rung;
    KvHolding kv;
    CheckpointBudget checkpointBudget; ///< what is left for checkpoints
    CheckpointPlan checkpoints;        ///< that are held then
    std::string givenUp;               ///< in words; empty for nothing
    /// Where nothing fits: the most tokens that would with FastKV alone at these settings; 0: none.
    std::int64_t mostTokens = 0;

    std::int64_t totalBytes(const DeployedMemory& m) const {
        return weightBytes + m.kvBytes + m.activationBytes;
    }
    /// Of device memory, by what is run; by FastKV alone where nothing fits.
    std::int64_t neededBytes() const;
    /// Of the whole request at these rates: prefill of what is run, both answers, rerun.
    double expectedSeconds(const Rates& rates, const Request& request) const;
};

/// Says what a prompt needs before it is run, from the headers of a model folder: a model over
/// buffers without memory, of which the deployed path is really made, so that its count is exact;
/// what the instrument holds beside that is a formula (memory.h), within 3 %. Lives on one thread.
class FitPlanner {
public:
    /// `device` need not be there: see ops::cpuTraits() and gpuTraits(). Throws as opening the
    /// model does.
    FitPlanner(const std::filesystem::path& modelFolder, const ops::DeviceInfo& device);
    /// The same for random weights of these dimensions, held in the device's weight type.
    FitPlanner(const model::Config& config, const ops::DeviceInfo& device);

    const trace::ModelInfo& model() const { return m_model.info(); }

    /// roomOf() a device that nobody uses.
    Room wholeRoom(std::int64_t limitBytes);
    /// Throws BadArgument for settings out of range and for more tokens than the model takes.
    FitReport plan(std::int64_t tokens, const Request& request, const Room& room);

private:
    std::int64_t mostTokens(const trace::Settings& settings, std::int64_t roomBytes);
    DeployedMemory deployed(std::int64_t tokens, const trace::Settings& settings);

    LoadedModel m_model;
};

/// What a backend may be filled up to, by a program that holds `held` of it: a tenth of what is
/// left over is kept from it, for others and for what the backend needs itself. `limitBytes` caps
/// that; 0: no cap. Of a GPU's host half: what is pinned nobody else can have.
Room roomOf(ops::Backend& backend, const Room& held, std::int64_t limitBytes);

/// Why a request that fits on no rung is refused, and what would fit: one line.
std::string refusalText(const FitReport& report);

/// "fits", "fits with the best tokens of every checkpoint", "deployed path only: no room to look
/// into it", "does not fit: at most 41000 tokens"; empty where the room is not known.
std::string fitText(const FitReport& report);

} // namespace fkv::run
