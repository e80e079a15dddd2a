// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/io/json_record.h"
#include "engine/text/pattern.h"

namespace fkv::text {

/// What becomes of the stretches that a pattern matches and of those between them.
enum class SplitBehavior { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous };

/// `behavior` of a step. Throws BadFile.
SplitBehavior readBehavior(const io::JsonRecord& from);

struct Splitter {
    Pattern pattern;
    SplitBehavior behavior = SplitBehavior::Isolated;
    bool invert = false; ///< what does not match counts as the match

    /// Adds the parts of bytes [range) of `text`, in order and none empty; ranges are of `text`.
    void split(std::string_view text, Range range, MatchScratch& scratch,
               std::vector<Range>& parts) const;
};

} // namespace fkv::text
