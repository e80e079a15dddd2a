// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace fkv::text {

/// What a sentencepiece model file says about itself and the library does not tell. Defaults are
/// those of the format (sentencepiece_model.proto).
struct SentencePieceFacts {
    bool bpe = false;               ///< trainer_spec.model_type
    bool spaceBehind = false;       ///< trainer_spec.treat_whitespace_as_suffix
    bool dummyPrefix = true;        ///< normalizer_spec.add_dummy_prefix: a space before a text
    bool oneSpaceOnly = true;       ///< normalizer_spec.remove_extra_whitespaces
    bool signForSpace = true;       ///< normalizer_spec.escape_whitespaces
    bool changesCharacters = false; ///< normalizer_spec.precompiled_charsmap is not empty
};

/// Reads them from a file that the library takes; of any other bytes, whatever comes out.
SentencePieceFacts readSentencePieceFacts(std::string_view model);

} // namespace fkv::text
