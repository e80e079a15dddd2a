// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/added_tokens.h"
#include "engine/text/bpe.h"
#include "engine/text/decoder.h"
#include "engine/text/normalizer.h"
#include "engine/text/pre_tokenizer.h"
#include "engine/text/tokenizer.h"
#include "engine/text/vocabulary.h"

#include <memory>
#include <vector>

namespace fkv::text {

/// The parts of a tokenizer.json or tekken.json, read and checked.
struct Pipeline {
    std::string kind;      ///< Tokenizer::kind()
    Vocabulary vocabulary; ///< added tokens included
    std::vector<AddedToken> added;
    Normalizer normalizer;
    PreTokenizer preTokenizer;
    std::vector<MergeRule> merges;
    BpeOptions options;
    Decoder decoder;
    /// What a prompt begins with. What a file wants behind a text is left out: the model goes on.
    std::vector<std::int32_t> prefix;
    std::int32_t bos = -1;
    std::int32_t eos = -1;
    bool addsBos = false;
};

std::unique_ptr<Tokenizer> makePipelineTokenizer(Pipeline pipeline);

} // namespace fkv::text
