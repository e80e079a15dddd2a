// SPDX-License-Identifier: Apache-2.0

// Checks the Hopper attention kernel against float64 on the CPU and times it:
//     attention_bench [check] [8192,32768,131072]
// Random data; outputs are poisoned; 32 query heads over 8 KV heads, as LLaMA-3.1-8B has them.

#include "engine/cuda/kernels/attention.cuh"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cuda_bf16.h>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace {

using bf16 = __nv_bfloat16;
using fkv::cuda::Attention;

void check(cudaError_t e, const char* what) {
    if (e == cudaSuccess) return;
    std::fprintf(stderr, "attention_bench: error: %s: %s\n", what, cudaGetErrorString(e));
    std::exit(1);
}

struct Memory {
    bf16* data = nullptr;
    std::size_t count;
    explicit Memory(std::size_t n) : count(n) {
        check(cudaMalloc(&data, n * sizeof(bf16)), "memory");
    }
    ~Memory() { cudaFree(data); }
    Memory(const Memory&) = delete;
};

__global__ void fillNormal(bf16* to, std::size_t n, std::uint64_t seed) {
    for (std::size_t i = blockIdx.x * std::size_t{blockDim.x} + threadIdx.x; i < n;
         i += std::size_t{gridDim.x} * blockDim.x) {
        std::uint64_t x = (i + seed * 0x1000003) * 0x9e3779b97f4a7c15ULL;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
        x ^= x >> 31;
        // Sum of four uniforms, scaled to unit variance.
        float sum = 0.0F;
        for (int k = 0; k < 4; ++k)
            sum += static_cast<float>((x >> (16 * k)) & 0xffff) * (1.0F / 65536.0F);
        to[i] = __float2bfloat16((sum - 2.0F) * 1.7320508F);
    }
}

void fill(Memory& m, std::uint64_t seed) {
    fillNormal<<<1024, 256>>>(m.data, m.count, seed);
    check(cudaGetLastError(), "fill");
}

std::vector<float> toHost(const Memory& m) {
    std::vector<bf16> raw(m.count);
    check(cudaMemcpy(raw.data(), m.data, m.count * sizeof(bf16), cudaMemcpyDeviceToHost), "copy");
    std::vector<float> v(m.count);
    std::transform(raw.begin(), raw.end(), v.begin(), [](bf16 x) { return __bfloat162float(x); });
    return v;
}

struct Case {
    int d, heads, groups;
    std::int64_t rows;
    std::vector<std::int64_t> lengths; ///< of each range
    std::vector<std::int64_t> offsets; ///< causal offsets; -1: sees all
    bool visibleRows = false;
};

bool checkCase(const Case& c) {
    const std::int64_t stride = (c.heads + 2 * c.groups) * c.d;
    Memory q(static_cast<std::size_t>(c.rows * stride)),
        out(static_cast<std::size_t>(c.rows * c.heads * c.d));
    fill(q, 1);
    check(cudaMemset(out.data, 0xff, out.count * sizeof(bf16)), "poison");
    Attention a{q.data, out.data};
    a.queryStride = stride;
    a.outStride = c.heads * c.d;
    a.rows = c.rows;
    a.queryHeads = c.heads;
    a.kvHeads = c.groups;
    a.headDim = c.d;
    a.scale = 1.0F / std::sqrt(static_cast<float>(c.d));
    a.rangeCount = static_cast<int>(c.lengths.size());
    std::vector<std::unique_ptr<Memory>> keys, values;
    std::vector<std::vector<std::int32_t>> visible;
    for (std::size_t r = 0; r < c.lengths.size(); ++r) {
        const std::int64_t capacity = c.lengths[r] + 37;
        keys.push_back(
            std::make_unique<Memory>(static_cast<std::size_t>(c.groups * capacity * c.d)));
        values.push_back(std::make_unique<Memory>(keys.back()->count));
        // What lies beyond the length is NaN: nobody may read it into a sum.
        check(cudaMemset(keys.back()->data, 0xff, keys.back()->count * 2), "poison");
        check(cudaMemset(values.back()->data, 0xff, values.back()->count * 2), "poison");
        Memory some(static_cast<std::size_t>(c.lengths[r] * c.d));
        for (int g = 0; g < c.groups; ++g)
            for (Memory* m : {keys.back().get(), values.back().get()}) {
                fill(some,
                     100 + r * 64 + static_cast<std::size_t>(g) * 2 + (m == keys.back().get()));
                check(cudaMemcpy(m->data + g * capacity * c.d, some.data, some.count * 2,
                                 cudaMemcpyDeviceToDevice),
                      "copy");
            }
        a.ranges[r] = {keys[r]->data, values[r]->data, capacity, c.lengths[r],
                       c.offsets[r] < 0 ? std::int64_t{1} << 40 : c.offsets[r]};
        visible.emplace_back();
        for (std::int64_t i = 0; i < c.rows; ++i)
            visible.back().push_back(static_cast<std::int32_t>(
                c.visibleRows ? c.lengths[r] * i / c.rows
                              : std::min(c.lengths[r], a.ranges[r].causalOffset + i + 1)));
        if (c.visibleRows) {
            std::int32_t* device = nullptr;
            check(cudaMalloc(&device, visible.back().size() * 4), "memory");
            check(cudaMemcpy(device, visible.back().data(), visible.back().size() * 4,
                             cudaMemcpyHostToDevice),
                  "copy");
            a.ranges[r].visibleRows = device;
        }
    }
    check(fkv::cuda::attentionSm90(a, nullptr), "launch");
    check(cudaDeviceSynchronize(), "run");
    const auto hq = toHost(q), ho = toHost(out);
    std::vector<std::vector<float>> hk, hv;
    for (std::size_t r = 0; r < keys.size(); ++r) {
        hk.push_back(toHost(*keys[r]));
        hv.push_back(toHost(*values[r]));
    }
    double error = 0.0, norm = 0.0;
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < c.rows; i += std::max<std::int64_t>(1, c.rows / 61))
        for (int h = 0; h < c.heads; h += std::max(1, c.heads / 5)) {
            std::vector<double> score;
            std::vector<const float*> value;
            double most = -1e300;
            for (std::size_t r = 0; r < hk.size(); ++r)
                for (std::int64_t k = 0; k < visible[r][static_cast<std::size_t>(i)]; ++k) {
                    const std::int64_t at =
                        ((h / (c.heads / c.groups)) * a.ranges[r].capacity + k) * c.d;
                    double s = 0.0;
                    for (int e = 0; e < c.d; ++e)
                        s += double{hq[static_cast<std::size_t>(i * stride + h * c.d + e)]} *
                             hk[r][static_cast<std::size_t>(at + e)];
                    score.push_back(s * a.scale);
                    value.push_back(&hv[r][static_cast<std::size_t>(at)]);
                    most = std::max(most, score.back());
                }
            double total = 0.0;
            for (double& s : score)
                total += (s = std::exp(s - most));
            for (int e = 0; e < c.d; ++e) {
                double expected = 0.0;
                for (std::size_t k = 0; k < score.size(); ++k)
                    expected += score[k] / total * value[k][e];
                const double got = ho[static_cast<std::size_t>(i * a.outStride + h * c.d + e)];
                wrong += !std::isfinite(got);
                error += (got - expected) * (got - expected);
                norm += expected * expected;
            }
        }
    const double relative = norm > 0.0 ? std::sqrt(error / norm) : std::sqrt(error);
    const bool good = wrong == 0 && relative < 8e-3;
    std::printf("%s d %d heads %d/%d rows %lld ranges %zu lengths %lld: relative error %.2e, %lld "
                "not finite\n",
                good ? "ok  " : "FAIL", c.d, c.heads, c.groups, static_cast<long long>(c.rows),
                c.lengths.size(), static_cast<long long>(c.lengths[0]), relative,
                static_cast<long long>(wrong));
    for (auto& r : a.ranges)
        cudaFree(const_cast<std::int32_t*>(r.visibleRows));
    return good;
}

void time(std::int64_t n) {
    const int d = 128, heads = 32, groups = 8;
    const std::int64_t stride = (heads + 2 * groups) * d;
    Memory q(static_cast<std::size_t>(n * stride)), out(static_cast<std::size_t>(n * heads * d));
    Memory keys(static_cast<std::size_t>(n * groups * d)),
        values(static_cast<std::size_t>(n * groups * d));
    fill(q, 1);
    fill(keys, 2);
    fill(values, 3);
    Attention a{q.data, out.data};
    a.queryStride = stride;
    a.outStride = heads * d;
    a.rows = n;
    a.queryHeads = heads;
    a.kvHeads = groups;
    a.headDim = d;
    a.scale = 1.0F / std::sqrt(static_cast<float>(d));
    a.ranges[0] = {keys.data, values.data, n, n, 0};
    cudaEvent_t begin, end;
    cudaEventCreate(&begin);
    cudaEventCreate(&end);
    std::vector<float> ms;
    const int runs = n > 65536 ? 5 : n > 16384 ? 15 : 40;
    for (int i = -2; i < runs; ++i) {
        cudaEventRecord(begin);
        check(fkv::cuda::attentionSm90(a, nullptr), "launch");
        cudaEventRecord(end);
        check(cudaEventSynchronize(end), "run");
        float t = 0.0F;
        cudaEventElapsedTime(&t, begin, end);
        if (i >= 0) ms.push_back(t);
    }
    std::sort(ms.begin(), ms.end());
    const double flop =
        2.0 * static_cast<double>(n) * static_cast<double>(n) * heads * d; // causal half of 4 n^2 d
    const double median = ms[ms.size() / 2];
    std::printf(
        "{\"tokens\": %lld, \"ms\": %.3f, \"ms_min\": %.3f, \"tflops\": %.1f, \"runs\": %d}\n",
        static_cast<long long>(n), median, ms.front(), flop / median * 1e-9, runs);
}

} // namespace

int main(int argc, char** argv) {
    bool good = true;
    for (int i = 1; i < argc; ++i) {
        if (std::strcmp(argv[i], "check") == 0) {
            for (const int d : {32, 64, 128}) {
                good &= checkCase({d, 8, 2, 1, {1}, {0}});
                good &= checkCase({d, 8, 2, 300, {300}, {0}});
                good &= checkCase({d, 32, 8, 1037, {1037}, {0}});
                good &= checkCase({d, 8, 8, 129, {700}, {571}});
                good &= checkCase({d, 8, 2, 200, {513, 200}, {-1, 0}});
                good &= checkCase({d, 4, 1, 130, {257, 333}, {0, 0}, true});
                good &= checkCase({d, 8, 2, 2500, {2500}, {0}});
            }
        } else {
            time(std::atoll(argv[i]));
        }
    }
    return good ? 0 : 1;
}
