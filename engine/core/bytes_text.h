// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace fkv {

/// "512 B", "1.5 GiB": one digit after the point.
std::string bytesText(std::int64_t bytes);

} // namespace fkv
