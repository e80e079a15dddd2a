// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/jinja/arguments.h"

#include <string>
#include <string_view>

namespace fkv::text::jinja {

/// input|name(arguments). Throws Error{Unsupported} for a filter that is not covered.
Value applyFilter(Runtime& runtime, std::string_view name, const Value& input,
                  const CallArguments& arguments);
/// input is name(arguments). Throws Error{Unsupported} for a test that is not covered.
bool applyTest(Runtime& runtime, std::string_view name, const Value& input,
               const CallArguments& arguments);

/// What range(), dict() and namespace() make.
Value makeRange(Runtime& runtime, const CallArguments& arguments);
Value makeDict(Runtime& runtime, const CallArguments& arguments);
Value makeNamespace(Runtime& runtime, const CallArguments& arguments);
/// The runtime's moment by a strftime format, in English.
std::string formatted(Runtime& runtime, std::string_view format);

} // namespace fkv::text::jinja
