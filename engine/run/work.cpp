// SPDX-License-Identifier: Apache-2.0
#include "engine/run/work.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <limits>
#include <vector>

namespace fkv::run {

namespace {

/// The best of three: what comes between makes a rate lower, never higher.
double bestSeconds(ops::Backend& backend, const std::function<void()>& work) {
    using Clock = std::chrono::steady_clock;
    double best = std::numeric_limits<double>::max();
    for (int i = 0; i < 3; ++i) {
        const auto begin = Clock::now();
        work();
        backend.synchronize();
        best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count());
    }
    return best;
}

} // namespace

double prefillFlop(const trace::ModelInfo& m, const trace::Budgets& b) {
    const double d = m.headDim, qkv = 2.0 * m.hidden * m.queryHeads * d,
                 kv = 4.0 * m.hidden * m.kvHeads * d,
                 rest = 2.0 * m.queryHeads * d * m.hidden + 6.0 * m.hidden * m.intermediate;
    double flop = 2.0 * m.hidden * m.vocabulary;
    for (int l = 0; l < m.layers; ++l) {
        const double s = static_cast<double>(b.layers[static_cast<std::size_t>(l)].entering);
        const bool tsp = b.tspOn && l == b.tspLayer, last = l + 1 == m.layers;
        const double rows = last ? 64.0 : tsp ? static_cast<double>(b.propagated) : s;
        // Survivors of the TSP layer lie anywhere in the prompt: half of it each, on average.
        const double seen = last ? s : (s + 1.0) / 2.0;
        flop += s * kv + rows * (qkv + rest) + 4.0 * m.queryHeads * d * rows * seen;
    }
    return flop;
}

Rates measureRates(ops::Backend& backend) {
    constexpr std::int64_t kRows = 256, kIn = 2048, kOut = 16384;
    const ops::DeviceInfo& device = backend.info();
    backend.reserve({kRows, kRows, 1, 1, 64, kIn, kIn, kOut});
    std::vector<ops::BufferPtr> memory;
    const auto zeros = [&](std::int64_t rows, std::int64_t cols, DType type) {
        const auto bytes = static_cast<std::size_t>(rows * cols) * sizeOf(type);
        memory.push_back(backend.allocate(bytes, ops::Lifetime::Scratch));
        const ops::View v{memory.back()->data(), type, rows, cols, cols};
        const std::vector<std::byte> nothing(bytes);
        backend.upload(v, nothing.data());
        return v;
    };
    const DType matrices = device.matricesAsStored ? DType::BF16 : device.weightType;
    const ops::View weights = zeros(kOut, kIn, matrices);
    const ops::View x = zeros(kRows, kIn, device.weightType);
    const ops::View out = zeros(kRows, kOut, device.weightType);
    const ops::LinearParams product{
        x, weights.rowsFrom(0, kIn), {}, {out.data, out.dtype, kRows, kIn, kIn}, false};
    const ops::LinearParams one{x.rowsFrom(0, 1), weights, {}, out.rowsFrom(0, 1), false};
    Rates rates;
    rates.flopPerSecond =
        2.0 * kRows * kIn * kIn / bestSeconds(backend, [&] { backend.linear(product); });
    rates.bytesPerSecond = static_cast<double>(weights.elements()) *
                           static_cast<double>(sizeOf(matrices)) /
                           bestSeconds(backend, [&] { backend.linear(one); });
    return rates;
}

} // namespace fkv::run
