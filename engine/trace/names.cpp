// SPDX-License-Identifier: Apache-2.0
#include "engine/trace/settings.h"
#include "engine/trace/zones.h"

#include <array>
#include <charconv>

namespace fkv::trace {

namespace {

struct ZoneEntry {
    std::string_view name;
    ZoneGroup group;
};

constexpr std::array<ZoneEntry, static_cast<std::size_t>(Zone::Count)> kZones{{
    {"embed", ZoneGroup::Other},
    {"norm", ZoneGroup::Other},
    {"qkv", ZoneGroup::Projections},
    {"rope", ZoneGroup::Other},
    {"attention", ZoneGroup::Attention},
    {"out_proj", ZoneGroup::Projections},
    {"mlp", ZoneGroup::Mlp},
    {"window_sums", ZoneGroup::Selection},
    {"saliency", ZoneGroup::Selection},
    {"ranks", ZoneGroup::Selection},
    {"select", ZoneGroup::Selection},
    {"gather", ZoneGroup::Selection},
    {"head", ZoneGroup::Other},
    {"capture", ZoneGroup::Instrument},
    {"checkpoint", ZoneGroup::Instrument},
    {"sample", ZoneGroup::Other},
    {"load", ZoneGroup::Other},
    {"layer", ZoneGroup::Other},
    {"pass", ZoneGroup::Other},
}};

constexpr std::array<std::string_view, static_cast<std::size_t>(ZoneGroup::Count)> kGroups{
    "attention", "projections", "MLP", "saliency and selection", "other", "capture"};

constexpr std::array<std::string_view, static_cast<std::size_t>(PassKind::Count)> kPasses{
    "full", "fastkv", "standalone", "decode_full", "decode_fastkv", "load"};

} // namespace

std::string_view name(Zone z) {
    return kZones[static_cast<std::size_t>(z)].name;
}
std::string_view name(ZoneGroup g) {
    return kGroups[static_cast<std::size_t>(g)];
}
std::string_view name(PassKind p) {
    return kPasses[static_cast<std::size_t>(p)];
}
ZoneGroup groupOf(Zone z) {
    return kZones[static_cast<std::size_t>(z)].group;
}

std::string_view name(Method m) {
    return m == Method::Full ? "full" : "fastkv";
}
std::string_view name(Pooling p) {
    return p == Pooling::Max ? "max" : "avg";
}

std::string shortNumber(double value) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.begin(), text.end(), value, std::chars_format::general, 6);
    return {text.data(), end.ptr};
}

std::string describe(const Sampling& s) {
    if (s.greedy()) return "greedy";
    std::string text = "temperature " + shortNumber(s.temperature);
    if (s.topK > 0) text += ", top-k " + std::to_string(s.topK);
    if (s.topP < 1.0) text += ", top-p " + shortNumber(s.topP);
    return text + ", seed " + std::to_string(s.seed);
}

} // namespace fkv::trace
