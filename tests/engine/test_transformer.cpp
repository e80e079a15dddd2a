// SPDX-License-Identifier: Apache-2.0
// A layer gives the same bits however its rows are cut: in chunks, in pieces of attention, as a few
// rows against keys that are there, or without rows that nobody reads.
#include "engine/run/loaded_model.h"
#include "tests/support/engine_fixture.h"
#include "tests/support/tiny_model.h"

#include <numeric>

using namespace fkv;
using namespace fkv::testing;

namespace {

constexpr std::int64_t kTokens = 6000; // its last chunks attend in several pieces

class LayerBits : public ::testing::Test {
protected:
    static run::LoadedModel& model() {
        static Recorder recorder;
        static run::LoadedModel loaded(writeTinyModel({.contextLength = 8192}, "fkv_layer_bits"),
                                       {"cpu", 2}, recorder, {});
        return loaded;
    }
    void SetUp() override {
        FKV_SKIP_UNDER_THREAD_SANITIZER();
        m_positions.resize(kTokens);
        std::iota(m_positions.begin(), m_positions.end(), 0);
        m_whole = m_transformer.makeRows(kTokens);
        m_cache = m_transformer.makeCache(kTokens);
        m_queries = m_transformer.makeLastQueries(kTokens);
        m_transformer.embed(m_ids, m_whole.view, m_scope);
        m_transformer.runLayer({0, m_whole.view, m_positions, m_cache.kv, 0, 0, m_queries.view},
                               m_scope);
    }
    ops::Tensor embedded(std::span<const std::int32_t> positions) {
        std::vector<std::int32_t> ids;
        for (const std::int32_t p : positions)
            ids.push_back(m_ids[static_cast<std::size_t>(p)]);
        ops::Tensor x = m_transformer.makeRows(static_cast<std::int64_t>(ids.size()));
        m_transformer.embed(ids, x.view, m_scope);
        return x;
    }
    std::vector<float> read(const ops::View& rows) {
        std::vector<float> values(static_cast<std::size_t>(rows.elements()));
        m_transformer.backend().readback(values.data(), rows);
        m_transformer.backend().synchronize();
        return values;
    }
    std::vector<float> keys(const ops::KvView& kv) {
        return read({kv.keys, kv.dtype, kv.kvHeads * kv.capacity, kv.headDim, kv.headDim});
    }

    model::Transformer& m_transformer = model().transformer();
    SpanSink m_spans;
    Gate m_gate;
    PassScope m_scope{m_spans, trace::PassKind::Full, m_gate, {}};
    std::vector<std::int32_t> m_ids = randomIds(kTokens, 1);
    std::vector<std::int32_t> m_positions;
    ops::Tensor m_whole, m_queries;
    model::LayerCache m_cache;
};

TEST_F(LayerBits, SomeRowsAgainstKeysThatAreThere) {
    // Few at a time, so that each attends in one piece.
    for (const std::int32_t begin : {0, 500, 3000, 5400, 5700, 5990}) {
        std::vector<std::int32_t> positions;
        for (std::int32_t p = begin; p < kTokens && positions.size() < 30; p += 3)
            positions.push_back(p);
        std::vector<std::int32_t> visible = positions;
        for (std::int32_t& tokens : visible)
            ++tokens;
        const ops::Tensor x = embedded(positions);
        m_transformer.runRows({0, x.view, positions, visible, m_cache.kv}, m_scope);
        for (std::size_t i = 0; i < positions.size(); ++i) {
            const auto row = static_cast<std::int64_t>(i);
            ASSERT_EQ(read(x.view.rowsFrom(row, 1)), read(m_whole.view.rowsFrom(positions[i], 1)))
                << positions[i];
        }
    }
}

TEST_F(LayerBits, RowsThatNobodyReadsAreLeftOut) {
    const std::int64_t live = kTokens - 64;
    const ops::Tensor x = embedded(m_positions);
    const std::vector<float> before = read(x.view.rowsFrom(live - 1, 1));
    const ops::Tensor queries = m_transformer.makeLastQueries(kTokens);
    model::LayerCache cache = m_transformer.makeCache(kTokens);
    m_transformer.runLayer({0, x.view, m_positions, cache.kv, 0, live, queries.view}, m_scope);
    EXPECT_EQ(read(x.view.rowsFrom(live, 64)), read(m_whole.view.rowsFrom(live, 64)));
    EXPECT_EQ(read(x.view.rowsFrom(live - 1, 1)), before) << "left as it was";
    EXPECT_EQ(read(queries.view), read(m_queries.view));
    EXPECT_EQ(keys(cache.kv), keys(m_cache.kv));
}

TEST_F(LayerBits, RowsBehindKeysThatAreThere) {
    const std::int64_t from = 5120;
    const auto positions = std::span<const std::int32_t>(m_positions).subspan(from);
    const ops::Tensor x = embedded(positions);
    const std::vector<float> expected = keys(m_cache.kv);
    m_transformer.runLayer({0, x.view, positions, m_cache.kv, from, 0, m_queries.view}, m_scope);
    EXPECT_EQ(read(x.view), read(m_whole.view.rowsFrom(from, kTokens - from)));
    EXPECT_EQ(keys(m_cache.kv), expected);
    EXPECT_EQ(m_cache.kv.length, kTokens);
}

TEST_F(LayerBits, QueriesWithoutALayer) {
    const auto positions = std::span<const std::int32_t>(m_positions).last(64);
    const ops::Tensor x = embedded(positions);
    const ops::Tensor queries = m_transformer.makeLastQueries(kTokens);
    m_transformer.queries({0, x.view, positions, queries.view}, m_scope);
    EXPECT_EQ(read(queries.view), read(m_queries.view));
}

} // namespace
