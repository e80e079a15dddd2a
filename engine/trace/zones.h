// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace fkv::trace {

/// The closed list of things the engine spends time on. Names are the NVTX names.
enum class Zone : std::uint8_t {
    Embed,
    Norm,
    Qkv,         ///< q, k, v projections
    Rope,        ///< rotation and append to the KV cache
    Attention,
    OutProj,     ///< attention output projection and residual
    Mlp,
    WindowSums,  ///< last w queries against all keys
    Saliency,    ///< pooling and group sum
    Ranks,
    Select,      ///< thresholds, TSP set, kept sets
    Gather,      ///< rows or KV moved to their compacted place
    Head,        ///< final norm and LM head
    Capture,     ///< copies of planes for the instrument
    Checkpoint,  ///< copies of hidden states for reruns
    Sample,
    Load,        ///< a model's weights read and brought to the device
    Layer,       ///< a whole layer; encloses the others
    Pass,        ///< a whole pass; encloses layers
    Count
};

/// What the timing bars stack, in this fixed order (VIEWS section 3, Timing).
enum class ZoneGroup : std::uint8_t { Attention, Projections, Mlp, Selection, Other, Instrument, Count };

/// Which pass a span belongs to.
enum class PassKind : std::uint8_t { Full, FastKv, Standalone, DecodeFull, DecodeFastKv, Load, Count };

std::string_view name(Zone z);       ///< "attention", "qkv", ...
std::string_view name(ZoneGroup g);  ///< "attention", "projections", "MLP", ...
std::string_view name(PassKind p);   ///< "full", "fastkv", ...
/// Layer and Pass belong to Other and are never added to what they enclose.
ZoneGroup groupOf(Zone z);
/// Capture and checkpoint writing: work the deployed path does not do.
inline bool isInstrument(Zone z) { return z == Zone::Capture || z == Zone::Checkpoint; }

/// One timed stretch. Times are from the start of the run's clock.
struct Span {
    std::int64_t beginNs = 0;
    std::int64_t endNs = 0;
    Zone zone = Zone::Pass;
    PassKind pass = PassKind::Full;
    std::int16_t layer = -1;   ///< -1: not inside a layer
    std::int16_t lane = 0;     ///< 0: host thread or stream 0
    std::int32_t tokens = 0;   ///< tokens the work ran over
    std::int64_t durationNs() const { return endNs - beginNs; }
};

}  // namespace fkv::trace
