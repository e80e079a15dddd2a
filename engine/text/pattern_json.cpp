// SPDX-License-Identifier: Apache-2.0
#include "engine/text/pattern_json.h"

namespace fkv::text {

Pattern readPattern(const io::JsonRecord& from, const char* key) {
    const io::JsonRecord pattern = from.object(key);
    if (pattern.has("String")) return Pattern::literal(pattern.text("String"));
    if (!pattern.has("Regex")) pattern.bad("neither String nor Regex");
    return Pattern::compile(pattern.text("Regex"), Dialect::Oniguruma, pattern.where());
}

} // namespace fkv::text
