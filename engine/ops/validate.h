// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/ops/backend.h"

namespace fkv::ops {

/// The one check of shapes, strides and types before raw pointers are taken. Weights, activations
/// and caches must be of the types `device` holds. Throws Error{BadArgument} for a setting out of
/// its range (kernel, positions past the tables) and Error{Internal} for views that do not fit each
/// other.
void validate(const EmbedParams& p, const DeviceInfo& device);
void validate(const RmsNormParams& p, const DeviceInfo& device);
void validate(const LinearParams& p, const DeviceInfo& device);
void validate(const RopeAppendParams& p, const DeviceInfo& device);
void validate(const AttentionParams& p, const DeviceInfo& device);
void validate(const SwigluParams& p, const DeviceInfo& device);
void validate(const WindowSumsParams& p, const DeviceInfo& device);
void validate(const SaliencyParams& p, const DeviceInfo& device);
void validate(const RanksParams& p, const DeviceInfo& device);
void validate(const GatherRowsParams& p, const DeviceInfo& device);
void validate(const GatherKvParams& p, const DeviceInfo& device);
void validate(const HeadParams& p, const DeviceInfo& device);
void validate(const ArgMaxParams& p, const DeviceInfo& device);
void validate(const DecodePlan& p, const DeviceInfo& device);
/// Same shape and type, for Backend::copy.
void validateCopy(const View& to, const View& from);

}  // namespace fkv::ops
