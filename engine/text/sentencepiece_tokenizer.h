// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/tokenizer.h"

namespace fkv::text {

/// A tokenizer from a sentencepiece model file. Throws NotFound, Io or BadFile in one line.
std::unique_ptr<Tokenizer> openSentencePiece(const std::filesystem::path& model, bool addsBos);

}  // namespace fkv::text
