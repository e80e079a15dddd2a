// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/run/loaded_model.h"
#include "tests/support/temporary_folder.h"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace fkv::testing {

/// Logits [V] after each of some prompts, and after each token that follows the last of them.
struct FamilyLogits {
    std::vector<std::vector<float>> prompts, steps;
};

/// One of tests/data/families (see tests/oracle/make_families.py): a tiny model in the layout of a
/// published one, and what Hugging Face transformers computes for it.
class Family {
public:
    explicit Family(const std::string& name);
    static std::vector<std::string> names();

    const std::filesystem::path& folder() const { return m_folder.path(); }
    std::span<const std::int32_t> ids() const { return m_ids; }
    const std::vector<std::int32_t>& lengths() const { return m_lengths; } ///< of the prompts
    /// The longest prompt, which is decoded after.
    std::vector<std::int32_t> prompt() const {
        return {m_ids.begin(), m_ids.begin() + m_lengths.back()};
    }
    const FamilyLogits& expected() const { return m_expected; }

private:
    TemporaryFolder m_folder;
    std::vector<std::int32_t> m_ids, m_lengths;
    FamilyLogits m_expected;
};

/// Full context on the deployed path; after the last prompt one token a step.
FamilyLogits logitsOf(run::LoadedModel& model, const Family& family);

/// Largest difference, relative to the largest expected logit.
double difference(std::span<const float> got, std::span<const float> expected);

} // namespace fkv::testing
