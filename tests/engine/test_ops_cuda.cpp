// SPDX-License-Identifier: Apache-2.0

// Every op of the CUDA backend against the CPU backend, which computes in fp32 on the same bf16
// values. Outputs are poisoned with NaN, inputs are random, extents are multiples of nothing.

#include "tests/support/cuda_side.h"

#include <algorithm>

using namespace fkv;
using namespace fkv::testing;

TEST_F(CudaOps, RowwiseOps) {
    for (const std::int64_t rows : {0, 1, 37, 700}) {
        both(
            [&](Side& s) {
                const View out = s.poison(rows, 4104);
                s.backend().rmsNorm({s.random(rows, 4104, 1), s.random(1, 4104, 2), 1e-5F, out});
                return s.read(out);
            },
            kRounding);
        both(
            [&](Side& s) {
                const View out = s.poison(rows, 344);
                s.backend().swiglu({s.random(rows, 688, 3, 4.0F), out});
                return s.read(out);
            },
            kRounding);
    }
    const std::vector<std::int32_t> index{34, 0, 7, 7, 99};
    both(
        [&](Side& s) {
            const View out = s.poison(5, 72);
            s.backend().gatherRows({s.random(100, 72, 4), index, out});
            return s.read(out);
        },
        0.0);
    both(
        [&](Side& s) {
            const View out = s.poison(5, 72);
            s.backend().embed({index, s.random(100, 72, 4), out});
            return s.read(out);
        },
        0.0);
}

TEST_F(CudaOps, Linear) {
    for (const std::int64_t rows : {1, 17, 513})
        for (const bool accumulate : {false, true})
            for (const bool biased : {false, true})
                both(
                    [&](Side& s) {
                        const View out = accumulate ? s.random(rows, 328, 4) : s.poison(rows, 328);
                        s.backend().linear({s.random(rows, 136, 1), s.random(328, 136, 2),
                                            biased ? s.random(1, 328, 3) : View{}, out,
                                            accumulate});
                        return s.read(out);
                    },
                    kRounding);
    both(
        [&](Side& s) {
            const View logits = s.poison(3, 520, DType::F32);
            s.backend().head(
                {s.random(3, 136, 1), s.random(1, 136, 2), 1e-5F, s.random(520, 136, 3), logits});
            return s.read(logits);
        },
        kRounding);
}

TEST_F(CudaOps, RopeAppends) {
    for (const std::int64_t d : {32, 64, 128}) {
        std::vector<std::int32_t> positions;
        for (int i = 0; i < 75; ++i)
            positions.push_back(3 * i + 2);
        const std::int64_t H = 6, G = 2, cols = (H + 2 * G) * d;
        for (const int what : {0, 1, 2})
            both(
                [&](Side& s) {
                    const View qkv = s.random(75, cols, 1);
                    const KvView cache = s.cache(G, 90, d, 5, 4);
                    s.backend().ropeAppend(
                        {qkv, positions,
                         s.put(Side::noise(300 * d / 2, 2, 1.0F), 300, d / 2, DType::F32),
                         s.put(Side::noise(300 * d / 2, 3, 1.0F), 300, d / 2, DType::F32), H, cache,
                         5});
                    if (what == 0) return s.read(qkv);
                    return s.read(s.matrix(what == 1 ? cache.keys : cache.values, cache));
                },
                kRounding);
    }
}

TEST_F(CudaOps, Attention) {
    for (const std::int64_t d : {32, 64, 128})
        for (const std::int64_t rows : {1, 77, 400}) {
            const std::int64_t H = 8, G = 2;
            const auto run = [&](int form) {
                both(
                    [&](Side& s) {
                        AttentionParams p{};
                        p.queries = s.random(rows, (H + 2 * G) * d, 1);
                        p.queries.cols = H * d;
                        p.out = s.poison(rows, H * d);
                        p.queryHeads = H;
                        p.scale = 1.0F / std::sqrt(float(d));
                        p.ranges[0].kv = s.cache(G, 650, d, 601, 2);
                        p.ranges[1].kv = s.cache(G, rows + 70, d, rows + 1, 5);
                        p.ranges[1].causalOffset = 1;
                        p.rangeCount = form == 0 ? 1 : 2;
                        if (form == 0) p.ranges[0].causalOffset = 601 - rows;
                        std::vector<std::int32_t> visible;
                        for (int r = 0; r < rows; ++r)
                            visible.push_back(r * 601 / static_cast<int>(rows));
                        if (form == 2) p.ranges[0].visibleRows = visible;
                        s.backend().attention(p);
                        return s.read(p.out);
                    },
                    kRounding);
            };
            for (const int form : {0, 1, 2})
                run(form);
        }
}

TEST_F(CudaOps, Selection) {
    for (const std::int64_t d : {32, 64, 128})
        for (const int window : {1, 8, 32})
            for (const std::int64_t length : {40, 129, 3001}) {
                const std::int64_t H = 8, G = 2, m = length - window;
                Side g(*gpu), c(*cpu);
                const auto sums = [&](Side& s) {
                    const View out = s.poison(H, m, DType::F32);
                    s.backend().windowSums({s.random(window, H * d, 1),
                                            s.cache(G, length + 5, d, length, 2), H,
                                            1.0F / std::sqrt(float(d)), out});
                    return out;
                };
                const View onGpu = sums(g);
                near(g.read(onGpu), c.read(sums(c)), kScores);
                // From the same window sums the rest is the same bits.
                const View onCpu = c.put(g.read(onGpu), H, m, DType::F32);
                for (const bool average : {false, true}) {
                    const auto select = [&](Side& s, const View& from, Floats& saliency) {
                        const View a = s.poison(G, m, DType::F32),
                                   total = s.poison(1, m, DType::F32);
                        const View ranks =
                            s.ids(std::vector<std::uint32_t>(size_t(G * m), 7), G, m);
                        s.backend().saliency({from, G, 7, average, a, total});
                        s.backend().ranks({a, ranks});
                        saliency = s.read(a);
                        const Floats t = s.read(total);
                        saliency.insert(saliency.end(), t.begin(), t.end());
                        return s.readIds(ranks);
                    };
                    Floats a, b;
                    EXPECT_EQ(select(g, onGpu, a), select(c, onCpu, b));
                    EXPECT_EQ(a, b);
                }
            }
    // Ties, signs and NaN.
    Side g(*gpu), c(*cpu);
    Floats scores{1, 0, -0.0F, 1, NAN, -3, INFINITY, -INFINITY, NAN, 1, 0, 5};
    const auto ranksOf = [&](Side& s) {
        const View ranks = s.ids(std::vector<std::uint32_t>(12, 77), 2, 6);
        s.backend().ranks({s.put(scores, 2, 6, DType::F32), ranks});
        return s.readIds(ranks);
    };
    EXPECT_EQ(ranksOf(g), ranksOf(c));
}

TEST_F(CudaOps, GatherKv) {
    const std::int64_t G = 3, d = 64, m = 500, keep = 77;
    std::vector<std::uint32_t> ranks;
    std::mt19937 engine(5);
    for (int g = 0; g < G; ++g) {
        std::vector<std::uint32_t> row(m);
        for (std::uint32_t i = 0; i < m; ++i)
            row[i] = i;
        std::shuffle(row.begin(), row.end(), engine);
        ranks.insert(ranks.end(), row.begin(), row.end());
    }
    for (const bool keys : {true, false})
        both(
            [&](Side& s) {
                KvView out = s.cache(G, keep + 3, d, 0, 9);
                s.backend().gatherKv({s.cache(G, 512, d, 508, 2), s.ids(ranks, G, m), keep, out});
                return s.read(s.matrix(keys ? out.keys : out.values, out));
            },
            0.0);
}

namespace {

/// Decodes `steps` tokens one by one, or all at once, and returns the logits of all.
Floats decode(Side& s, std::int64_t d, std::int64_t H, std::int64_t G, int steps, bool atOnce) {
    const std::int64_t hidden = 256, F = 512, V = 640, layers = 3;
    std::vector<DecodeLayer> plan;
    for (unsigned l = 0; l < layers; ++l) {
        DecodeLayer layer{};
        const unsigned seed = 100 * (l + 1);
        const float scale = 0.06F;
        layer.weights.inputNorm = s.random(1, hidden, seed);
        layer.weights.qkv = s.random((H + 2 * G) * d, hidden, seed + 1, scale);
        layer.weights.out = s.random(hidden, H * d, seed + 2, scale);
        layer.weights.postNorm = s.random(1, hidden, seed + 3);
        layer.weights.gateUp = s.random(2 * F, hidden, seed + 4, scale);
        layer.weights.down = s.random(hidden, F, seed + 5, scale);
        layer.prefix = s.cache(G, 1000, d, l == 1 ? 0 : 913, seed + 6);
        layer.tail = s.cache(G, 80, d, 8, seed + 8);
        plan.push_back(layer);
    }
    std::vector<std::int32_t> tokens;
    for (int i = 0; i < steps; ++i)
        tokens.push_back((i * 97 + 5) % 640);
    const View logits = s.poison(atOnce ? steps : 1, V, DType::F32);
    const View embedding = s.random(V, hidden, 1), norm = s.random(1, hidden, 2),
               head = s.random(V, hidden, 3, 0.06F);
    const View cosines = s.put(Side::noise(2000 * d / 2, 4, 1.0F), 2000, d / 2, DType::F32);
    const View sines = s.put(Side::noise(2000 * d / 2, 5, 1.0F), 2000, d / 2, DType::F32);
    Floats all;
    for (int i = 0; i < (atOnce ? 1 : steps); ++i) {
        const auto some =
            std::span<const std::int32_t>(tokens).subspan(size_t(i), size_t(atOnce ? steps : 1));
        s.backend().decodeStep(
            {some, 1200 + i, plan, embedding, norm, head, cosines, sines, H, 1e-5F, logits});
        const Floats row = s.read(logits);
        all.insert(all.end(), row.begin(), row.end());
    }
    EXPECT_EQ(plan[0].tail.length, 8 + steps);
    return all;
}

} // namespace

TEST_F(CudaOps, DecodeStepByStepAndTeacherForced) {
    for (const std::int64_t d : {32, 64, 128})
        for (const auto& [H, G] : {std::pair<std::int64_t, std::int64_t>{8, 2}, {4, 4}, {6, 1}})
            for (const bool atOnce : {false, true})
                both([&, H = H, G = G](Side& s) { return decode(s, d, H, G, 9, atOnce); }, 3e-2);
    Side one(*gpu), two(*gpu);
    EXPECT_EQ(decode(one, 128, 8, 2, 9, false), decode(two, 128, 8, 2, 9, false))
        << "two runs, the same bits";
}
