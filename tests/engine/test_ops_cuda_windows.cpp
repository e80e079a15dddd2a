// SPDX-License-Identifier: Apache-2.0
// What sliding windows hide on a GPU, and heads that are normed, against the CPU backend.
#include "tests/support/cuda_side.h"

#include <algorithm>
#include <numeric>

using namespace fkv;
using namespace fkv::testing;

namespace {

using Ints = std::vector<std::int32_t>;

constexpr std::int64_t kHeads = 8, kGroups = 2;

AttentionParams attentionOf(Side& s, std::int64_t rows, std::int64_t d) {
    AttentionParams p{};
    p.queries = s.random(rows, (kHeads + 2 * kGroups) * d, 1);
    p.queries.cols = kHeads * d;
    p.out = s.poison(rows, kHeads * d);
    p.queryHeads = kHeads;
    p.scale = 1.0F / std::sqrt(float(d));
    p.rangeCount = 1;
    return p;
}

/// Positions in any order, `count` of [0, below) in each of `rows` rows.
Ints shuffled(std::int64_t rows, std::int64_t count, std::int32_t below) {
    std::mt19937 random(3);
    Ints positions;
    for (std::int64_t g = 0; g < rows; ++g) {
        Ints all(static_cast<std::size_t>(below));
        std::iota(all.begin(), all.end(), 0);
        std::shuffle(all.begin(), all.end(), random);
        positions.insert(positions.end(), all.begin(), all.begin() + count);
    }
    return positions;
}

struct Sliding {
    std::int64_t d, rows, window;
};
std::vector<Sliding> slidings() {
    std::vector<Sliding> all;
    for (const std::int64_t d : {32, 64, 128})
        for (const std::int64_t rows : {1, 77, 400})
            for (const std::int64_t window : {1, 50, 127, 128, 129, 300, 5000})
                all.push_back({d, rows, window});
    return all;
}

} // namespace

TEST_F(CudaOps, AttentionSeesTheLastTokensOfTheVisible) {
    for (const Sliding& c : slidings()) {
        SCOPED_TRACE(std::to_string(c.d) + " x " + std::to_string(c.rows) + ", window " +
                     std::to_string(c.window));
        both(
            [&](Side& s) {
                AttentionParams p = attentionOf(s, c.rows, c.d);
                p.ranges[0].kv = s.cache(kGroups, 650, c.d, 601, 2);
                p.ranges[0].causalOffset = 601 - c.rows;
                p.ranges[0].window = c.window;
                s.backend().attention(p);
                return s.read(p.out);
            },
            kRounding);
        both(
            [&](Side& s) {
                AttentionParams p = attentionOf(s, c.rows, c.d);
                Ints visible; // of some rows, in their order: from none on
                for (std::int64_t r = 0; r < c.rows; ++r)
                    visible.push_back(static_cast<std::int32_t>(r * 601 / c.rows));
                p.ranges[0].kv = s.cache(kGroups, 650, c.d, 601, 2);
                p.ranges[0].visibleRows = visible;
                p.ranges[0].window = c.window;
                s.backend().attention(p);
                return s.read(p.out);
            },
            kRounding);
    }
}

TEST_F(CudaOps, AttentionOfTokensThatWereLeftBetween) {
    for (const std::int64_t d : {32, 64, 128})
        for (const std::int64_t window : {1, 90, 400, 1500}) {
            Ints positions, firsts;
            for (std::int32_t p = 0; p < 1700; ++p)
                if (p % 3 == 1 || p % 100 < 20 || p >= 1692) positions.push_back(p);
            for (const std::int32_t p : positions)
                firsts.push_back(static_cast<std::int32_t>(
                    std::upper_bound(positions.begin(), positions.end(), p - window) -
                    positions.begin()));
            const auto rows = static_cast<std::int64_t>(positions.size());
            both(
                [&](Side& s) {
                    AttentionParams p = attentionOf(s, rows, d);
                    p.ranges[0].kv = s.cache(kGroups, rows + 9, d, rows, 2);
                    p.ranges[0].causalOffset = 0;
                    p.ranges[0].firstRows = firsts;
                    s.backend().attention(p);
                    return s.read(p.out);
                },
                kRounding);
        }
}

TEST_F(CudaOps, AttentionOverACacheInAnyOrder) {
    const std::int64_t length = 250, next = 700;
    for (const std::int64_t d : {32, 64, 128})
        for (const std::int64_t rows : {2, 64})
            for (const std::int64_t window : {4, 300, 690})
                for (const std::int64_t own : {kGroups, std::int64_t{1}}) {
                    const Ints positions = shuffled(own, length, 692);
                    Ints firsts;
                    for (std::int64_t r = 0; r < rows; ++r)
                        firsts.push_back(static_cast<std::int32_t>(next + r + 1 - window));
                    both(
                        [&](Side& s) {
                            AttentionParams p = attentionOf(s, rows, d);
                            p.rangeCount = 2;
                            p.ranges[0].kv = s.cache(kGroups, length + 3, d, length, 2);
                            p.ranges[0].firstRows = firsts;
                            p.ranges[0].positions = s.positions(positions, own, length);
                            p.ranges[1].kv = s.cache(kGroups, rows + 20, d, 8 + rows, 5);
                            p.ranges[1].causalOffset = 8;
                            p.ranges[1].window = window;
                            s.backend().attention(p);
                            return s.read(p.out);
                        },
                        kRounding);
                }
}

TEST_F(CudaOps, WindowSumsAndSaliencyOfWhatIsInSight) {
    for (const std::int64_t d : {32, 64, 128})
        for (const std::int64_t window : {1, 8, 32})
            for (const std::int64_t length : {40, 129, 3001}) {
                const std::int64_t m = length - window;
                Ints firsts;
                for (std::int64_t r = 0; r < window; ++r)
                    firsts.push_back(static_cast<std::int32_t>(r < 2 ? m / 3 : m / 2 + r));
                Side g(*gpu), c(*cpu);
                const auto sums = [&](Side& s) {
                    const View out = s.poison(kHeads, m, DType::F32);
                    s.backend().windowSums({s.random(window, kHeads * d, 1),
                                            s.cache(kGroups, length + 5, d, length, 2), kHeads,
                                            1.0F / std::sqrt(float(d)), out, firsts});
                    return out;
                };
                const View onGpu = sums(g);
                const Floats values = g.read(onGpu);
                near(values, c.read(sums(c)), kScores);
                for (std::int64_t t = 0; t < m / 3; ++t)
                    ASSERT_EQ(values[static_cast<std::size_t>(t)], 0.0F) << t;
                // From the same window sums the rest is the same bits.
                const View onCpu = c.put(values, kHeads, m, DType::F32);
                const auto score = [&](Side& s, const View& from) {
                    const View a = s.poison(kGroups, m, DType::F32), t = s.poison(1, m, DType::F32);
                    s.backend().saliency({from, kGroups, 7, false, a, t, m / 2});
                    Floats all = s.read(a);
                    const Floats total = s.read(t);
                    all.insert(all.end(), total.begin(), total.end());
                    return all;
                };
                EXPECT_EQ(score(g, onGpu), score(c, onCpu));
            }
}

TEST_F(CudaOps, GatherKvTellsWhereTokensStood) {
    const std::int64_t G = 3, d = 64, m = 500, keep = 77;
    const Ints order = shuffled(G, m, m);
    const std::vector<std::uint32_t> ranks(order.begin(), order.end());
    Ints stood;
    for (std::int32_t t = 0; t < m; ++t)
        stood.push_back(3 * t + 1);
    const auto gathered = [&](Side& s, bool sparse) {
        KvView out = s.cache(G, keep + 3, d, 0, 9);
        const View to =
            s.positions(Ints(static_cast<std::size_t>(G * (keep + 5)), -1), G, keep + 5);
        s.backend().gatherKv({s.cache(G, 512, d, 508, 2), s.ids(ranks, G, m), keep, out,
                              sparse ? s.positions(stood, 1, m) : View{}, to});
        return s.readIds(to);
    };
    for (const bool sparse : {false, true}) {
        Side a(*gpu), b(*cpu);
        EXPECT_EQ(gathered(a, sparse), gathered(b, sparse));
    }
}

TEST_F(CudaOps, RopeOfNormedHeads) {
    for (const std::int64_t d : {32, 64, 128}) {
        Ints positions;
        for (int i = 0; i < 75; ++i)
            positions.push_back(3 * i + 2);
        const std::int64_t H = 6, G = 2, cols = (H + 2 * G) * d;
        for (const int what : {0, 1, 2})
            both(
                [&](Side& s) {
                    const View qkv = s.random(75, cols, 1, 3.0F);
                    const KvView cache = s.cache(G, 90, d, 5, 4);
                    RopeAppendParams p{
                        qkv,
                        positions,
                        s.put(Side::noise(300 * d / 2, 2, 1.0F), 300, d / 2, DType::F32),
                        s.put(Side::noise(300 * d / 2, 3, 1.0F), 300, d / 2, DType::F32),
                        H,
                        cache,
                        5};
                    p.queryNorm = s.random(1, d, 8);
                    p.keyNorm = s.random(1, d, 9);
                    p.eps = 1e-6F;
                    s.backend().ropeAppend(p);
                    if (what == 0) return s.read(qkv);
                    return s.read(s.matrix(what == 1 ? cache.keys : cache.values, cache));
                },
                kRounding);
    }
}

namespace {

struct Decoding {
    std::int64_t d, H, G, window;
    int prefix; ///< 0: places are positions, 1: one row of positions, 2: one for each head
    bool normed, atOnce;
};

constexpr std::int64_t kNext = 1200, kPrefix = 913; ///< position of the first token, prefix length

/// Logits of 9 tokens over layers that slide but for the last one.
Floats decode(Side& s, const Decoding& c) {
    const std::int64_t hidden = 256, F = 512, V = 640, steps = 9;
    std::vector<DecodeLayer> plan;
    for (unsigned l = 0; l < 3; ++l) {
        DecodeLayer layer{};
        const unsigned seed = 100 * (l + 1);
        const float scale = 0.06F;
        layer.weights.inputNorm = s.random(1, hidden, seed);
        layer.weights.qkv = s.random((c.H + 2 * c.G) * c.d, hidden, seed + 1, scale);
        layer.weights.qkvBias = s.random(1, (c.H + 2 * c.G) * c.d, seed + 10, 0.5F);
        layer.weights.out = s.random(hidden, c.H * c.d, seed + 2, scale);
        layer.weights.postNorm = s.random(1, hidden, seed + 3);
        layer.weights.gateUp = s.random(2 * F, hidden, seed + 4, scale);
        layer.weights.down = s.random(hidden, F, seed + 5, scale);
        if (c.normed) {
            layer.weights.queryNorm = s.random(1, c.d, seed + 11);
            layer.weights.keyNorm = s.random(1, c.d, seed + 12);
        }
        // Where places are positions nothing is missing before the tail.
        const std::int64_t length = c.prefix == 0 ? kNext - 8 : kPrefix;
        layer.prefix = s.cache(c.G, length + 30, c.d, length, seed + 6);
        layer.tail = s.cache(c.G, 80, c.d, 8, seed + 8);
        if (l < 2) layer.slidingWindow = c.window;
        if (l < 2 && c.prefix > 0) {
            const std::int64_t rows = c.prefix == 1 ? 1 : c.G;
            layer.prefixPositions = s.positions(
                shuffled(rows, length, static_cast<std::int32_t>(kNext - 8)), rows, length);
        }
        plan.push_back(layer);
    }
    Ints tokens;
    for (int i = 0; i < steps; ++i)
        tokens.push_back((i * 97 + 5) % 640);
    const View logits = s.poison(c.atOnce ? steps : 1, V, DType::F32);
    const View embedding = s.random(V, hidden, 1), norm = s.random(1, hidden, 2),
               head = s.random(V, hidden, 3, 0.06F);
    const View cosines = s.put(Side::noise(2000 * c.d / 2, 4, 1.0F), 2000, c.d / 2, DType::F32);
    const View sines = s.put(Side::noise(2000 * c.d / 2, 5, 1.0F), 2000, c.d / 2, DType::F32);
    Floats all;
    for (int i = 0; i < (c.atOnce ? 1 : steps); ++i) {
        const auto some =
            std::span<const std::int32_t>(tokens).subspan(size_t(i), size_t(c.atOnce ? steps : 1));
        s.backend().decodeStep(
            {some, kNext + i, plan, embedding, norm, head, cosines, sines, c.H, 1e-5F, logits});
        const Floats row = s.read(logits);
        all.insert(all.end(), row.begin(), row.end());
    }
    return all;
}

} // namespace

TEST_F(CudaOps, DecodeOverLayersThatSlide) {
    for (const std::int64_t d : {32, 64, 128})
        for (const auto& [H, G] : {std::pair<std::int64_t, std::int64_t>{8, 2}, {7, 1}})
            for (const std::int64_t window : {5, 300, 1199, 5000}) // 5 also hides of the tail
                for (const int prefix : {0, 1, 2})
                    for (const bool atOnce : {false, true}) {
                        SCOPED_TRACE(std::to_string(d) + ", " + std::to_string(H) +
                                     " heads, window " + std::to_string(window) + ", prefix " +
                                     std::to_string(prefix) + (atOnce ? ", at once" : ""));
                        const Decoding c{d, H, G, window, prefix, false, atOnce};
                        both([&](Side& s) { return decode(s, c); }, 3e-2);
                    }
}

TEST_F(CudaOps, DecodeOfNormedHeads) {
    for (const std::int64_t d : {32, 64, 128})
        for (const bool atOnce : {false, true})
            both([&](Side& s) { return decode(s, {d, 8, 2, 0, 0, true, atOnce}); }, 3e-2);
}
