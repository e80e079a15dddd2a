// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fkv::text {

/// Tokens of a text; token i covers bytes [begin, end) of it, whole characters always: a token that
/// is a part of a character carries that character's range, one that a normaliser made of several
/// carries theirs. Neither end ever goes back. BOS has an empty range at 0.
struct Encoding {
    std::vector<std::int32_t> ids;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> bytes;
};

/// A model's tokenizer. Const calls are thread-safe.
class Tokenizer {
public:
    virtual ~Tokenizer() = default;
    /// In words for people, e.g. "sentencepiece".
    virtual std::string kind() const = 0;
    /// One past the highest id.
    virtual std::int32_t vocabulary() const = 0;
    /// Token id or -1.
    virtual std::int32_t bos() const = 0;
    virtual std::int32_t eos() const = 0;
    /// True when a prompt starts with BOS, or with the few tokens that the file wants there.
    virtual bool addsBos() const = 0;
    /// Throws Error{BadArgument} for invalid UTF-8. An empty text gives BOS alone, or nothing.
    virtual Encoding encode(std::string_view text, bool addBos) const = 0;
    /// Bytes that `id` adds after `previous` (-1: at the start); "" for control tokens.
    virtual std::string decode(std::int32_t id, std::int32_t previous) const = 0;
    /// The vocabulary's own spelling, e.g. "▁the", "<0x0A>", "<s>".
    virtual std::string piece(std::int32_t id) const = 0;
    std::string decode(const std::vector<std::int32_t>& ids) const;
};

/// Picks by the files of a model folder: tokenizer.json, else tekken.json, else tokenizer.model.
/// tokenizer.json goes first because it alone has everything: the added tokens that chat templates
/// spell out, the cut into words, what a prompt begins with; and it is what the models are used
/// with. `add_bos_token` of tokenizer_config.json has the last word about BOS. Throws NotFound,
/// BadFile or Unsupported in one line.
std::unique_ptr<Tokenizer> openTokenizer(const std::filesystem::path& modelFolder);

}  // namespace fkv::text
