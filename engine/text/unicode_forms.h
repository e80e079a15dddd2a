// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/offset_text.h"

namespace fkv::text {

enum class UnicodeForm { Nfc, Nfd, Nfkc, Nfkd };

/// The text in a normalization form (UAX 15). Characters that change carry the source of the whole
/// cluster they change in; all others keep their own. Linear in the text but for sorting marks.
OffsetText normalized(const OffsetText& from, UnicodeForm form);

} // namespace fkv::text
