// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace fkv::fuzz {

/// Changes inputs at random, the same for the same seed on every machine.
class Mutator {
public:
    Mutator(std::uint64_t seed, std::vector<std::string> corpus)
        : m_random(seed), m_corpus(std::move(corpus)) {}

    /// A seed with one to a few changes: of its values when it is JSON, or of its bytes. Half of
    /// those keep the length, so that what a length in front of the data promises holds on.
    std::string next();

private:
    void change(std::string& input);
    void changeNumber(std::string& input);
    void insert(std::string& input, std::string_view what);
    std::size_t below(std::size_t limit); ///< 0 for 0
    std::size_t place(const std::string& input) { return below(input.size() + 1); }

    std::mt19937_64 m_random;
    std::vector<std::string> m_corpus;
};

} // namespace fkv::fuzz
