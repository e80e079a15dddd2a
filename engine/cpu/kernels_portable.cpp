// SPDX-License-Identifier: Apache-2.0
// What every processor of the architecture has: 16 (SSE2) or 32 (NEON) registers of 16 bytes.
#define FKV_SET portable
#define FKV_BYTES 16
#ifdef __aarch64__
#define FKV_NAME "NEON"
#define FKV_ROWS 6
#define FKV_VECTORS 4
#else
#define FKV_NAME "SSE2"
#define FKV_ROWS 4
#define FKV_VECTORS 2
#endif
#define FKV_VALUE_ROWS 4
#include "engine/cpu/kernel_code.h"
