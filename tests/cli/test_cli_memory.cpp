// SPDX-License-Identifier: Apache-2.0
// `--memory`: what does not fit is given up, and said.
#include "tests/cli/demo_words.h"
#include "tests/support/temporary_folder.h"

using namespace fkv::testing;
using nlohmann::json;

namespace {

TEST(CliMemory, WhatDoesNotFitIsGivenUpAndSaid) {
    const TemporaryFolder folder;
    const auto within = [](const std::string& memory, const Words& more) {
        return Words{"profile",    "--model", kModel,     "--prompt", longText(60),
                     "--generate", "4",       "--memory", memory} +
               more;
    };
    const json fit = jsonOf({"info", kModel, "--tokens", "600", "--generate", "4"})["fit"];
    const json& cpu = fit["devices"][0];
    EXPECT_EQ(cpu["rung"], "everything");
    const std::string out = (folder / "t").string();
    const json all = jsonOf(within("10GiB", {}));
    EXPECT_EQ(all["rung"], "everything");
    EXPECT_EQ(all["given_up"], "");
    // Between the weights and what the instrument needs of a prompt of this length.
    const json deployed = jsonOf(within("44MiB", {"--out", out}));
    EXPECT_EQ(deployed["rung"], "deployed");
    EXPECT_EQ(deployed["full"]["tokens"], all["full"]["tokens"]);
    EXPECT_EQ(deployed["fastkv"]["tokens"], all["fastkv"]["tokens"]);
    EXPECT_GT(deployed["full"]["prefill_ms"], 0.0);
    EXPECT_TRUE(deployed.contains("fidelity"));
    const json opened = jsonOf({"info", out});
    EXPECT_EQ(opened["rung"], "deployed");
    EXPECT_EQ(opened["given_up"], deployed["given_up"]);
    const Ended text = run(within("44MiB", {}));
    EXPECT_NE(text.out.find("memory    given up to fit: capture"), std::string::npos) << text.out;
    EXPECT_EQ(text.out.find("composed"), std::string::npos) << text.out;
    const json alone = jsonOf(within("38MiB", {}));
    EXPECT_EQ(alone["rung"], "fastkv_alone");
    EXPECT_FALSE(alone["full"].contains("answer"));
    EXPECT_FALSE(alone.contains("fidelity"));
    EXPECT_EQ(alone["fastkv"]["tokens"], all["fastkv"]["tokens"]);
    expectError(within("29MiB", {}), 1, "tokens do not fit");
    expectError(within("a lot", {}), 2, "--memory");
    EXPECT_EQ(jsonOf({"info", kModel, "--tokens", "4000", "--memory",
                      "60MiB"})["fit"]["devices"][0]["rung"],
              "fastkv_alone");
}

} // namespace
