// SPDX-License-Identifier: Apache-2.0
// The command line from outside: exit codes, one-line errors, the report, interruption.
#include "engine/io/json_limits.h"
#include "engine/io/trace_file.h"
#include "tests/cli/demo_words.h"
#include "tests/support/temporary_folder.h"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace fkv::testing;
using nlohmann::json;

TEST(Cli, HelpAndVersionAreForStandardOutput) {
    for (const Words& words : {Words{"--help"}, Words{"profile", "--help"}, Words{"info", "--help"},
                               Words{"--version"}}) {
        const Ended ended = run(words);
        EXPECT_EQ(ended.code, 0);
        EXPECT_FALSE(ended.out.empty());
        EXPECT_EQ(ended.error, "");
    }
}

TEST(Cli, WrongUsageIsTwo) {
    expectError({}, 2, "subcommand");
    expectError({"profile"}, 2, "--model is required");
    expectError({"profile", "--model", "x"}, 2, "--prompt");
    expectError({"profile", "--model", "x", "--prompt", "a", "--prompt-file", "b"}, 2, "Exactly 1");
    expectError(profile({"--prompt", "a", "--tsp-rate", "much"}), 2, "--tsp-rate");
    expectError(profile({"--prompt", "a", "--tsp-rate", "0.1", "--tsp-tokens", "9"}), 2,
                "excludes");
    expectError(profile({"--prompt", "a", "--kv-rate", "0.1", "--kv-tokens", "9"}), 2, "excludes");
    expectError(profile({"--prompt", "a", "--pooling", "median"}), 2, "median");
    expectError(profile({"--prompt", "a", "--method", "magic"}), 2, "magic");
    expectError(profile({"--prompt", "a", "--generate", "-1"}), 2, "--generate");
    expectError(profile({"--prompt", "a", "--seed", "-1"}), 2, "--seed");
    expectError(profile({"--prompt", "a", "--seed", "4294967296"}), 2, "4294967295");
    expectError(profile({"--prompt", "a", "--frobnicate"}), 2, "--frobnicate");
    expectError({"info"}, 2, "path is required");
}

TEST(Cli, SettingsOutOfRangeAreRefused) {
    const auto refused = [](const Words& words, const std::string& says) {
        expectError(profile(Words{"--prompt", "a"} + words), 1, says);
    };
    refused({"--kernel", "4"}, "kernel 4 is out of range, valid: odd");
    refused({"--kernel", "0"}, "kernel 0 is out of range");
    refused({"--kernel", "-3"}, "kernel -3 is out of range");
    refused({"--window", "0"}, "window 0 is out of range");
    refused({"--window", "65"}, "window 65 is out of range");
    refused({"--tsp-layer", "16"}, "TSP layer 16 is out of range, valid: 0 to 15");
    refused({"--tsp-layer", "-1"}, "TSP layer -1 is out of range");
    for (const std::string name : {"tsp", "kv"}) {
        const std::string shown = name == "tsp" ? "TSP" : "KV";
        for (const std::string rate : {"0", "-0.1", "1.01", "nan", "inf"})
            refused({"--" + name + "-rate", rate}, shown + " rate");
        for (const std::string tokens : {"0", "-8"})
            refused({"--" + name + "-tokens", tokens}, shown + " " + tokens + " tokens");
    }
    for (const std::string temperature : {"-0.5", "101", "nan"})
        refused({"--temperature", temperature}, "valid: 0 (greedy) to 100");
    refused({"--top-k", "-2"}, "top-k -2 is out of range, valid: 1 or more, 0 for off");
    for (const std::string topP : {"0", "1.5", "nan"})
        refused({"--top-p", topP}, "valid: above 0, at most 1 (off)");
    refused({"--device", "abacus"}, "no device \"abacus\"");
}

TEST(Cli, PromptsThatCannotBeRunAreRefused) {
    const TemporaryFolder folder;
    const auto file = [&](const std::string& text) {
        std::ofstream(folder / "p", std::ios::binary) << text;
        return (folder / "p").string();
    };
    expectError(profile({"--prompt", ""}), 1, "the prompt is empty");
    expectError(profile({"--prompt-file", file("")}), 1, "the prompt is empty");
    expectError(profile({"--prompt-file", (folder / "no").string()}), 1, "No such file");
    expectError(profile({"--prompt-file", folder.path().string()}), 1, "is a folder");
    expectError(profile({"--prompt-file", file("caf\xE9")}), 1, "not valid UTF-8");
    expectError(profile({"--prompt", "caf\xE9"}), 1, "not valid UTF-8");
    expectError(profile({"--prompt", longText(1700)}), 1, "the model takes 8192");
    expectError({"profile", "--model", kModel, "--prompt", "a", "--generate", "8191"}, 1,
                "are to be generated, the model takes 8192");
    const auto ids = [&](const std::string& text) { return Words{"--ids-file", file(text)}; };
    expectError(profile(ids("[]")), 1, "the prompt is empty");
    expectError(profile(ids("[1, 8192]")), 1, "token id 8192 is outside the vocabulary of 8192");
    expectError(profile(ids("[1, -1]")), 1, "-1 is not a token id");
    expectError(profile(ids("[1, 4294967296]")), 1, "4294967296 is not a token id");
    expectError(profile(ids("[1, 2.5]")), 1, "2.5 is not a token id");
    expectError(profile(ids("[1, \"two\"]")), 1, "\"two\" is not a token id");
    expectError(profile(ids("{\"ids\": [1]}")), 1, "not a JSON array");
    expectError(profile(ids("[1, 2")), 1, "invalid JSON");
    expectError(profile(ids("")), 1, "invalid JSON");
}

TEST(Cli, PlacesThatCannotBeWrittenAreRefusedBeforeTheWork) {
    const TemporaryFolder folder;
    const auto refused = [](const std::string& out, const std::string& says) {
        expectError(profile({"--prompt", "a", "--out", out}), 1, says);
    };
    refused((folder / "no/trace").string(), "No such file");
    refused(folder.path().string(), "Is a directory");
    refused("/dev/null", "not a plain file");
    refused("/proc/fkv.safetensors", "cannot write /proc/fkv.safetensors");
    EXPECT_EQ(folder.entries(), 0);
    // This prompt is refused as well, but only once the model is loaded.
    expectError({"profile", "--model", kModel, "--prompt", longText(1700), "--out", "/dev/null"}, 1,
                "not a plain file");
}

TEST(Cli, AFullDiskKeepsTheEarlierFile) {
    const TemporaryFolder folder;
    const std::string out = (folder / "t").string();
    std::ofstream(out) << "earlier";
    const Ended ended =
        run(fkv::testing::Start{profile({"--prompt", longText(40), "--out", out}), 100000});
    EXPECT_EQ(ended.code, 1);
    EXPECT_NE(ended.error.find("cannot write " + out), std::string::npos) << ended.error;
    EXPECT_EQ(fkv::io::readText(out), "earlier");
    EXPECT_EQ(folder.entries(), 1);
    // And when standard output has no room.
    const Ended printed = run(fkv::testing::Start{profile({"--prompt", "a"}), 0, "/dev/full"});
    EXPECT_EQ(printed.code, 1);
    EXPECT_NE(printed.error.find("standard output"), std::string::npos) << printed.error;
}

TEST(Cli, InfoRefusesWhatIsNeitherModelNorTrace) {
    const TemporaryFolder folder;
    expectError({"info", (folder / "no").string()}, 1, "No such file");
    expectError({"info", folder.path().string()}, 1, "config.json");
    expectError({"info", FKV_TEST_DATA "/golden/dev-a.safetensors"}, 1, "not a FastKV trace");
    expectError({"info", FKV_TEST_DATA "/golden/cases.json"}, 1, "not a safetensors file");
}

TEST(Cli, InfoDescribesAModel) {
    const json j = jsonOf({"info", kModel});
    EXPECT_EQ(j["kind"], "model");
    EXPECT_EQ(j["config"]["layers"], 16);
    EXPECT_EQ(j["tensors"]["count"], 146);
    EXPECT_EQ(j["tensors"]["files"].size(), 2U);
    EXPECT_EQ(j["tokenizer"]["vocabulary"], 8192);
    EXPECT_EQ(j["kv"]["bytes_per_token"], 2 * 16 * 4 * 32 * 4);
    const Ended text = run({"info", kModel});
    EXPECT_EQ(text.code, 0);
    EXPECT_NE(text.out.find("16.0 KiB a token"), std::string::npos) << text.out;
}

TEST(Cli, InfoSaysWhatAPromptNeeds) {
    const json fit = jsonOf({"info", kModel, "--tokens", "4096", "--generate", "8"})["fit"];
    EXPECT_EQ(fit["tokens"], 4096);
    ASSERT_EQ(fit["devices"].size(), 2U);
    const json& cpu = fit["devices"][0];
    EXPECT_EQ(cpu["device"], "CPU");
    EXPECT_EQ(cpu["verdict"], "fits");
    const std::int64_t token = 16384, tail = 8 + 8; // the window is copied into the tail
    EXPECT_EQ(cpu["full"]["kv_bytes"], token * (4096 + tail));
    EXPECT_LT(cpu["fastkv"]["total_bytes"], cpu["full"]["total_bytes"]);
    EXPECT_GT(cpu["instrument"]["checkpoint_bytes"], 0);
    const json& time = cpu["estimate"];
    EXPECT_GT(time["fastkv"]["prefill_ms"], 0.0);
    EXPECT_LT(time["fastkv"]["prefill_ms"], time["full"]["prefill_ms"]); // less work, same rates
    EXPECT_LT(time["fastkv"]["ms_per_token"], time["full"]["ms_per_token"]);
    EXPECT_GT(fit["devices"][1]["weight_bytes"], 0);
    const Ended text = run({"info", kModel, "--tokens", "4096"});
    EXPECT_EQ(text.code, 0);
    EXPECT_NE(text.out.find("a prompt of 4096 tokens, and 32 after it"), std::string::npos);
    // Too little for a GPU to hold keys and values: the host beside it does.
    const Words little{"info", kModel, "--tokens", "4096", "--memory", "140MiB"};
    EXPECT_NE(run(little).out.find("and of the host"), std::string::npos) << run(little).out;
    const json gpu = jsonOf(little)["fit"]["devices"][1];
    EXPECT_EQ(gpu["verdict"], "fits with keys and values in host memory");
    EXPECT_GT(gpu["instrument"]["host_bytes"], 0);
    expectError({"info", kModel, "--tokens", "9000"}, 1, "the model takes 8192");
    expectError({"info", kModel, "--tokens", "0"}, 2, "--tokens");
}

TEST(Cli, AnswersAreDrawnBySeed) {
    const auto answers = [](const Words& more) {
        return jsonOf(
            Words{"profile", "--model", kModel, "--prompt", longText(20), "--generate", "8"} +
            more);
    };
    const json greedy = answers({});
    EXPECT_EQ(greedy["settings"]["temperature"], 0.0);
    EXPECT_EQ(greedy["full"]["end"], "count");
    const json a = answers({"--temperature", "1.5", "--seed", "4294967295"});
    EXPECT_EQ(a["settings"]["temperature"], 1.5);
    EXPECT_EQ(a["settings"]["top_k"], 0);
    EXPECT_EQ(a["settings"]["top_p"], 1.0);
    EXPECT_EQ(a["settings"]["seed"], 4294967295U);
    EXPECT_EQ(a["settings"]["generate"], 8);
    EXPECT_NE(a["full"]["tokens"], greedy["full"]["tokens"]);
    EXPECT_EQ(answers({"--temperature", "1.5", "--seed", "4294967295"})["full"]["tokens"],
              a["full"]["tokens"]);
    const json one = answers({"--temperature", "1.5", "--top-k", "1", "--top-p", "0.9"});
    EXPECT_EQ(one["full"]["tokens"], greedy["full"]["tokens"]);
    EXPECT_EQ(one["fastkv"]["tokens"], greedy["fastkv"]["tokens"]);
    const Ended text = run(profile({"--prompt", "a", "--temperature", "0.7", "--top-k", "9"}));
    EXPECT_NE(text.out.find("temperature 0.7, top-k 9, seed 0"), std::string::npos) << text.out;
}

TEST(Cli, TheReportHoldsSettingsAsGivenAndAsAchieved) {
    const TemporaryFolder folder;
    const std::string out = (folder / "t").string();
    const json j = jsonOf({"profile", "--model", kModel, "--prompt", longText(60), "--generate",
                           "6", "--tsp-layer", "5", "--tsp-tokens", "100", "--kv-rate", "0.25",
                           "--stop", "\n", "--out", out});
    const std::int64_t n = j["prompt"]["tokens"];
    EXPECT_GT(n, 300);
    EXPECT_EQ(j["settings"]["tsp_tokens"], 100);
    EXPECT_EQ(j["settings"]["kv_rate"], 0.25);
    EXPECT_FALSE(j["settings"].contains("tsp_rate"));
    EXPECT_EQ(j["settings"]["tsp_layer"], 5);
    const json& achieved = j["achieved"];
    EXPECT_EQ(achieved["tsp_tokens"], 100);
    EXPECT_EQ(achieved["tokens"], n);
    ASSERT_EQ(achieved["layers"].size(), 16U);
    EXPECT_EQ(achieved["layers"][5],
              json({{"entering", n}, {"kept", n / 4}, {"tied", achieved["layers"][5]["tied"]}}));
    EXPECT_EQ(achieved["layers"][6]["entering"], 100);
    EXPECT_EQ(achieved["layers"][6]["kept"], n / 4);
    EXPECT_EQ(achieved["layers"][6]["tied"].size(), 4U);
    EXPECT_TRUE(achieved.contains("tsp_tied"));
    for (const char* side : {"full", "fastkv"}) {
        const json& s = j[side];
        EXPECT_EQ(s["answer"].get<std::string>().find('\n'), std::string::npos);
        EXPECT_EQ(s["tokens"].size(), 6U) << "a stop text cuts what is shown alone";
        EXPECT_GT(s["kv_bytes"], 0);
        EXPECT_GT(s["prefill_ms"], 0.0);
        EXPECT_GT(s["decode_ms_per_token"], 0.0);
    }
    EXPECT_EQ(j["full"]["kv_bytes"], n * 16 * 4 * 2 * 32 * 4);
    EXPECT_LT(j["fastkv"]["kv_bytes"], j["full"]["kv_bytes"]);
    EXPECT_GE(j["fidelity"]["first"]["kl"], 0.0);
    EXPECT_TRUE(j["fidelity"]["first"]["top1"].is_boolean());
    EXPECT_EQ(j["fidelity"]["answer"]["tokens"], 6);
    EXPECT_EQ(j["model"]["layers"], 16);
    EXPECT_TRUE(j["device"].contains("threads"));
    EXPECT_EQ(j["timing"]["fastkv_state"], "composed");

    // What was saved says the same.
    json recorded = jsonOf({"info", out});
    EXPECT_EQ(recorded["kind"], "trace");
    EXPECT_EQ(recorded["schema"], fkv::io::kTraceSchema);
    for (const char* key : {"settings", "achieved", "timing", "fidelity", "model", "device"})
        EXPECT_EQ(recorded[key], j[key]) << key;
    EXPECT_EQ(recorded["full"]["tokens"], j["full"]["tokens"]);
    EXPECT_NE(run({"info", out}).out.find("TSP       layer 5 passes 100"), std::string::npos);
}

TEST(Cli, TheDeployedPathIsMeasuredWhenAsked) {
    const json j = jsonOf(profile({"--prompt", longText(40), "--measure", "3"}));
    ASSERT_EQ(j["timing"]["standalone_full_ms"].size(), 3U);
    std::vector<double> ms = j["timing"]["standalone_fastkv_ms"];
    std::sort(ms.begin(), ms.end());
    EXPECT_EQ(j["fastkv"]["prefill_ms"], ms[1]);
    EXPECT_GT(j["fastkv"]["peak_bytes"], 0);
}

TEST(Cli, MethodFullStandsAlone) {
    const json j = jsonOf(profile({"--prompt", longText(20), "--method", "full"}));
    EXPECT_TRUE(j.contains("full"));
    EXPECT_FALSE(j.contains("fastkv"));
    EXPECT_EQ(j["settings"]["method"], "full");
    EXPECT_EQ(j["achieved"]["kv_rate"], 1.0);
    EXPECT_EQ(j["fidelity"]["first"]["kl"], 0.0);
}

TEST(Cli, EdgesOfTheMethodRun) {
    const TemporaryFolder folder;
    const std::string out = (folder / "t").string();
    const auto ids = [&](int n) {
        std::ofstream(folder / "ids") << json(std::vector<int>(static_cast<std::size_t>(n), 300));
        return Words{"--ids-file", (folder / "ids").string()};
    };
    const Words whole{"--tsp-rate", "1", "--kv-rate", "1.0"};
    const Words tiny{"--tsp-tokens", "1", "--kv-tokens", "1"};
    for (const Words& prompt : {ids(1), ids(5), ids(8), ids(9), Words{"--prompt", longText(9)}})
        for (const Words& settings : {Words{}, whole, tiny}) {
            const json j = jsonOf(profile(prompt + settings + Words{"--out", out}));
            const std::int64_t n = j["prompt"]["tokens"];
            const std::int64_t least = std::min<std::int64_t>(n, 8);
            for (const json& layer : j["achieved"]["layers"]) {
                const std::int64_t kept = layer["kept"];
                EXPECT_GE(kept, least);
                EXPECT_TRUE(settings != whole || kept == n);
                EXPECT_TRUE(settings != tiny || kept == least);
            }
            if (settings == whole || n <= 8) {
                EXPECT_EQ(j["full"]["tokens"], j["fastkv"]["tokens"]);
                EXPECT_EQ(j["fidelity"]["answer"]["kl_mean"], 0.0);
            }
            EXPECT_EQ(fkv::io::openTrace(out)->tokens(), n);
        }
}

TEST(Cli, InterruptedItLeavesWhatWasThere) {
    const TemporaryFolder folder;
    const std::string out = (folder / "t").string();
    std::ofstream(out) << "earlier";
    const Ended ended = fkv::testing::interruptAt(
        "Prefill", {"profile", "--model", kModel, "--prompt", longText(1200), "--out", out});
    EXPECT_EQ(ended.code, 130);
    EXPECT_EQ(ended.out, "");
    EXPECT_EQ(ended.error.find("error"), std::string::npos) << ended.error;
    EXPECT_EQ(folder.entries(), 1);
    EXPECT_EQ(fkv::io::readText(out), "earlier");
}

TEST(Cli, TheGpusStateIsShownWhereItWasSampled) {
    const TemporaryFolder folder;
    const std::string file = folder / "trace";
    EXPECT_FALSE(
        jsonOf(profile({"--prompt", "hello", "--device", "cpu", "--out", file})).contains("gpu"));
    fkv::trace::Run sampled = *fkv::io::openTrace(file);
    constexpr auto kCap = static_cast<std::uint32_t>(fkv::trace::ClockLimit::PowerCap);
    sampled.timing.gpu = {{0, 1500.0F, 2619.0F, 300.0F, 40.0F, 0},
                          {9, 1980.0F, 2619.0F, 650.4F, 66.0F, kCap}};
    fkv::io::saveTrace(sampled, file);
    const json gpu = jsonOf({"info", file}).at("gpu");
    EXPECT_EQ(gpu.at("samples"), 2);
    EXPECT_EQ(gpu.at("sm_mhz"), 1980.0);
    EXPECT_NEAR(gpu.at("most_watts").get<double>(), 650.4, 1e-3);
    EXPECT_EQ(gpu.at("limits"), (json{{"power cap", 0.5}}));
    EXPECT_NE(run({"info", file})
                  .out.find("GPU       1.98 GHz SM, 2.62 GHz memory, at most 650 W "
                            "and 66 C, power cap in 50 % of 2 samples\n"),
              std::string::npos);
}

TEST(Cli, KernelsThatCannotBeRecordedAreSaidSo) {
    const Words asked = profile({"--prompt", "hello", "--device", "cpu", "--kernels"});
    const json kernels = jsonOf(asked).at("kernels");
    EXPECT_EQ(kernels.at("count"), 0);
    EXPECT_EQ(kernels.at("absent"), "the CPU runs none");
    EXPECT_NE(run(asked).out.find("kernels   not recorded: the CPU runs none\n"),
              std::string::npos);
    EXPECT_FALSE(jsonOf(profile({"--prompt", "hello", "--device", "cpu"})).contains("kernels"));
    const TemporaryFolder folder;
    const std::string file = folder / "trace";
    EXPECT_EQ(run(profile({"--prompt", "hello", "--device", "cpu", "--out", file})).code, 0);
    fkv::trace::Run traced = *fkv::io::openTrace(file);
    traced.timing.kernels = {{"ranks", "attention"}, {{0, 2'000'000, 0, 1}, {5, 6, 1, 0}}, {}};
    fkv::io::saveTrace(traced, file);
    const json listed = jsonOf({"info", file}).at("kernels");
    EXPECT_EQ(listed.at("count"), 2);
    EXPECT_EQ(listed.at("longest")[0], (json{{"name", "attention"}, {"count", 1}, {"ms", 2.0}}));
    EXPECT_NE(
        run({"info", file})
            .out.find("kernels   2 of 2 kinds, longest in sum: attention 2.0 ms, ranks 0.0 ms\n"),
        std::string::npos);
}
