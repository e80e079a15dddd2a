// SPDX-License-Identifier: Apache-2.0
// 32 registers of 64 bytes.
#define FKV_SET avx512
#define FKV_NAME "AVX-512"
#define FKV_BYTES 64
#define FKV_ROWS 6
#define FKV_VECTORS 4
#define FKV_VALUE_ROWS 4
#include "engine/cpu/kernel_code.h"
