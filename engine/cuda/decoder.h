// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/cuda/kernels/decode.cuh"
#include "engine/cuda/scratch.h"
#include "engine/ops/params.h"

#include <cstdint>
#include <cuda_runtime.h>
#include <vector>

namespace fkv::cuda {

/// Decodes one token at a time by replaying a graph. A graph belongs to a cache: it is made at the
/// first step over it and serves all later ones, since what changes is read from device memory.
class Decoder {
public:
    Decoder(cudaStream_t stream, bool hopper);
    ~Decoder();
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;

    /// True when step() can run this plan: one token, and shapes the streaming kernels take.
    static bool takes(const ops::DecodePlan& p);
    /// Enqueues the step and lets every tail grow by one. `eager`: without the graph, the same
    /// bits.
    void step(const ops::DecodePlan& p, bool eager = false);

private:
    struct Key {
        std::vector<std::uintptr_t> words;
        bool operator==(const Key&) const = default;
    };
    static Key keyOf(const ops::DecodePlan& p);
    void enqueue(const ops::DecodePlan& p);
    void multiply(const Gemv& product, const char* what);
    void enqueueLayer(const ops::DecodePlan& p, const ops::DecodeLayer& layer);
    void capture(const ops::DecodePlan& p);
    void forget();
    void reserve(const ops::DecodePlan& p);

    static constexpr int kStates = 64;

    cudaStream_t m_stream;
    bool m_hopper; ///< compute capability 9.0
    GrowingBuffer m_activations;
    StepState* m_state = nullptr;  ///< device
    StepState* m_states = nullptr; ///< pinned, used round and round
    int m_nextState = 0;
    __nv_bfloat16 *m_x = nullptr, *m_qkv = nullptr, *m_attended = nullptr, *m_gated = nullptr;
    float* m_partial = nullptr;
    unsigned* m_arrived = nullptr; ///< blocks of a KV head that are done
    Key m_key;
    std::int64_t m_filled = 0; ///< tail length when the graph was made
    cudaGraphExec_t m_graph = nullptr;
};

} // namespace fkv::cuda
