// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/decoder.h"

#include "engine/cuda/check.h"

#include <algorithm>
#include <cmath>

namespace fkv::cuda {

namespace {

using bf16 = __nv_bfloat16;

constexpr bool fits(const ops::View& weight) {
    return weight.cols % 8 == 0 && weight.cols <= kGemvMostIn && weight.rows % 2 == 0 &&
           weight.stride == weight.cols;
}

Gemv product(const bf16* x, const ops::View& weight, void* out, GemvOut kind) {
    Gemv g{};
    g.x = x;
    g.weight = weight.as<bf16>();
    g.in = static_cast<std::int32_t>(weight.cols);
    g.rows = static_cast<std::int32_t>(weight.rows);
    g.out = out;
    g.kind = kind;
    return g;
}

} // namespace

Decoder::Decoder(cudaStream_t stream, bool hopper) : m_stream(stream), m_hopper(hopper) {
    check(cudaMalloc(&m_state, sizeof(StepState)), "the decoder's state");
    check(cudaMallocHost(&m_states, kStates * sizeof(StepState)), "the decoder's state");
}

Decoder::~Decoder() {
    forget();
    cudaFree(m_state);
    cudaFreeHost(m_states);
}

void Decoder::forget() {
    if (m_graph != nullptr) cudaGraphExecDestroy(m_graph);
    m_graph = nullptr;
    m_key = {};
}

bool Decoder::takes(const ops::DecodePlan& p) {
    if (p.tokens.size() != 1 || p.layers.empty()) return false;
    const std::int64_t length = p.layers.front().tail.length;
    for (const ops::DecodeLayer& l : p.layers) {
        const std::int64_t d = l.tail.headDim, group = p.queryHeads / l.tail.kvHeads;
        if ((d != 32 && d != 64 && d != 128) || group > 8 || l.tail.length != length) return false;
        for (const ops::View* w :
             {&l.weights.qkv, &l.weights.out, &l.weights.gateUp, &l.weights.down})
            if (!fits(*w)) return false;
    }
    return fits(p.lmHead);
}

Decoder::Key Decoder::keyOf(const ops::DecodePlan& p) {
    Key key;
    const auto add = [&](const void* pointer) {
        key.words.push_back(reinterpret_cast<std::uintptr_t>(pointer));
    };
    add(p.embedding.data);
    add(p.logits.data);
    add(p.lmHead.data);
    for (const ops::DecodeLayer& l : p.layers) {
        add(l.weights.qkv.data);
        add(l.prefix.keys);
        add(l.tail.keys);
        key.words.push_back(static_cast<std::uintptr_t>(l.prefix.length));
        key.words.push_back(static_cast<std::uintptr_t>(l.prefix.capacity));
        key.words.push_back(static_cast<std::uintptr_t>(l.tail.capacity));
        key.words.push_back(static_cast<std::uintptr_t>(l.slidingWindow));
        add(l.slidingWindow > 0 ? l.prefixPositions.data : nullptr);
    }
    return key;
}

void Decoder::reserve(const ops::DecodePlan& p) {
    const ops::LayerWeights& w = p.layers.front().weights;
    std::size_t at = 0;
    const auto place = [&](std::int64_t bytes) {
        const std::size_t here = at;
        at += (static_cast<std::size_t>(bytes) + 255) / 256 * 256;
        return here;
    };
    const std::size_t x = place(p.embedding.cols * 2), qkv = place(w.qkv.rows * 2),
                      attended = place(w.out.cols * 2), gated = place(w.down.cols * 2),
                      partial = place(
                          decodePartialFloats(static_cast<int>(p.queryHeads),
                                              static_cast<int>(p.layers.front().tail.headDim)) *
                          4),
                      arrived = place(p.layers.front().tail.kvHeads * 4);
    auto* base = static_cast<std::byte*>(m_activations.atLeast(at));
    m_x = reinterpret_cast<bf16*>(base + x);
    m_qkv = reinterpret_cast<bf16*>(base + qkv);
    m_attended = reinterpret_cast<bf16*>(base + attended);
    m_gated = reinterpret_cast<bf16*>(base + gated);
    m_partial = reinterpret_cast<float*>(base + partial);
    m_arrived = reinterpret_cast<unsigned*>(base + arrived);
    check(cudaMemsetAsync(m_arrived, 0, at - arrived, m_stream), "the decoder's counters");
}

void Decoder::multiply(const Gemv& product, const char* what) {
#ifdef FKV_SM90
    if (m_hopper) return check(gemvSm90(product, m_stream), what);
#endif
    check(gemvSm80(product, m_stream), what);
}

void Decoder::enqueueLayer(const ops::DecodePlan& p, const ops::DecodeLayer& layer) {
    const ops::LayerWeights& w = layer.weights;
    Gemv qkv = product(m_x, w.qkv, m_qkv, GemvOut::Store);
    qkv.norm = w.inputNorm.as<bf16>();
    qkv.eps = p.eps;
    qkv.bias = w.qkvBias.as<bf16>();
    multiply(qkv, "qkv of a token");

    DecodeAttention a{};
    a.state = m_state;
    a.qkv = m_qkv;
    a.cosTable = p.cosTable.as<float>();
    a.sinTable = p.sinTable.as<float>();
    a.cache = {static_cast<const bf16*>(layer.prefix.keys),
               static_cast<const bf16*>(layer.prefix.values),
               static_cast<bf16*>(layer.tail.keys),
               static_cast<bf16*>(layer.tail.values),
               layer.prefix.capacity,
               layer.tail.capacity,
               static_cast<std::int32_t>(layer.prefix.length),
               static_cast<std::int32_t>(m_filled),
               static_cast<std::int32_t>(std::min<std::int64_t>(layer.slidingWindow, INT32_MAX)),
               layer.prefixPositions.as<const std::int32_t>(),
               layer.prefixPositions.rows == 1 ? 0 : layer.prefixPositions.stride};
    a.queryNorm = w.queryNorm.as<bf16>();
    a.keyNorm = w.keyNorm.as<bf16>();
    a.eps = p.eps;
    a.queryHeads = static_cast<int>(p.queryHeads);
    a.kvHeads = static_cast<int>(layer.tail.kvHeads);
    a.headDim = static_cast<int>(layer.tail.headDim);
    a.scale = 1.0F / std::sqrt(static_cast<float>(a.headDim));
    a.partial = m_partial;
    a.arrived = m_arrived;
    a.out = m_attended;
    check(decodeAttention(a, m_stream), "attention of a token");

    multiply(product(m_attended, w.out, m_x, GemvOut::Add), "output projection of a token");
    Gemv gateUp = product(m_x, w.gateUp, m_gated, GemvOut::SwiGlu);
    gateUp.norm = w.postNorm.as<bf16>();
    gateUp.eps = p.eps;
    multiply(gateUp, "gate and up of a token");
    multiply(product(m_gated, w.down, m_x, GemvOut::Add), "down of a token");
}

void Decoder::enqueue(const ops::DecodePlan& p) {
    check(embedStep(m_state, p.embedding.as<bf16>(), p.embedding.cols, m_x, m_stream),
          "embedding of a token");
    for (const ops::DecodeLayer& layer : p.layers)
        enqueueLayer(p, layer);
    Gemv head = product(m_x, p.lmHead, p.logits.data, GemvOut::StoreF32);
    head.norm = p.finalNorm.as<bf16>();
    head.eps = p.eps;
    multiply(head, "logits of a token");
}

void Decoder::capture(const ops::DecodePlan& p) {
    check(cudaStreamBeginCapture(m_stream, cudaStreamCaptureModeThreadLocal), "capture of a graph");
    try {
        enqueue(p);
    } catch (...) {
        cudaGraph_t broken = nullptr;
        cudaStreamEndCapture(m_stream, &broken);
        if (broken != nullptr) cudaGraphDestroy(broken);
        throw;
    }
    cudaGraph_t graph = nullptr;
    check(cudaStreamEndCapture(m_stream, &graph), "capture of a graph");
    const cudaError_t made = cudaGraphInstantiate(&m_graph, graph, 0);
    cudaGraphDestroy(graph);
    check(made, "making a graph");
}

void Decoder::step(const ops::DecodePlan& p, bool eager) {
    const std::int64_t length = p.layers.front().tail.length;
    const Key key = keyOf(p);
    if (m_graph == nullptr || key != m_key || length < m_filled) {
        forget();
        reserve(p);
        m_filled = length;
        capture(p);
        m_key = key;
    }
    StepState& state = m_states[m_nextState];
    m_nextState = (m_nextState + 1) % kStates;
    if (m_nextState == 0) check(cudaStreamSynchronize(m_stream), "decoding");
    state = {p.tokens.front(), static_cast<std::int32_t>(p.position),
             static_cast<std::int32_t>(length - m_filled), 0, p.token.as<const std::uint32_t>()};
    check(cudaMemcpyAsync(m_state, &state, sizeof state, cudaMemcpyHostToDevice, m_stream),
          "a token");
    if (eager)
        enqueue(p);
    else
        check(cudaGraphLaunch(m_graph, m_stream), "a graph");
    for (ops::DecodeLayer& layer : p.layers)
        ++layer.tail.length;
}

} // namespace fkv::cuda
