// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/trace/run.h"

#include <filesystem>
#include <functional>
#include <stop_token>

namespace fkv::io {

/// Newest schema this program writes; every older one opens.
inline constexpr int kTraceSchema = 1;

/// Writes a run as safetensors: tensor names of SPEC section 9 and DESIGN section 7. Atomic.
/// Throws Error{Io}, or Error{Cancelled} leaving no file behind.
void saveTrace(const trace::Run& run, const std::filesystem::path& path,
               const std::stop_token& stop = {}, const std::function<void(double)>& progress = {});

/// Opens a trace. Large planes stay in the mapping; ranks are checked to be in range, kept sets to be
/// ascending, extents to agree. Throws Error{BadFile} for a foreign, damaged or newer file.
/// The result has recorded = true.
trace::RunPtr openTrace(const std::filesystem::path& path);

/// True when the file's header carries a trace schema (a model's safetensors file does not).
bool isTrace(const std::filesystem::path& path);

}  // namespace fkv::io
