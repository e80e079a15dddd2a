// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/spans.h"
#include "engine/model/transformer.h"
#include "engine/run/checkpoint_plan.h"
#include "engine/trace/run.h"

#include <cstdint>
#include <span>
#include <vector>

namespace fkv::run {

struct RunContext;

/// Hidden states after a layer.
struct Checkpoint {
    int layer = 0;
    CheckpointKind kind = CheckpointKind::Whole;
    ops::Tensor rows;                    ///< [room, hidden]; a whole one's row i is token i
    std::vector<std::int32_t> positions; ///< of a ranked one: [room], the token of a row; -1: none
};

/// Hidden states that reruns start from. Ranked ones hold the newest tokens, which always survive,
/// and the best by the layer's own TSP ranks: what a rerun misses (a higher rate, other ranks
/// after another scoring or an edited prompt) starts further in front, see restoreRows(). Sound
/// wherever a method throws.
class Checkpoints {
public:
    /// Is all there that a plan wants, or more?
    bool cover(const CheckpointPlan& plan) const;
    /// Lets go of what a plan that is covered does not want. `ranks` [L, M]: by which the best
    /// tokens are chosen where all were held; null: none are kept.
    void reduce(model::Transformer& transformer, const CheckpointPlan& plan,
                const CheckpointCosts& costs, const trace::Plane<std::uint32_t>* ranks);
    /// Room for a pass over `costs.tokens`, of which the hidden states of the first `kept` stay. Can
    /// be stopped between checkpoints: to pin gigabytes of host memory takes seconds.
    void prepare(const RunContext& context, const CheckpointPlan& plan,
                 const CheckpointCosts& costs, std::int64_t kept);

    /// Newest of a layer up to `layer`, or null: the embeddings.
    const Checkpoint* newest(int layer) const;
    Checkpoint* at(int layer);
    std::vector<std::int32_t> layers() const;
    std::int64_t bytes() const;
    std::int64_t hostBytes() const;

private:
    std::vector<Checkpoint> m_held; ///< ascending
};

/// Row of a checkpoint that holds a token, for each of `positions`; -1: it does not.
std::vector<std::int32_t> rowsOf(const Checkpoint& checkpoint,
                                 std::span<const std::int32_t> positions);

/// Takes the hidden states of a pass over tokens from `from` on to their checkpoints.
class CheckpointWriter {
public:
    CheckpointWriter(model::Transformer& transformer, Checkpoints& held, std::int64_t from);

    /// Does a layer's checkpoint follow its TSP ranks? Then they are read while the layer runs.
    bool ranked() const { return m_ranked; }
    /// x [R, hidden] after `layer`; tspRanks [1, M] in backend memory, read if ranked().
    void write(int layer, const ops::View& x, const ops::View& tspRanks, PassScope& scope);

private:
    void writeRanked(Checkpoint& checkpoint, const ops::View& x, const ops::View& tspRanks);

    model::Transformer& m_transformer;
    Checkpoints& m_held;
    std::int64_t m_from;
    bool m_ranked = false;
    ops::Tensor m_spare; ///< where rows that stay and new ones come together
};

} // namespace fkv::run
