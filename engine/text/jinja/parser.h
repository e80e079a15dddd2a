// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/jinja/ast.h"

#include <string_view>

namespace fkv::text::jinja {

/// Reads a template. Throws Error{BadFile} for what is wrong and Error{Unsupported} for what is
/// Jinja but not covered, with the line.
Body parse(std::string_view source);

} // namespace fkv::text::jinja
