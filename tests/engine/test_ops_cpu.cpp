// SPDX-License-Identifier: Apache-2.0
#include "engine/core/error.h"
#include "engine/cpu/cpu_backend.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>

using namespace fkv;
using namespace fkv::ops;

namespace {

using Floats = std::vector<float>;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Floats noise(std::int64_t n, unsigned seed) {
    std::mt19937 engine(seed);
    std::normal_distribution<float> normal;
    Floats out(static_cast<std::size_t>(n));
    for (float& v : out) v = normal(engine);
    return out;
}

Floats poison(std::int64_t n) { return Floats(static_cast<std::size_t>(n), kNan); }

View view(Floats& v, std::int64_t rows, std::int64_t cols) {
    return {v.data(), DType::F32, rows, cols, cols};
}

std::unique_ptr<Backend> backend(int threads = 2) {
    auto made = makeCpuBackend(threads);
    made->reserve({2000, 2000, 6, 3, 16, 40, 50, 300});
    return made;
}

void near(const Floats& got, const std::vector<double>& want, double tolerance) {
    ASSERT_EQ(got.size(), want.size());
    for (std::size_t i = 0; i < got.size(); ++i)
        ASSERT_NEAR(got[i], want[i], tolerance * (1.0 + std::abs(want[i]))) << i;
}

/// A cache whose free tokens are NaN.
struct Cache {
    Floats keys, values;
    KvView kv;
    Cache(std::int64_t heads, std::int64_t capacity, std::int64_t d, std::int64_t length,
          unsigned seed)
        : keys(noise(heads * capacity * d, seed)), values(noise(heads * capacity * d, seed + 1)) {
        for (std::int64_t i = 0; i < heads * capacity * d; ++i)
            if (i / d % capacity >= length) keys[size_t(i)] = values[size_t(i)] = kNan;
        kv = {keys.data(), values.data(), DType::F32, heads, capacity, d, length};
    }
    const float* key(std::int64_t g, std::int64_t t) const {
        return keys.data() + (g * kv.capacity + t) * kv.headDim;
    }
    const float* value(std::int64_t g, std::int64_t t) const {
        return values.data() + (g * kv.capacity + t) * kv.headDim;
    }
};

double dot(const float* a, const float* b, std::int64_t n) {
    double sum = 0.0;
    for (std::int64_t i = 0; i < n; ++i) sum += double(a[i]) * double(b[i]);
    return sum;
}

std::vector<double> naiveAttention(const AttentionParams& p) {
    const std::int64_t d = p.queries.cols / p.queryHeads;
    std::vector<double> out(static_cast<std::size_t>(p.queries.elements()), 0.0);
    for (std::int64_t r = 0; r < p.queries.rows; ++r)
        for (std::int64_t h = 0; h < p.queryHeads; ++h) {
            const float* q = p.queries.as<float>() + r * p.queries.stride + h * d;
            double* o = out.data() + r * p.queries.cols + h * d;
            double total = 0.0;
            for (int i = 0; i < p.rangeCount; ++i) {
                const KvRange& range = p.ranges[size_t(i)];
                const std::int64_t g = h / (p.queryHeads / range.kv.kvHeads);
                const std::int64_t seen = range.visibleRows.empty()
                    ? std::min(range.kv.length, range.causalOffset + r + 1)
                    : range.visibleRows[size_t(r)];
                for (std::int64_t t = 0; t < seen; ++t) {
                    const std::int64_t at = (g * range.kv.capacity + t) * d;
                    const double e = std::exp(
                        double(p.scale) * dot(q, static_cast<float*>(range.kv.keys) + at, d));
                    total += e;
                    for (std::int64_t c = 0; c < d; ++c)
                        o[c] += e * double(static_cast<float*>(range.kv.values)[at + c]);
                }
            }
            for (std::int64_t c = 0; c < d && total > 0.0; ++c) o[c] /= total;
        }
    return out;
}

void checkAttention(AttentionParams p) {
    Floats one = poison(p.queries.elements());
    Floats two = one;
    p.out = view(one, p.queries.rows, p.queries.cols);
    backend(1)->attention(p);
    near(one, naiveAttention(p), 2e-5);
    p.out = view(two, p.queries.rows, p.queries.cols);
    backend(2)->attention(p);
    EXPECT_EQ(one, two);
}

}  // namespace

TEST(CpuOps, LinearMatchesForEveryShapeAndBothThreadCounts) {
    for (const std::int64_t rows : {0, 1, 2, 17, 300})
        for (const bool accumulate : {false, true})
            for (const bool biased : {false, true}) {
                const std::int64_t in = 37, cols = 291;
                Floats x = noise(rows * in, 1), w = noise(cols * in, 2), b = noise(cols, 3);
                const Floats before = accumulate ? noise(rows * cols, 4) : poison(rows * cols);
                std::vector<double> want(size_t(rows * cols));
                for (std::int64_t r = 0; r < rows; ++r)
                    for (std::int64_t c = 0; c < cols; ++c) {
                        const auto i = size_t(r * cols + c);
                        want[i] = dot(&x[size_t(r * in)], &w[size_t(c * in)], in);
                        if (biased) want[i] += double(b[size_t(c)]);
                        if (accumulate) want[i] += double(before[i]);
                    }
                Floats one = before, two = before;
                LinearParams p{view(x, rows, in), view(w, cols, in),
                               biased ? view(b, 1, cols) : View{}, view(one, rows, cols),
                               accumulate};
                backend(1)->linear(p);
                near(one, want, 2e-5);
                p.out = view(two, rows, cols);
                backend(2)->linear(p);
                EXPECT_EQ(one, two);
            }
}

TEST(CpuOps, RowwiseOpsMatch) {
    const std::int64_t rows = 35, n = 39;
    Floats x = noise(rows * n, 1), w = noise(n, 2), out = poison(rows * n);
    auto cpu = backend();
    cpu->rmsNorm({view(x, rows, n), view(w, 1, n), 1e-5F, view(out, rows, n)});
    std::vector<double> want(out.size());
    for (std::int64_t i = 0; i < rows * n; ++i) {
        const float* row = &x[size_t(i / n * n)];
        want[size_t(i)] = double(x[size_t(i)]) * double(w[size_t(i % n)]) /
                          std::sqrt(dot(row, row, n) / double(n) + 1e-5);
    }
    near(out, want, 1e-5);
    cpu->rmsNorm({view(x, rows, n), view(w, 1, n), 1e-5F, view(x, rows, n)});
    EXPECT_EQ(x, out);

    Floats gateUp = noise(rows * 2 * n, 3);
    for (float& v : gateUp) v *= 20.0F;
    std::fill(out.begin(), out.end(), kNan);
    cpu->swiglu({view(gateUp, rows, 2 * n), view(out, rows, n)});
    for (std::int64_t i = 0; i < rows * n; ++i) {
        const auto at = size_t(i / n * 2 * n + i % n);
        const double g = gateUp[at];
        want[size_t(i)] = g / (1.0 + std::exp(-g)) * double(gateUp[at + size_t(n)]);
    }
    near(out, want, 1e-5);

    const std::vector<std::int32_t> index{34, 0, 7, 7};
    Floats picked = poison(4 * n);
    cpu->embed({index, view(x, rows, n), view(picked, 4, n)});
    for (size_t i = 0; i < picked.size(); ++i)
        EXPECT_EQ(picked[i], x[size_t(index[i / size_t(n)]) * size_t(n) + i % size_t(n)]);
    Floats gathered = poison(4 * n);
    cpu->gatherRows({view(x, rows, n), index, view(gathered, 4, n)});
    EXPECT_EQ(gathered, picked);
    cpu->gatherRows({view(x, rows, n), {}, View{nullptr, DType::F32, 0, n, n}});
}

TEST(CpuOps, RopeRotatesHalvesAndAppends) {
    const std::int64_t rows = 19, H = 4, G = 2, d = 6, cols = (H + 2 * G) * d;
    Floats before = noise(rows * cols, 1), qkv = before;
    Floats cosine = noise(50 * d / 2, 2), sine = noise(50 * d / 2, 3);
    Cache cache(G, 30, d, 5, 4);
    std::vector<std::int32_t> positions;
    for (int i = 0; i < rows; ++i) positions.push_back(2 * i + 3);
    backend()->ropeAppend({view(qkv, rows, cols), positions, view(cosine, 50, d / 2),
                           view(sine, 50, d / 2), H, cache.kv, 5});
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t c = 0; c < cols; ++c) {
            const std::int64_t head = c / d, k = c % d, half = k % (d / 2);
            const auto at = size_t(positions[size_t(r)] * d / 2 + half);
            const float* row = &before[size_t(r * cols + head * d)];
            const double a = row[half], b = row[half + d / 2];
            double want = k < d / 2 ? a * cosine[at] - b * sine[at] : b * cosine[at] + a * sine[at];
            if (head >= H + G) want = row[k];
            EXPECT_NEAR(qkv[size_t(r * cols + c)], want, 1e-5);
            if (head >= H && head < H + G) {
                EXPECT_EQ(cache.key(head - H, 5 + r)[k], qkv[size_t(r * cols + c)]);
            }
            if (head >= H + G) {
                EXPECT_EQ(cache.value(head - H - G, 5 + r)[k], float(want));
            }
        }
}

TEST(CpuOps, RopeTakesKeysOrQueriesAlone) {
    const std::int64_t rows = 5, H = 4, G = 2, d = 6, queries = H * d, keys = 2 * G * d;
    Floats cosine = noise(50 * d / 2, 2), sine = noise(50 * d / 2, 3);
    const std::vector<std::int32_t> positions{3, 5, 6, 9, 20};
    Floats both = noise(rows * (queries + keys), 1), left(size_t(rows * queries)), right(size_t(rows * keys));
    for (std::int64_t r = 0; r < rows; ++r) {
        const auto row = both.begin() + r * (queries + keys);
        std::copy(row, row + queries, left.begin() + r * queries);
        std::copy(row + queries, row + queries + keys, right.begin() + r * keys);
    }
    Cache whole(G, 30, d, 5, 4), part(G, 30, d, 5, 4);
    const View cosines = view(cosine, 50, d / 2), sines = view(sine, 50, d / 2);
    auto cpu = backend();
    cpu->ropeAppend({view(both, rows, queries + keys), positions, cosines, sines, H, whole.kv, 5});
    cpu->ropeAppend({view(right, rows, keys), positions, cosines, sines, 0, part.kv, 5});
    for (std::int64_t g = 0; g < G; ++g)
        for (std::int64_t t = 5; t < 5 + rows; ++t)
            for (std::int64_t c = 0; c < d; ++c) {
                EXPECT_EQ(part.key(g, t)[c], whole.key(g, t)[c]);
                EXPECT_EQ(part.value(g, t)[c], whole.value(g, t)[c]);
            }
    KvView none;
    none.dtype = DType::F32;
    none.headDim = d;
    cpu->ropeAppend({view(left, rows, queries), positions, cosines, sines, H, none, 0});
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t c = 0; c < queries; ++c)
            EXPECT_EQ(left[size_t(r * queries + c)], both[size_t(r * (queries + keys) + c)]);
    EXPECT_THROW(cpu->ropeAppend({view(left, rows, 0), positions, cosines, sines, 0, none, 0}), Error);
}

TEST(CpuOps, AttentionCausalTwoRangesAndVisibleRows) {
    const std::int64_t H = 6, G = 2, d = 10;
    for (const std::int64_t rows : {0, 1, 3, 77}) {
        Floats q = noise(rows * (H * d + 7) + 1, 1);
        Cache first(G, 611, d, 601, 2), second(G, 90, d, rows + 1, 4);
        AttentionParams p{};
        p.queries = {q.data(), DType::F32, rows, H * d, H * d + 7};
        p.queryHeads = H;
        p.scale = 1.0F / std::sqrt(float(d));
        p.ranges[0].kv = first.kv;
        p.ranges[1].kv = second.kv;
        p.ranges[1].causalOffset = 1;
        p.rangeCount = 1;
        checkAttention(p);
        p.ranges[0].causalOffset = 601 - rows;
        checkAttention(p);
        p.rangeCount = 2;
        p.ranges[0].causalOffset = KvRange::kSeesAll;
        checkAttention(p);
        std::vector<std::int32_t> visible;
        for (int r = 0; r < rows; ++r) visible.push_back(r % 5 == 0 ? 0 : (r * 97) % 602);
        p.ranges[0].visibleRows = visible;
        checkAttention(p);
        p.rangeCount = 1;  // rows that see nothing give zeros
        checkAttention(p);
    }
}

// So long that logits are kept for some rows of the window only, and for none.
TEST(CpuOps, WindowSumsOfLongLayers) {
    const std::int64_t H = 2, G = 1, d = 4;
    for (const auto& [length, w] : {std::pair<std::int64_t, std::int64_t>{8000, 40}, {17000, 40}}) {
        const std::int64_t M = length - w;
        Floats q = noise(w * H * d, 1), out = poison(H * M);
        Cache cache(G, length, d, length, 2);
        backend()->windowSums({view(q, w, H * d), cache.kv, H, 0.3F, view(out, H, M)});
        std::vector<double> want(size_t(H * M), 0.0);
        for (std::int64_t h = 0; h < H; ++h)
            for (std::int64_t r = 0; r < w; ++r) {
                std::vector<double> e;
                double total = 0.0;
                for (std::int64_t t = 0; t <= M + r; ++t) {
                    e.push_back(std::exp(0.3 * dot(&q[size_t((r * H + h) * d)], cache.key(0, t), d)));
                    total += e.back();
                }
                for (std::int64_t t = 0; t < M; ++t) want[size_t(h * M + t)] += e[size_t(t)] / total;
            }
        near(out, want, 1e-7);
    }
}

TEST(CpuOps, WindowSumsSaliencyAndRanks) {
    const std::int64_t H = 6, G = 2, d = 10;
    for (const std::int64_t w : {1, 8, 70})
        for (const std::int64_t length : {w, w + 1, std::int64_t{523}}) {
            const std::int64_t M = length - w;
            Floats q = noise(w * H * d, 1);
            Cache cache(G, 530, d, length, 2);
            Floats one = poison(H * M), two = one;
            WindowSumsParams p{view(q, w, H * d), cache.kv, H, 0.3F, view(one, H, M)};
            backend(1)->windowSums(p);
            p.out = view(two, H, M);
            auto cpu = backend(2);
            cpu->windowSums(p);
            EXPECT_EQ(one, two);
            std::vector<double> want(size_t(H * M), 0.0);
            for (std::int64_t h = 0; h < H; ++h)
                for (std::int64_t r = 0; r < w; ++r) {
                    std::vector<double> e(size_t(M + r + 1));
                    double total = 0.0;
                    for (std::int64_t t = 0; t <= M + r; ++t) {
                        e[size_t(t)] = std::exp(double(p.scale) * dot(&q[size_t((r * H + h) * d)],
                                                              cache.key(h / (H / G), t), d));
                        total += e[size_t(t)];
                    }
                    for (std::int64_t t = 0; t < M; ++t)
                        want[size_t(h * M + t)] += e[size_t(t)] / total;
                }
            near(one, want, 1e-5);
            Floats saliency = poison(G * M), sum = poison(M);
            cpu->saliency({view(one, H, M), G, 3, true, view(saliency, G, M), view(sum, 1, M)});
            std::vector<double> pooled(size_t(G * M), 0.0), all(size_t(M), 0.0);
            for (std::int64_t i = 0; i < H * M; ++i)
                for (std::int64_t k = -1; k <= 1; ++k) {
                    const std::int64_t h = i / M, t = i % M;
                    if (t + k < 0 || t + k >= M) continue;
                    pooled[size_t(h / (H / G) * M + t)] += want[size_t(i + k)] / 3.0;
                    all[size_t(t)] += want[size_t(i + k)] / 3.0;
                }
            near(saliency, pooled, 2e-5);
            near(sum, all, 2e-5);
            std::vector<std::uint32_t> ranks(size_t(G * M), 9999U);
            cpu->ranks({view(saliency, G, M), {ranks.data(), DType::U32, G, M, M}});
            const std::int64_t count = M / 2;
            Cache out(G, 300, d, 0, 9);
            cpu->gatherKv({cache.kv, {ranks.data(), DType::U32, G, M, M}, count, out.kv});
            for (std::int64_t i = 0; i < G * M; ++i) {
                std::uint32_t better = 0;
                for (std::int64_t j = i / M * M; j < i / M * M + M; ++j)
                    better += saliency[size_t(j)] > saliency[size_t(i)] ||
                              (saliency[size_t(j)] == saliency[size_t(i)] && j < i);
                ASSERT_EQ(ranks[size_t(i)], better);
                if (better >= count) continue;
                for (std::int64_t c = 0; c < d; ++c) {
                    ASSERT_EQ(out.key(i / M, better)[c], cache.key(i / M, i % M)[c]);
                    ASSERT_EQ(out.value(i / M, better)[c], cache.value(i / M, i % M)[c]);
                }
            }
        }
}

TEST(CpuOps, TeacherForcedBatchEqualsSingleSteps) {
    const std::int64_t H = 4, G = 2, d = 8, n = 24, F = 20, V = 31, tokens = 67;
    Floats norm = noise(n, 1), qkv = noise((H + 2 * G) * d * n, 2), o = noise(n * H * d, 3);
    Floats gate = noise(2 * F * n, 4), down = noise(n * F, 5), table = noise(V * n, 6);
    for (Floats* weights : {&qkv, &o, &gate, &down})
        for (float& v : *weights) v *= 0.2F;
    Floats cosine(100 * d / 2), sine(100 * d / 2);
    for (size_t i = 0; i < cosine.size(); ++i) {
        cosine[i] = std::cos(float(i) * 0.01F);
        sine[i] = std::sin(float(i) * 0.01F);
    }
    std::vector<std::int32_t> ids;
    for (int i = 0; i < tokens; ++i) ids.push_back(i * 7 % 31);
    const LayerWeights weights{view(norm, 1, n), view(qkv, (H + 2 * G) * d, n), {},
                               view(o, n, H * d), view(norm, 1, n), view(gate, 2 * F, n),
                               view(down, n, F)};
    const auto decode = [&](std::int64_t step, int threads) {
        Cache prefix(G, 13, d, 11, 7), tail(G, 80, d, 3, 9);
        std::vector<DecodeLayer> layers{{weights, prefix.kv, tail.kv}};
        Floats logits = poison(tokens * V);
        auto cpu = backend(threads);
        for (std::int64_t at = 0; at < tokens; at += step) {
            const std::int64_t rows = std::min(step, tokens - at);
            cpu->decodeStep({{ids.data() + at, size_t(rows)}, 14 + at, layers, view(table, V, n),
                             view(norm, 1, n), view(table, V, n), view(cosine, 100, d / 2),
                             view(sine, 100, d / 2), H, 1e-5F,
                             view(logits, tokens, V).rowsFrom(at, rows)});
        }
        EXPECT_EQ(layers[0].tail.length, 3 + tokens);
        return logits;
    };
    const Floats whole = decode(tokens, 1), single = decode(1, 2);
    EXPECT_EQ(whole, decode(tokens, 2));
    near(single, {whole.begin(), whole.end()}, 1e-4);
}

TEST(CpuOps, UnalignedHalvesBecomeFloatsAndMisfitsThrow) {
    auto cpu = backend();
    const unsigned char bytes[] = {0, 0x00, 0x3C, 0x00, 0xC0};
    Floats out = poison(2);
    cpu->uploadWeights(view(out, 1, 2), bytes + 1, DType::F16);
    EXPECT_EQ(out, (Floats{1.0F, -2.0F}));
    const unsigned char brain[] = {0, 0x80, 0x3F, 0x00, 0xC0};
    cpu->uploadWeights(view(out, 1, 2), brain + 1, DType::BF16);
    EXPECT_EQ(out, (Floats{1.0F, -2.0F}));
    EXPECT_THROW(cpu->swiglu({view(out, 1, 2), view(out, 1, 2)}), Error);
    EXPECT_THROW(cpu->allocate(std::numeric_limits<std::size_t>::max() / 2, Lifetime::Session),
                 Error);
}
