// SPDX-License-Identifier: Apache-2.0
// 16 registers of 32 bytes.
#define FKV_SET avx2
#define FKV_NAME "AVX2"
#define FKV_BYTES 32
#define FKV_ROWS 6
#define FKV_VECTORS 2
#define FKV_VALUE_ROWS 4
#include "engine/cpu/kernel_code.h"
