// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/cli/program.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

// What tests of the command line say to the program about the demo model, and expect of it.
namespace fkv::testing {

using Words = std::vector<std::string>;

inline const std::string kModel = FKV_RESOURCES "/models/demo";

inline Words operator+(Words a, const Words& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

/// Arguments of a profile on a short prompt, quick enough to be run often.
inline Words profile(const Words& more) {
    return Words{"profile", "--model", kModel, "--generate", "2"} + more;
}

inline void expectError(const Words& words, int code, const std::string& says) {
    const Ended ended = run(words);
    EXPECT_EQ(ended.code, code) << ended.error;
    EXPECT_EQ(ended.out, "");
    EXPECT_TRUE(ended.error.starts_with("fastkv: error: ")) << ended.error;
    EXPECT_EQ(std::count(ended.error.begin(), ended.error.end(), '\n'), 1) << ended.error;
    EXPECT_NE(ended.error.find(says), std::string::npos) << "expected: " << says << "\n"
                                                         << ended.error;
}

inline nlohmann::json jsonOf(const Words& words) {
    const Ended ended = run(words + Words{"--json"});
    EXPECT_EQ(ended.code, 0) << ended.error;
    EXPECT_EQ(ended.error, ""); // progress is for terminals
    return nlohmann::json::parse(ended.out);
}

/// "The keeper ..." of about the wanted number of tokens.
inline std::string longText(int words) {
    std::string text = "The password of Jane Marlow is gentle needle.";
    for (int i = 0; i < words; ++i)
        text += " and the sea was grey";
    return text + "\nQuestion: What is the password of Jane Marlow?\nAnswer:";
}

} // namespace fkv::testing
