// SPDX-License-Identifier: Apache-2.0
#include "engine/run/work.h"

#include "engine/core/error.h"
#include "engine/core/median.h"
#include "engine/run/held_state.h"
#include "engine/select/budgets.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <limits>
#include <new>
#include <vector>

namespace fkv::run {

double secondsOf(ops::Backend& backend, const std::function<void()>& work) {
    using Clock = std::chrono::steady_clock;
    backend.synchronize();
    const auto begin = Clock::now();
    work();
    backend.synchronize();
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

namespace {

/// The best of three: what comes between makes a rate lower, never higher.
double bestSeconds(ops::Backend& backend, const std::function<void()>& work) {
    double best = std::numeric_limits<double>::max();
    for (int i = 0; i < 3; ++i)
        best = std::min(best, secondsOf(backend, work));
    return best;
}

double flopFrom(int first, const trace::ModelInfo& m, const trace::Budgets& b) {
    const double d = m.headDim, qkv = 2.0 * m.hidden * m.queryHeads * d,
                 kv = 4.0 * m.hidden * m.kvHeads * d,
                 rest = 2.0 * m.queryHeads * d * m.hidden + 6.0 * m.hidden * m.intermediate;
    double flop = 0.0;
    for (int l = first; l < m.layers; ++l) {
        const double s = static_cast<double>(b.layers[static_cast<std::size_t>(l)].entering);
        const bool tsp = b.tspOn && l == b.tspLayer, last = l + 1 == m.layers;
        const double rows = last ? 64.0 : tsp ? static_cast<double>(b.propagated) : s;
        // Survivors of the TSP layer lie anywhere in the prompt: half of it each, on average.
        const double seen = last ? s : (s + 1.0) / 2.0;
        flop += s * kv + rows * (qkv + rest) + 4.0 * m.queryHeads * d * rows * seen;
    }
    return flop;
}

} // namespace

double prefillFlop(const trace::ModelInfo& m, const trace::Budgets& b) {
    return 2.0 * m.hidden * m.vocabulary + flopFrom(0, m, b);
}

double lateFlop(const trace::ModelInfo& m, const trace::Budgets& b) {
    return flopFrom(b.firstLate(), m, b);
}

trace::DevicePeaks measurePeaks(ops::Backend& backend, std::int64_t copyBytes) {
    const DType type = backend.info().weightType;
    const std::int64_t n = type == DType::F32 ? 1024 : 8192;
    const auto element = static_cast<std::int64_t>(sizeOf(type));
    std::vector<ops::BufferPtr> memory;
    const auto matrix = [&](std::int64_t rows, std::int64_t cols) {
        memory.push_back(backend.allocate(static_cast<std::size_t>(rows * cols * element),
                                          ops::Lifetime::Scratch));
        const ops::View v{memory.back()->data(), type, rows, cols, cols};
        backend.fillRandom(v, memory.size(), 1.0F);
        return v;
    };
    constexpr std::int64_t kCols = 4096;
    const ops::LinearParams product{matrix(n, n), matrix(n, n), {}, matrix(n, n), false};
    const std::int64_t rows = std::max<std::int64_t>(1, copyBytes / (kCols * element));
    const ops::View from = matrix(rows, kCols), to = matrix(rows, kCols);
    std::vector<double> products, copies;
    for (int i = 0; i < 9; ++i) {
        products.push_back(secondsOf(backend, [&] { backend.linear(product); }));
        copies.push_back(secondsOf(backend, [&] { backend.copy(to, from); }));
    }
    const auto size = static_cast<double>(n);
    return {2.0 * size * size * size / median(products),
            2.0 * static_cast<double>(rows * kCols * element) / median(copies)};
}

std::optional<trace::DevicePeaks> peaksOfGpu(ops::Backend& backend) {
    if (!backend.info().isGpu()) return std::nullopt;
    constexpr std::int64_t kCopyBytes = std::int64_t{512} << 20;
    try {
        return measurePeaks(backend, kCopyBytes);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::OutOfMemory) throw;
        return std::nullopt;
    }
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

std::optional<Rates> ratesOf(ops::Backend& backend) {
    // Three quarters of both is what passes and steps were measured to reach.
    constexpr double kReached = 0.75;
    try {
        if (!backend.info().isGpu()) return measureRates(backend);
        const auto peaks = peaksOfGpu(backend);
        if (!peaks) return std::nullopt;
        return Rates{kReached * peaks->flopPerSecond, kReached * peaks->bytesPerSecond};
    } catch (const std::bad_alloc&) {
        return std::nullopt;
    }
}

std::optional<Rates> ratesOf(const trace::Run& run) {
    const auto& ms = run.timing.fullPrefillMs;
    const double step = run.fullAnswer ? run.fullAnswer->msPerToken : 0.0;
    if (!ms || *ms <= 0.0 || step <= 0.0 || !run.fastkv || run.model.intermediate == 0)
        return std::nullopt;
    const trace::Budgets full =
        select::computeBudgets(fullContext(run.fastkv->settings), run.model, run.tokens());
    const auto bytes = static_cast<double>(run.model.stepWeightBytes + full.kvBytes);
    return Rates{prefillFlop(run.model, full) / *ms * 1e3, bytes / step * 1e3};
}

} // namespace fkv::run
