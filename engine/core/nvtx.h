// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/trace/zones.h"

namespace fkv::nvtx {

// Ranges of the NVTX domain "fastkv", for Nsight Systems and other tools that listen in. Spans open
// and close them (spans.h), so that a call site names its work once. Without a tool, and in a build
// without NVTX's headers, nothing is done.
//
// A range has the zone's name as a registered string; a category: prefill, select, rerun, decode
// or load; and a payload {layer, tokens}, layer -1 outside of layers. A tool that knows no payload
// schemas gets the layer alone, as an integer.

/// Opens the range of a span that begins, on this thread. Times are not looked at.
void push(const trace::Span& span);
/// Closes the innermost range of this thread.
void pop();

} // namespace fkv::nvtx
