// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fkv::trace {

/// What is run beside the full-context reference.
enum class Method : std::uint8_t { Full, FastKv };

enum class Pooling : std::uint8_t { Max, Average };

/// A budget as the user gave it: a rate of the tokens in (0, 1], or a number of tokens >= 1.
struct Amount {
    enum class Unit : std::uint8_t { Rate, Tokens };
    Unit unit = Unit::Rate;
    double rate = 1.0;       ///< used when unit == Rate
    std::int64_t tokens = 0; ///< used when unit == Tokens

    static Amount ofRate(double r) { return {Unit::Rate, r, 0}; }
    static Amount ofTokens(std::int64_t n) { return {Unit::Tokens, 1.0, n}; }
    bool operator==(const Amount&) const = default;
};

/// Most tokens that an answer can be asked for.
inline constexpr int kMostGenerate = 1 << 20;

/// How the tokens of an answer are chosen. In the order of Hugging Face transformers: logits are
/// divided by the temperature, top-k and then top-p leave the likeliest, and one of these is drawn
/// (engine/run/sampling.h). The full-context answer and FastKV's draw with the same random numbers
/// step by step, so that where they differ, it is the method that differs and not the dice.
struct Sampling {
    double temperature = 0.0; ///< 0: greedy, the likeliest token is taken and the rest is not used
    int topK = 0;             ///< this many of the likeliest, and what ties with the last; 0: off
    double topP = 1.0;        ///< the fewest of the likeliest that reach this sum; 1: off
    std::uint32_t seed = 0;   ///< the same one gives the same answer
    bool operator==(const Sampling&) const = default;

    static constexpr double kMostTemperature = 100.0;

    bool greedy() const { return temperature == 0.0; }
    /// The same for any two that choose the same tokens.
    Sampling used() const { return greedy() ? Sampling{} : *this; }
};

/// Everything a run can be told. Layers are 0-based. `window` and `kernel` are in tokens.
struct Settings {
    Method method = Method::FastKv;
    int tspLayer = 0;
    Amount tsp = Amount::ofRate(0.2);
    Amount kv = Amount::ofRate(0.1);
    int window = 8;
    int kernel = 7;
    Pooling pooling = Pooling::Max;
    int generate = 32; ///< tokens of an answer at most; 0: first token's distribution only
    Sampling sampling;
    bool operator==(const Settings&) const = default;

    /// True when only the KV budget or the answers differ: no layer needs to be run again.
    bool samePrefill(const Settings& o) const {
        return sameScoring(o) && tspLayer == o.tspLayer && tsp == o.tsp;
    }
    /// True when answers are decoded alike: as long, and with the same choice of tokens.
    bool sameDecoding(const Settings& o) const {
        return generate == o.generate && sampling.used() == o.sampling.used();
    }
    /// True when the full pass' saliency and ranks can be used as they are.
    bool sameScoring(const Settings& o) const {
        return window == o.window && kernel == o.kernel && pooling == o.pooling;
    }
};

/// What a layer really gets once settings met a prompt (SPEC section 2 and 5).
struct LayerBudget {
    std::int64_t entering = 0; ///< S: tokens that enter the layer
    std::int64_t kept = 0;     ///< C: tokens every KV head of the layer keeps, window included
    bool operator==(const LayerBudget&) const = default;
    bool cut() const { return kept < entering; }
};

/// Result of clamping settings to a prompt of N tokens. Rates are achieved ones.
struct Budgets {
    std::int64_t tokens = 0;     ///< N
    int window = 8;              ///< w
    int tspLayer = 0;            ///< t
    bool tspOn = false;          ///< false when T >= N
    std::int64_t propagated = 0; ///< T; equals N when TSP is off
    std::vector<LayerBudget> layers;
    bool lateClamped = false;     ///< late layers would keep more than TSP passes
    bool tspClamped = false;      ///< T was raised to the window or lowered to N
    bool kvClamped = false;       ///< C was raised to the window or lowered to S
    double tspRate = 1.0;         ///< T / N
    double kvRate = 1.0;          ///< kept / N, mean over layers
    std::int64_t kvBytes = 0;     ///< keys and values this setting keeps, all layers
    std::int64_t fullKvBytes = 0; ///< the same for full context
    bool operator==(const Budgets&) const = default;

    /// First layer whose tokens were reduced, or the number of layers when TSP is off.
    int firstLate() const { return tspOn ? tspLayer + 1 : static_cast<int>(layers.size()); }
};

std::string_view name(Method m);  ///< "full", "fastkv"
std::string_view name(Pooling p); ///< "max", "avg"
/// Six digits without zeros at the end and with a point in every locale: "0.7", "1e-05".
std::string shortNumber(double value);
/// "temperature 0.7, top-k 40, top-p 0.9, seed 1" without what is off; "greedy".
std::string describe(const Sampling& s);

} // namespace fkv::trace
