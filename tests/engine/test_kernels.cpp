// SPDX-License-Identifier: Apache-2.0
// Kernels below spans: placed on the spans' clock, laid end to end, summed, and read back.
#include "engine/core/error.h"
#include "engine/core/spans.h"
#include "engine/io/trace_file.h"
#include "engine/run/timing.h"
#include "tests/support/synthetic_run.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/trace_image.h"

#include <gtest/gtest.h>
#include <tuple>

using namespace fkv;
using trace::Kernel;
using trace::KernelList;
using trace::Span;
using trace::Zone;

namespace {

/// Begin, end, span and name.
using Placed = std::tuple<std::int64_t, std::int64_t, std::uint32_t, std::string>;

std::vector<Placed> placed(const KernelList& list) {
    std::vector<Placed> all;
    for (const Kernel& k : list.kernels)
        all.emplace_back(k.beginNs, k.endNs, k.span, list.names[k.name]);
    return all;
}

Span span(std::int64_t begin, std::int64_t end, Zone zone = Zone::Mlp) {
    return {begin, end, zone, trace::PassKind::Full, 0, 0, 1};
}

/// Notes what is entered and gives one kernel for each.
class Listed final : public KernelTracer {
public:
    std::uint64_t enter() override {
        open.push_back(++last);
        return last;
    }
    void leave() override { open.pop_back(); }
    std::vector<KernelRecord> take() override { return std::exchange(records, {}); }
    std::int64_t nowNs() override { return now; }
    void launch(const std::string& name) {
        ++now;
        records.push_back({now, now, open.empty() ? 0 : open.back(), name});
    }
    std::vector<KernelRecord> records;
    std::vector<std::uint64_t> open;
    std::uint64_t last = 40;
    std::int64_t now = 0;
};

} // namespace

TEST(PlaceKernels, FindsTheOffsetOfTheClocks) {
    // The tracer's clock is 5000 ahead; kernels begin up to 3 after their span, and end up to 3
    // before.
    const std::vector<Span> spans{span(0, 100), span(100, 200)};
    const std::vector<std::uint64_t> ids{7, 9};
    const KernelList list = placeKernels(
        {{5103, 5150, 9, "b"}, {5150, 5197, 9, "a"}, {5003, 5097, 7, "a"}}, spans, ids);
    EXPECT_EQ(placed(list),
              (std::vector<Placed>{{3, 97, 0, "a"}, {103, 150, 1, "b"}, {150, 197, 1, "a"}}));
    EXPECT_EQ(list.names, (std::vector<std::string>{"a", "b"}));
}

TEST(PlaceKernels, TheMiddleOfWhatFitsIsTaken) {
    const std::vector<Span> spans{span(1000, 1100)};
    const std::vector<std::uint64_t> ids{1};
    // It may lie anywhere in 1000..1100.
    EXPECT_EQ(placed(placeKernels({{0, 20, 1, "k"}}, spans, ids)),
              (std::vector<Placed>{{1040, 1060, 0, "k"}}));
    // One that was launched ahead runs on after its span, but none begins before it.
    EXPECT_EQ(placed(placeKernels({{-10, 0, 1, "k"}, {100, 110, 1, "l"}}, spans, ids)),
              (std::vector<Placed>{{1000, 1010, 0, "k"}, {1110, 1120, 0, "l"}}));
    // An offset that is known is taken as it is.
    EXPECT_EQ(placed(placeKernels({{0, 20, 1, "k"}}, spans, ids, 1234)),
              (std::vector<Placed>{{1234, 1254, 0, "k"}}));
}

TEST(PlaceKernels, WhatBelongsToNoSpanIsLeftOut) {
    const std::vector<Span> spans{span(0, 10)};
    const std::vector<std::uint64_t> ids{3};
    const KernelList list = placeKernels(
        {{1, 2, 0, "elsewhere"}, {3, 4, 99, "earlier"}, {0, 10, 3, "here"}}, spans, ids);
    EXPECT_EQ(placed(list), (std::vector<Placed>{{0, 10, 0, "here"}}));
    EXPECT_TRUE(placeKernels({}, spans, ids).empty());
    EXPECT_TRUE(placeKernels({{1, 2, 3, "k"}}, {}, {}).empty());
    // Never before the run's clock began.
    EXPECT_EQ(placed(placeKernels({{0, 30, 3, "long"}}, spans, ids, -10)).front(),
              (Placed{0, 20, 0, "long"}));
}

TEST(SpanSink, KernelsBelongToTheInnermostSpan) {
    Listed tracer;
    SpanSink sink(nullptr, &tracer, 4);
    {
        const ScopedSpan layer(sink, {Zone::Layer, trace::PassKind::Full, 0, 8});
        tracer.launch("outside of zones");
        {
            const ScopedSpan zone(sink, {Zone::Qkv, trace::PassKind::Full, 0, 8});
            tracer.launch("product");
        }
        const ScopedSpan zone(sink, {Zone::Rope, trace::PassKind::Full, 0, 8});
        tracer.launch("rotation");
    }
    tracer.launch("of nobody");
    EXPECT_TRUE(tracer.open.empty());
    const std::vector<Span> spans = sink.take();
    ASSERT_EQ(spans.size(), 3U);
    const KernelList list = sink.takeKernels();
    ASSERT_EQ(list.kernels.size(), 3U);
    EXPECT_EQ(spans[list.kernels[0].span].zone, Zone::Layer);
    EXPECT_EQ(spans[list.kernels[1].span].zone, Zone::Qkv);
    EXPECT_EQ(spans[list.kernels[2].span].zone, Zone::Rope);
    EXPECT_EQ(list.names[list.kernels[2].name], "rotation");
    // On the host's clock, which the tracer can tell.
    EXPECT_EQ(list.kernels[1].beginNs - list.kernels[0].beginNs, 1);
    EXPECT_TRUE(sink.takeKernels().empty());
}

TEST(Kernels, StretchesLieEndToEndOnTheRunsClock) {
    run::HeldState held;
    held.full.stretch = {{span(0, 10), span(10, 20)}, 1000, {}, {{"a", "b"}, {{10, 20, 1, 1}}, {}}};
    held.rerun.stretch = {{span(0, 5)}, 500, {}, {{"b", "c"}, {{1, 2, 0, 0}, {2, 3, 0, 1}}, {}}};
    const trace::Budgets budgets;
    const trace::Timing timing =
        run::composeTiming(held, {budgets, true, false, false, false}, 0.0);
    ASSERT_EQ(timing.spans.size(), 3U);
    EXPECT_EQ(placed(timing.kernels),
              (std::vector<Placed>{{10, 20, 1, "b"}, {1001, 1002, 2, "b"}, {1002, 1003, 2, "c"}}));
    const auto sums = totals(timing.kernels);
    ASSERT_EQ(sums.size(), 3U);
    EXPECT_EQ(timing.kernels.names[sums[0].name], "b");
    EXPECT_EQ(sums[0].count, 2);
    EXPECT_EQ(sums[0].ns, 11);
    EXPECT_EQ(timing.kernels.names[sums[2].name], "a");
    EXPECT_EQ(sums[2].count, 0);
}

TEST(KernelName, KeepsWhatTellsKernelsApart) {
    // _ZN: void fkv::cuda::(anonymous namespace)::attentionKernel<128, true>(fkv::Params const*)
    EXPECT_EQ(kernelName("_ZN3fkv4cuda12_GLOBAL__N_115attentionKernelILi128ELb1EEEvPKNS_6ParamsE"),
              "fkv::cuda::attentionKernel");
    // void cub::detail::scan<float, cub::Policy<3> >(float*)
    EXPECT_EQ(kernelName("_ZN3cub6detail4scanIfNS_6PolicyILi3EEEEEvPf"), "cub::detail::scan");
    EXPECT_EQ(kernelName("nvjet_tst_128x256_64x4_2x1_v_bz_coopA_NNT"),
              "nvjet_tst_128x256_64x4_2x1_v_bz_coopA_NNT");
    EXPECT_EQ(kernelName("copy"), "copy");
    EXPECT_EQ(kernelName(""), "");
}

TEST(Kernels, DamagedOnesAreRefused) {
    const fkv::testing::TemporaryFolder folder;
    trace::Run run = *fkv::testing::makeRun({.tokens = 60});
    const auto spans = static_cast<std::uint32_t>(run.timing.spans.size());
    run.timing.kernels = {{"k"}, {{5, 9, 1, 0}}, {}};
    io::saveTrace(run, folder / "a");
    using fkv::testing::TraceImage;
    const auto opens = [&](auto change) {
        TraceImage image = TraceImage::open(folder / "a");
        change(image);
        try {
            return io::openTrace(io::MappedFile::own(image.pack(), "changed"))
                ->timing.kernels.kernels.size();
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::BadFile);
            return std::size_t{99};
        }
    };
    using Json = nlohmann::json;
    EXPECT_EQ(opens([](TraceImage&) {}), 1U);
    EXPECT_EQ(opens([](TraceImage& i) { i.tensors.erase("kernels.span"); }), 99U);
    EXPECT_EQ(opens([&](TraceImage& i) { i.value<std::uint32_t>("kernels.span", 0) = spans; }),
              99U);
    EXPECT_EQ(opens([](TraceImage& i) { i.value<std::uint32_t>("kernels.name", 0) = 1; }), 99U);
    EXPECT_EQ(opens([](TraceImage& i) { i.value<std::int64_t>("kernels.end_ns", 0) = 4; }), 99U);
    EXPECT_EQ(opens([](TraceImage& i) { i.edit("kernels", [](Json& j) { j["names"] = 3; }); }),
              99U);
    EXPECT_EQ(opens([](TraceImage& i) { i.edit("kernels", [](Json& j) { j["names"][0] = 3; }); }),
              99U);
    EXPECT_EQ(opens([](TraceImage& i) { i.edit("kernels", [](Json& j) { j.erase("absent"); }); }),
              99U);
    EXPECT_EQ(opens([](TraceImage& i) { i.metadata.erase("kernels"); }), 0U) << "as older traces";
}
