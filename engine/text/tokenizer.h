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

/// Tokens of a text; token i covers bytes [begin, end) of it. Tokens of one character split into
/// bytes all carry that character's range. BOS has an empty range at 0.
struct Encoding {
    std::vector<std::int32_t> ids;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> bytes;
};

/// A model's tokenizer. Const calls are thread-safe.
class Tokenizer {
public:
    virtual ~Tokenizer() = default;
    virtual std::int32_t vocabulary() const = 0;
    /// Token id or -1.
    virtual std::int32_t bos() const = 0;
    virtual std::int32_t eos() const = 0;
    /// True when a prompt starts with BOS.
    virtual bool addsBos() const = 0;
    /// Throws Error{BadArgument} for invalid UTF-8. An empty text gives BOS alone, or nothing.
    virtual Encoding encode(std::string_view text, bool addBos) const = 0;
    /// Bytes that `id` adds after `previous` (-1: at the start); "" for control tokens.
    virtual std::string decode(std::int32_t id, std::int32_t previous) const = 0;
    /// The vocabulary's own spelling, e.g. "▁the", "<0x0A>", "<s>".
    virtual std::string piece(std::int32_t id) const = 0;
    std::string decode(const std::vector<std::int32_t>& ids) const;
};

/// Picks by the files of a model folder. Throws NotFound or BadFile in one line.
std::unique_ptr<Tokenizer> openTokenizer(const std::filesystem::path& modelFolder);

}  // namespace fkv::text
