// SPDX-License-Identifier: Apache-2.0
// Foreign, damaged, truncated and newer trace files: one clear line each, and never a crash.
#include "engine/core/error.h"
#include "engine/io/trace_file.h"
#include "tests/support/synthetic_run.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/trace_image.h"
#include "tests/support/walk_run.h"

#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <random>

using namespace fkv;
using fkv::testing::TemporaryFolder;
using fkv::testing::TraceImage;
using nlohmann::json;

namespace {

/// A small run with everything in it, as a file.
const TraceImage& whole() {
    static const TraceImage image = [] {
        const TemporaryFolder folder;
        fkv::testing::SyntheticSpec spec{.tokens = 90, .layers = 3, .queryHeads = 4, .kvHeads = 2};
        spec.settings.tspLayer = 1;
        trace::Run run = *fkv::testing::makeRun(spec);
        run.counters.checkpointLayers = {0, 2};
        io::saveTrace(run, folder / "a");
        return TraceImage::open(folder / "a");
    }();
    return image;
}

trace::RunPtr opened(std::vector<std::byte> bytes) {
    return io::openTrace(io::MappedFile::own(std::move(bytes), "x.safetensors"));
}

/// The one line that refuses the file, without its name; empty when it opens.
std::string refusal(std::vector<std::byte> bytes) {
    try {
        opened(std::move(bytes));
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::BadFile) << e.what();
        const std::string what = e.what();
        EXPECT_EQ(what.find('\n'), std::string::npos) << what;
        EXPECT_TRUE(what.starts_with("x.safetensors: ")) << what;
        return what.substr(15);
    }
    return {};
}

struct Damage {
    const char* says; ///< part of the line
    std::function<void(TraceImage&)> change;
};

void expectRefused(const std::vector<Damage>& damages) {
    for (const Damage& damage : damages) {
        TraceImage image = whole();
        damage.change(image);
        const std::string line = refusal(image.pack());
        EXPECT_NE(line.find(damage.says), std::string::npos)
            << "expected: " << damage.says << "\n     got: " << line;
    }
}

/// Sets one value of a tensor.
template <class T>
std::function<void(TraceImage&)> set(const std::string& tensor, std::size_t index, T value) {
    return [=](TraceImage& image) { image.value<T>(tensor, index) = value; };
}

/// Sets one value of a metadata record.
std::function<void(TraceImage&)> put(const std::string& record, const std::string& key,
                                     const json& value) {
    return [=](TraceImage& image) { image.edit(record, [&](json& j) { j[key] = value; }); };
}

std::function<void(TraceImage&)> drop(const std::string& tensor) {
    return [=](TraceImage& image) { ASSERT_EQ(image.tensors.erase(tensor), 1U) << tensor; };
}

} // namespace

TEST(TraceDamage, TheWholeFileOpens) {
    EXPECT_EQ(refusal(whole().pack()), "");
    EXPECT_GT(fkv::testing::walkRun(*opened(whole().pack())), 0.0);
}

TEST(TraceDamage, ForeignFilesAreNamed) {
    const TemporaryFolder folder;
    const auto line = [&](const std::string& bytes) {
        const auto* data = reinterpret_cast<const std::byte*>(bytes.data());
        return refusal({data, data + bytes.size()});
    };
    EXPECT_EQ(line(""), "too short for a safetensors file");
    EXPECT_NE(line("\x89PNG\r\n\x1A\nIHDR").find("not a safetensors file"), std::string::npos);
    EXPECT_NE(line("GGUF" + std::string(200, 'x')).find("not a safetensors file"),
              std::string::npos);
    // A model's weights, and the reference answers: safetensors both, traces neither.
    for (const std::string file : {FKV_TEST_DATA "/golden/dev-a.safetensors",
                                   FKV_RESOURCES "/models/demo/model-00001-of-00002.safetensors"}) {
        EXPECT_FALSE(io::isTrace(file));
        EXPECT_THROW(io::openTrace(file), Error);
    }
    EXPECT_FALSE(io::isTrace(folder.path()));
    EXPECT_FALSE(io::isTrace(folder / "absent"));
    try {
        io::openTrace(folder / "absent");
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::NotFound);
    }
}

TEST(TraceDamage, OtherSchemas) {
    const auto schema = [](const std::string& value) {
        return [=](TraceImage& image) { image.metadata["schema"] = value; };
    };
    expectRefused({
        {"not a FastKV trace", [](TraceImage& image) { image.metadata.erase("schema"); }},
        {"not a FastKV trace", [](TraceImage& image) { image.metadata.clear(); }},
        {"the trace has schema 3, this program reads up to 2", schema("3")},
        {"the trace has schema 99999999999999999999", schema("99999999999999999999")},
        {"the schema is not a number", schema("0")},
        {"the schema is not a number", schema("-1")},
        {"the schema is not a number", schema("")},
        {"the schema is not a number", schema("1.5")},
        {"the schema is not a number", schema("1\n2")},
    });
    // A newer one says what to do.
    TraceImage image = whole();
    image.metadata["schema"] = "3";
    image.metadata.erase("model");
    try {
        opened(image.pack());
        FAIL();
    } catch (const Error& e) {
        EXPECT_FALSE(e.hint().empty());
    }
}

TEST(TraceDamage, Records) {
    expectRefused({
        {"metadata model is missing", [](TraceImage& i) { i.metadata.erase("model"); }},
        {"the rung is not known", [](TraceImage& i) { i.metadata["rung"] = "deployed?"; }},
        {"metadata settings is missing",
         [](TraceImage& i) {
             i.metadata["rung"] = "fastkv_alone";
             i.metadata.erase("settings");
         }},
        {"model: invalid JSON", [](TraceImage& i) { i.metadata["model"] = "{"; }},
        {"model: not a JSON object", [](TraceImage& i) { i.metadata["model"] = "[]"; }},
        {"model: JSON nested deeper",
         [](TraceImage& i) { i.metadata["model"] = std::string(5000, '['); }},
        {"layers is missing",
         [](TraceImage& i) { i.edit("model", [](json& j) { j.erase("layers"); }); }},
        {"layers is not a whole number from 1", put("model", "layers", 0)},
        {"layers is not a whole number", put("model", "layers", -3)},
        {"layers is not a whole number", put("model", "layers", 3.0)},
        {"layers is not a whole number", put("model", "layers", 1e300)},
        {"layers is not a whole number", put("model", "layers", 18446744073709551615ULL)},
        {"query_heads is no multiple", put("model", "query_heads", 5)},
        {"fingerprint is not hexadecimal", put("model", "fingerprint", "xyz")},
        {"name is not a text", put("model", "name", 3)},
        {"threads is not a whole number", put("machine", "threads", -1)},
        {"pooling has an unknown value", put("scoring", "pooling", "median")},
        {"window is not a whole number", put("scoring", "window", 0)},
        {"contradict", put("scoring", "kernel", 9)},
        {"kernel is even", put("settings", "kernel", 4)},
        {"tsp_rate is not above 0", put("settings", "tsp_rate", 0)},
        {"tsp_rate is not a number", put("settings", "tsp_rate", "a fifth")},
        {"tsp_rate is not above 0", put("settings", "tsp_rate", "nan")},
        {"kv_tokens is not a whole number", put("settings", "kv_tokens", -4)},
        {"tsp_layer is not a whole number from 0 to 2", put("settings", "tsp_layer", 3)},
        {"method has an unknown value", put("settings", "method", "snapkv")},
        {"generate is not a whole number", put("settings", "generate", -1)},
        {"temperature is out of range", put("settings", "temperature", -0.5)},
        {"temperature is out of range", put("settings", "temperature", "nan")},
        {"top_k is not a whole number", put("settings", "top_k", -1)},
        {"top_p is not above 0", put("settings", "top_p", 0)},
        {"seed is not a whole number from 0 to 4294967295", put("settings", "seed", 4294967296ULL)},
        {"seed is missing",
         [](TraceImage& i) { i.edit("settings", [](json& j) { j.erase("seed"); }); }},
        {"end has an unknown value", put("full.answer", "end", "tired")},
        {"tokens is not a whole number from 90 to 90", put("achieved", "tokens", 91)},
        {"tsp_on is not true or false", put("achieved", "tsp_on", 1)},
        {"tsp_tokens", put("achieved", "tsp_tokens", 90)},
        {"layers lists 0 of 3", put("achieved", "layers", json::array())},
        {"layers is not a list of at most 3", put("achieved", "layers", json::array({1, 2, 3, 4}))},
        {"kept is not a whole number",
         [](TraceImage& i) { i.edit("achieved", [](json& j) { j["layers"][0]["kept"] = 91; }); }},
        {"entering is not a whole number",
         [](TraceImage& i) {
             i.edit("achieved", [](json& j) { j["layers"][2]["entering"] = 90; });
         }},
        {"fastkv_state has an unknown value", put("timing", "fastkv_state", "guessed")},
        {"rerun_ms is not a number", put("timing", "rerun_ms", "soon")},
        {"standalone_full_ms is not a list", put("timing", "standalone_full_ms", 3)},
        {"timing peaks: a rate is not above 0",
         put("timing", "peaks", {{"flop_per_s", 1e12}, {"bytes_per_s", 0.0}})},
        {"timing peaks: a rate is not above 0",
         put("timing", "peaks", {{"flop_per_s", "nan"}, {"bytes_per_s", 1e12}})},
        {"step_weight_bytes is not a whole number", put("model", "step_weight_bytes", 1LL << 50)},
        {"tokens lists 2 of 6",
         put("full.answer", "tokens", {{{"text", ""}, {"ms", 1}}, {{"text", ""}, {"ms", 1}}})},
        {"text holds something that is not a byte",
         [](TraceImage& i) {
             i.edit("full.answer", [](json& j) { j["tokens"][0]["text"] = {256}; });
         }},
        {"same_top1 has another number", put("fidelity", "same_top1", {1})},
        {"kl is not a list", put("fidelity", "kl", 0.5)},
        {"full_top has another number",
         [](TraceImage& i) { i.edit("fidelity", [](json& j) { j["full_top"].erase(0); }); }},
        {"id is not a whole number from -1 to 511",
         [](TraceImage& i) {
             i.edit("fidelity", [](json& j) { j["full_top"][0]["best"][0]["id"] = 512; });
         }},
        {"token is not a whole number from 0 to 89",
         [](TraceImage& i) { i.edit("pieces", [](json& j) { j["list"][0]["token"] = 90; }); }},
    });
}

TEST(TraceDamage, Tensors) {
    const auto reshape = [](const std::string& tensor, std::vector<std::int64_t> shape) {
        return [=](TraceImage& image) { image.tensors.at(tensor).shape = shape; };
    };
    expectRefused({
        {"no tensor \"input_ids\"", drop("input_ids")},
        {"no tensor \"full.ranks.1\"", drop("full.ranks.1")},
        {"no tensor \"full.tsp_ranks\"", drop("full.tsp_ranks")},
        {"no tensor \"full.window_sums.0.scale\"", drop("full.window_sums.0.scale")},
        {"no tensor \"fastkv.kept.1\"", drop("fastkv.kept.1")},
        {"no tensor \"fastkv.ranks.2\"", drop("fastkv.ranks.2")},
        {"no tensor \"tables.all.recall\"", drop("tables.all.recall")},
        {"no tensor \"spans.zone\"", drop("spans.zone")},
        {"no tensor \"counters.held_bytes\"", drop("counters.held_bytes")},
        {"no tensor \"full.greedy\"", drop("full.greedy")},
        {"is I32, expected U32", [](TraceImage& i) { i.tensors.at("full.ranks.0").dtype = "I32"; }},
        {"has the shape [82, 2], expected [2, 82]", reshape("full.ranks.0", {82, 2})},
        {"has the shape [512, 1], expected [512]", reshape("full.logits", {512, 1})},
        {"has the shape [246, 1, 2], expected [3, 2, 82]", reshape("full.saliency", {246, 1, 2})},
        {"the trace has no tokens",
         [](TraceImage& i) {
             i.tensors.at("input_ids") = {"I32", {0}, {}};
         }},
        {"token id 512 is outside the vocabulary of 512", set<std::int32_t>("input_ids", 7, 512)},
        {"token id -1 is outside", set<std::int32_t>("input_ids", 7, -1)},
        {"full.greedy has an id outside", set<std::int32_t>("full.greedy", 1, 1 << 20)},
        {"token offsets are not ascending", set<std::uint32_t>("tokens.offsets", 20, 0)},
        {"token offsets are not ascending", set<std::uint32_t>("tokens.offsets", 21, 1)},
        {"token offsets reach past", set<std::uint32_t>("tokens.offsets", 179, 1U << 30)},
        {"full.ranks.2 has a row that is not a ranking", set<std::uint32_t>("full.ranks.2", 5, 82)},
        {"full.ranks.1 has a row that is not a ranking",
         [](TraceImage& i) {
             i.value<std::uint32_t>("full.ranks.1", 100) =
                 i.value<std::uint32_t>("full.ranks.1", 101);
         }},
        {"full.tsp_ranks has a row", set<std::uint32_t>("full.tsp_ranks", 0, 0xFFFFFFFFU)},
        {"fastkv.ranks.2 has a row", set<std::uint32_t>("fastkv.ranks.2", 3, 10)},
        {"fastkv.tsp_indices is not ascending", set<std::int32_t>("fastkv.tsp_indices", 5, 0)},
        {"fastkv.tsp_indices is not ascending", set<std::int32_t>("fastkv.tsp_indices", 17, 90)},
        {"fastkv.tsp_indices is not ascending", set<std::int32_t>("fastkv.tsp_indices", 0, -1)},
        {"fastkv.kept.0 contradicts the ranks", set<std::int32_t>("fastkv.kept.0", 3, 89)},
        {"fastkv.kept.0 contradicts the ranks", set<std::int32_t>("fastkv.kept.0", 8, 90)},
        {"fastkv.kept.0 contradicts the ranks", set<std::int32_t>("fastkv.kept.0", 0, -5)},
        {"fastkv.kept.2 contradicts the ranks", set<std::int32_t>("fastkv.kept.2", 0, 1 << 30)},
        {"tables.all.k is not ascending", set<std::int64_t>("tables.all.k", 0, 0)},
        {"tables.all.k is not ascending", set<std::int64_t>("tables.all.k", 5, 1)},
        {"a span has an unknown zone",
         set<std::uint8_t>("spans.zone", 4, static_cast<std::uint8_t>(trace::Zone::Count))},
        {"a span has an unknown zone", set<std::uint8_t>("spans.pass", 4, 255)},
        {"a span has an unknown zone",
         [](TraceImage& i) { i.edit("span_names", [](json& j) { j["zones"][4] = "teleport"; }); }},
        {"zones is not a list", put("span_names", "zones", 1)},
        {"a span is out of range", set<std::int16_t>("spans.layer", 0, 3)},
        {"a span is out of range", set<std::int16_t>("spans.layer", 0, -2)},
        {"a span is out of range", set<std::int64_t>("spans.end_ns", 3, -1)},
        {"a span is out of range", set<std::int32_t>("spans.tokens", 3, -1)},
        {"counters.peak_bytes is negative", set<std::int64_t>("counters.peak_bytes", 0, -1)},
        {"counters.checkpoint_layers", set<std::int32_t>("counters.checkpoint_layers", 1, 3)},
    });
}

TEST(TraceDamage, TextThatIsNotUtf8) {
    std::vector<std::byte> bytes = whole().pack();
    const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const auto at = text.find(" grey");
    ASSERT_NE(at, std::string::npos);
    bytes[at + 1] = std::byte{0xFF};
    EXPECT_NE(refusal(bytes).find("invalid JSON"), std::string::npos);
}

TEST(TraceDamage, ZonesOfAnotherOrderAreUnderstood) {
    TraceImage image = whole();
    image.edit("span_names", [](json& j) {
        std::swap(j["zones"][0], j["zones"][1]);
        j["zones"].push_back("of a later version");
    });
    const auto before = opened(whole().pack())->timing.spans;
    const auto after = opened(image.pack())->timing.spans;
    ASSERT_EQ(before.size(), after.size());
    EXPECT_EQ(before.front().zone, trace::Zone::Norm);
    EXPECT_EQ(after.front().zone, trace::Zone::Embed);
}

TEST(TraceDamage, EveryTruncationIsRefused) {
    const std::vector<std::byte> bytes = whole().pack();
    for (std::size_t n = 0; n < bytes.size(); n += n < 16 || n > bytes.size() - 16 ? 1 : 97)
        EXPECT_NE(refusal({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n)}), "")
            << n;
}

/// Whatever happens to the bytes: a refusal, or a run that every view can walk.
TEST(TraceDamage, RandomDamageIsRefusedOrHarmless) {
    const std::vector<std::byte> bytes = whole().pack();
    std::mt19937 random(20260101);
    std::size_t refused = 0;
    const std::size_t trials = 3000;
    for (std::size_t trial = 0; trial < trials; ++trial) {
        std::vector<std::byte> damaged = bytes;
        // Half of it in the header, which is a tenth of the file.
        const std::size_t range = trial % 2 == 0 ? bytes.size() / 8 : bytes.size();
        for (std::size_t n = 1 + random() % 3; n-- > 0;) {
            const std::size_t at = random() % range;
            switch (random() % 3) {
            case 0:
                damaged[at] ^= static_cast<std::byte>(1U << random() % 8);
                break;
            case 1:
                damaged[at] = static_cast<std::byte>(random());
                break;
            case 2:
                damaged[at] = static_cast<std::byte>('0' + random() % 10);
                break;
            }
        }
        try {
            const trace::RunPtr run = opened(std::move(damaged));
            fkv::testing::walkRun(*run);
        } catch (const Error& e) {
            ASSERT_EQ(e.code(), ErrorCode::BadFile) << trial << ": " << e.what();
            ++refused;
        }
    }
    EXPECT_GT(refused, trials / 4);
    EXPECT_LT(refused, trials);
}
