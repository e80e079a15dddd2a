// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace fkv::text {

/// Characters of a property, "L", "Lo", "sc:Han", that came with Unicode 15 and 16, as contents of
/// a set of PCRE2; "" when there are none. Debian 12's PCRE2 knows Unicode 14, the regex libraries
/// of the tokenizers 16. Where PCRE2 knows them as well, naming them twice does no harm.
std::string newerCharacters(std::string_view property);

} // namespace fkv::text
