// SPDX-License-Identifier: Apache-2.0
// What sliding windows hide, and heads that are normed, against plain loops.
#include "engine/core/error.h"
#include "engine/cpu/cpu_backend.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <numeric>
#include <random>

using namespace fkv;
using namespace fkv::ops;

namespace {

using Floats = std::vector<float>;
using Ints = std::vector<std::int32_t>;

Floats noise(std::int64_t n, unsigned seed) {
    std::mt19937 engine(seed);
    std::normal_distribution<float> normal;
    Floats out(static_cast<std::size_t>(n));
    for (float& v : out)
        v = normal(engine);
    return out;
}

View view(Floats& v, std::int64_t rows, std::int64_t cols) {
    return {v.data(), DType::F32, rows, cols, cols};
}
View view(Ints& v, std::int64_t rows, std::int64_t cols) {
    return {v.data(), DType::I32, rows, cols, cols};
}

std::unique_ptr<Backend> backend(int threads = 2) {
    auto made = makeCpuBackend(threads);
    made->reserve({2000, 2000, 6, 3, 16, 40, 50, 300});
    return made;
}

constexpr std::int64_t kHeads = 6, kGroups = 2, kDim = 10;

/// Keys and values of some tokens.
struct Cache {
    Floats keys, values;
    KvView kv;
    Cache(std::int64_t length, unsigned seed)
        : keys(noise(kGroups * length * kDim, seed)),
          values(noise(kGroups * length * kDim, seed + 1)),
          kv{keys.data(), values.data(), DType::F32, kGroups, length, kDim, length} {}
    const float* key(std::int64_t g, std::int64_t t) const {
        return keys.data() + (g * kv.capacity + t) * kDim;
    }
    const float* value(std::int64_t g, std::int64_t t) const {
        return values.data() + (g * kv.capacity + t) * kDim;
    }
};

/// Does a row see token t of group g?
using Sees = std::function<bool(int range, std::int64_t row, std::int64_t g, std::int64_t t)>;

void expectAttention(AttentionParams p, const Sees& sees) {
    Floats one(static_cast<std::size_t>(p.queries.elements()), NAN), two = one;
    p.out = view(one, p.queries.rows, p.queries.cols);
    backend(1)->attention(p);
    p.out = view(two, p.queries.rows, p.queries.cols);
    backend(2)->attention(p);
    EXPECT_EQ(one, two);
    for (std::int64_t r = 0; r < p.queries.rows; ++r)
        for (std::int64_t h = 0; h < kHeads; ++h) {
            const std::int64_t g = h / (kHeads / kGroups);
            const float* q = p.queries.as<float>() + r * p.queries.stride + h * kDim;
            double total = 0.0, want[kDim] = {};
            for (int i = 0; i < p.rangeCount; ++i) {
                const KvView& kv = p.ranges[std::size_t(i)].kv;
                for (std::int64_t t = 0; t < kv.length; ++t) {
                    if (!sees(i, r, g, t)) continue;
                    const std::int64_t at = (g * kv.capacity + t) * kDim;
                    double logit = 0.0;
                    for (std::int64_t c = 0; c < kDim; ++c)
                        logit += double(q[c]) * double(static_cast<float*>(kv.keys)[at + c]);
                    const double e = std::exp(double(p.scale) * logit);
                    total += e;
                    for (std::int64_t c = 0; c < kDim; ++c)
                        want[c] += e * double(static_cast<float*>(kv.values)[at + c]);
                }
            }
            for (std::int64_t c = 0; c < kDim; ++c)
                ASSERT_NEAR(one[std::size_t((r * kHeads + h) * kDim + c)],
                            total > 0.0 ? want[c] / total : 0.0, 3e-5)
                    << r << " " << h;
        }
}

AttentionParams attentionOf(Floats& q, std::int64_t rows) {
    AttentionParams p{};
    p.queries = view(q, rows, kHeads * kDim);
    p.queryHeads = kHeads;
    p.scale = 1.0F / std::sqrt(float(kDim));
    p.rangeCount = 1;
    return p;
}

/// Every 3rd position, and all of the last `window`.
Ints someOf(std::int64_t tokens, std::int64_t window) {
    Ints positions;
    for (std::int32_t p = 0; p < tokens; ++p)
        if (p % 3 == 1 || p >= tokens - window) positions.push_back(p);
    return positions;
}

} // namespace

TEST(SlidingWindow, RowsSeeTheLastTokensOfTheVisible) {
    for (const std::int64_t window : {1, 2, 50, 95, 96, 97, 300, 5000})
        for (const std::int64_t rows : {1, 33, 130}) {
            const std::int64_t length = 420;
            Floats q = noise(rows * kHeads * kDim, 1);
            Cache cache(length, 2);
            AttentionParams p = attentionOf(q, rows);
            p.ranges[0].kv = cache.kv;
            p.ranges[0].causalOffset = length - rows;
            p.ranges[0].window = window;
            expectAttention(p, [=](int, std::int64_t r, std::int64_t, std::int64_t t) {
                return t <= length - rows + r && t > length - rows + r - window;
            });
            Ints visible;
            for (std::int64_t r = 0; r < rows; ++r)
                visible.push_back(std::int32_t(r % 7 == 0 ? 0 : r * 97 % (length + 1)));
            p.ranges[0].visibleRows = visible;
            expectAttention(p, [&](int, std::int64_t r, std::int64_t, std::int64_t t) {
                return t < visible[std::size_t(r)] && t >= visible[std::size_t(r)] - window;
            });
        }
}

TEST(SlidingWindow, TokensLeftOutDoNotStretchIt) {
    const std::int64_t tokens = 900, window = 210;
    Ints positions = someOf(tokens, 8);
    const auto length = std::int64_t(positions.size());
    const std::int64_t rows = length;
    Ints firsts;
    for (const std::int32_t p : positions)
        firsts.push_back(std::int32_t(
            std::upper_bound(positions.begin(), positions.end(), p - window) - positions.begin()));
    Floats q = noise(rows * kHeads * kDim, 1);
    Cache cache(length, 2);
    AttentionParams p = attentionOf(q, rows);
    p.ranges[0].kv = cache.kv;
    p.ranges[0].causalOffset = 0;
    p.ranges[0].firstRows = firsts;
    expectAttention(p, [&](int, std::int64_t r, std::int64_t, std::int64_t t) {
        return t <= r && positions[std::size_t(t)] > positions[std::size_t(r)] - window;
    });
}

// A compressed cache in rank order, another one for each head, and a tail behind it.
TEST(SlidingWindow, ACacheInAnyOrderIsMaskedByPosition) {
    const std::int64_t window = 300, rows = 40, next = 700;
    std::mt19937 random(3);
    for (const bool own : {true, false}) {
        const std::int64_t length = 250;
        Ints positions;
        for (std::int64_t g = 0; g < (own ? kGroups : 1); ++g) {
            Ints all(692);
            std::iota(all.begin(), all.end(), 0);
            std::shuffle(all.begin(), all.end(), random);
            positions.insert(positions.end(), all.begin(), all.begin() + length);
        }
        Ints firsts;
        for (std::int64_t r = 0; r < rows; ++r)
            firsts.push_back(std::int32_t(next + r + 1 - window));
        Floats q = noise(rows * kHeads * kDim, 1);
        Cache prefix(length, 2), tail(8 + rows, 4);
        AttentionParams p = attentionOf(q, rows);
        p.rangeCount = 2;
        p.ranges[0].kv = prefix.kv;
        p.ranges[0].firstRows = firsts;
        p.ranges[0].positions = view(positions, own ? kGroups : 1, length);
        p.ranges[1].kv = tail.kv;
        p.ranges[1].causalOffset = 8;
        p.ranges[1].window = window;
        expectAttention(p, [&](int range, std::int64_t r, std::int64_t g, std::int64_t t) {
            if (range == 1) return t <= 8 + r;
            return positions[std::size_t((own ? g : 0) * length + t)] > next + r - window;
        });
    }
}

TEST(SlidingWindow, WindowSumsAndSaliencyOfHiddenTokensAreZero) {
    // Lengths at which all, some and none of a window's logits are kept.
    for (const std::int64_t length : {400, 9000, 20000}) {
        const std::int64_t w = 40, M = length - w;
        Ints firsts;
        for (std::int64_t r = 0; r < w; ++r)
            firsts.push_back(std::int32_t(r < 2 ? 0 : length / 2 + 3 * r));
        Floats q = noise(w * kHeads * kDim, 1), out(std::size_t(kHeads * M), NAN);
        Cache cache(length, 2);
        auto cpu = backend();
        cpu->reserve({2000, length, 6, 3, 16, 40, 50, 300});
        cpu->windowSums(
            {view(q, w, kHeads * kDim), cache.kv, kHeads, 0.3F, view(out, kHeads, M), firsts});
        std::vector<double> want(out.size(), 0.0);
        for (std::int64_t h = 0; h < kHeads; ++h)
            for (std::int64_t r = 0; r < w; ++r) {
                std::vector<double> e(std::size_t(length), 0.0);
                double total = 0.0;
                for (std::int64_t t = firsts[std::size_t(r)]; t <= M + r; ++t) {
                    double logit = 0.0;
                    for (std::int64_t c = 0; c < kDim; ++c)
                        logit += double(q[std::size_t((r * kHeads + h) * kDim + c)]) *
                                 double(cache.key(h / (kHeads / kGroups), t)[c]);
                    total += e[std::size_t(t)] = std::exp(0.3 * logit);
                }
                for (std::int64_t t = 0; t < M; ++t)
                    want[std::size_t(h * M + t)] += e[std::size_t(t)] / total;
            }
        for (std::size_t i = 0; i < out.size(); ++i)
            ASSERT_NEAR(out[i], want[i], 1e-6 + 1e-4 * want[i]) << length << " " << i;
        const std::int64_t first = length / 2 + 100;
        Floats saliency(std::size_t(kGroups * M), NAN), total(std::size_t(M), NAN);
        Floats whole = saliency, wholeTotal = total;
        cpu->saliency({view(out, kHeads, M), kGroups, 7, false, view(whole, kGroups, M),
                       view(wholeTotal, 1, M)});
        cpu->saliency({view(out, kHeads, M), kGroups, 7, false, view(saliency, kGroups, M),
                       view(total, 1, M), first});
        for (std::int64_t t = 0; t < M; ++t) {
            ASSERT_EQ(total[std::size_t(t)], t < first ? 0.0F : wholeTotal[std::size_t(t)]);
            for (std::int64_t g = 0; g < kGroups; ++g)
                ASSERT_EQ(saliency[std::size_t(g * M + t)],
                          t < first ? 0.0F : whole[std::size_t(g * M + t)]);
        }
    }
}

TEST(SlidingWindow, GatheringTellsWhereTokensStood) {
    const std::int64_t M = 60, count = 20;
    Cache from(M + 8, 1), to(count, 3);
    std::vector<std::uint32_t> ranks;
    for (std::int64_t i = 0; i < kGroups * M; ++i)
        ranks.push_back(std::uint32_t((i % M * 7 + i / M) % M));
    Ints stood, positions(std::size_t(kGroups * (count + 5)), -1), places = positions;
    for (std::int32_t t = 0; t < M; ++t)
        stood.push_back(3 * t + 1);
    const View ranked{ranks.data(), DType::U32, kGroups, M, M};
    backend()->gatherKv(
        {from.kv, ranked, count, to.kv, view(stood, 1, M), view(positions, kGroups, count + 5)});
    backend()->gatherKv({from.kv, ranked, count, to.kv, {}, view(places, kGroups, count + 5)});
    for (std::int64_t g = 0; g < kGroups; ++g)
        for (std::int64_t t = 0; t < M; ++t) {
            const std::uint32_t slot = ranks[std::size_t(g * M + t)];
            if (slot >= count) continue;
            EXPECT_EQ(positions[std::size_t(g * (count + 5)) + slot], 3 * t + 1);
            EXPECT_EQ(places[std::size_t(g * (count + 5)) + slot], t);
        }
    EXPECT_EQ(positions[count], -1) << "past the last slot";
}

TEST(HeadNorm, QueriesAndKeysAreNormedBeforeTheyAreRotated) {
    const std::int64_t rows = 9, H = 4, G = 2, d = 6, cols = (H + 2 * G) * d;
    Floats before = noise(rows * cols, 1), normed = before, plain = before;
    Floats qNorm = noise(d, 5), kNorm = noise(d, 6);
    Floats cosine = noise(50 * d / 2, 2), sine = noise(50 * d / 2, 3);
    Ints positions;
    for (int i = 0; i < rows; ++i)
        positions.push_back(3 * i + 1);
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t h = 0; h < H + G; ++h) {
            float* head = &plain[std::size_t(r * cols + h * d)];
            double sum = 0.0;
            for (std::int64_t c = 0; c < d; ++c)
                sum += double(head[c]) * double(head[c]);
            for (std::int64_t c = 0; c < d; ++c)
                head[c] = float(double(head[c]) / std::sqrt(sum / double(d) + 1e-6)) *
                          (h < H ? qNorm : kNorm)[std::size_t(c)];
        }
    Floats memory(std::size_t(4 * G * 30 * d), NAN);
    const auto kv = [&](std::int64_t half) {
        return KvView{&memory[std::size_t(half * 2 * G * 30 * d)],
                      &memory[std::size_t((half * 2 + 1) * G * 30 * d)],
                      DType::F32,
                      G,
                      30,
                      d,
                      5};
    };
    RopeAppendParams p{view(plain, rows, cols),
                       positions,
                       view(cosine, 50, d / 2),
                       view(sine, 50, d / 2),
                       H,
                       kv(0),
                       5};
    backend()->ropeAppend(p);
    p.qkv = view(normed, rows, cols);
    p.cache = kv(1);
    p.queryNorm = view(qNorm, 1, d);
    p.keyNorm = view(kNorm, 1, d);
    p.eps = 1e-6F;
    backend()->ropeAppend(p);
    for (std::size_t i = 0; i < normed.size(); ++i)
        ASSERT_NEAR(normed[i], plain[i], 1e-5) << i;
    p.keyNorm.cols = 4;
    EXPECT_THROW(backend()->ropeAppend(p), Error);
}
