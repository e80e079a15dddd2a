// SPDX-License-Identifier: Apache-2.0
#pragma once

// The few Hopper instructions (sm_90a) that CUDA C++ has no words for: mbarriers, bulk tensor
// copies, asynchronous warpgroup products. Each wrapper is one instruction.

#include <cstdint>
#include <cuda.h>

namespace fkv::cuda::hopper {

__device__ __forceinline__ std::uint32_t sharedAddress(const void* p) {
    return static_cast<std::uint32_t>(__cvta_generic_to_shared(p));
}

// ---- mbarrier: `count` arrivals (and the announced bytes) complete a phase ----

__device__ __forceinline__ void barrierInit(std::uint64_t* b, std::uint32_t count) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(sharedAddress(b)), "r"(count));
}
/// Makes initialised barriers visible to the copy engine.
__device__ __forceinline__ void barrierInitFence() {
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}
__device__ __forceinline__ void barrierArrive(std::uint64_t* b) {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(sharedAddress(b)) : "memory");
}
__device__ __forceinline__ void barrierExpect(std::uint64_t* b, std::uint32_t bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(sharedAddress(b)),
                 "r"(bytes)
                 : "memory");
}
__device__ __forceinline__ void barrierWait(std::uint64_t* b, std::uint32_t parity) {
    asm volatile("{\n"
                 ".reg .pred done;\n"
                 "again:\n"
                 "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
                 "@done bra finished;\n"
                 "bra again;\n"
                 "finished:\n"
                 "}" ::"r"(sharedAddress(b)),
                 "r"(parity)
                 : "memory");
}

/// Arrives at the barrier that stands in another block of the cluster at the place of `b`. Orders
/// no writes: it says that reads are over.
__device__ __forceinline__ void barrierArriveAt(std::uint64_t* b, std::uint32_t block) {
    asm volatile("{\n"
                 ".reg .b32 there;\n"
                 "mapa.shared::cluster.u32 there, %0, %1;\n"
                 "mbarrier.arrive.shared::cluster.b64 _, [there];\n"
                 "}" ::"r"(sharedAddress(b)),
                 "r"(block)
                 : "memory");
}

// ---- clusters ----

__device__ __forceinline__ std::uint32_t clusterRank() {
    std::uint32_t rank;
    asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    return rank;
}
/// Waits for all threads of all blocks of the cluster.
__device__ __forceinline__ void clusterSync() {
    asm volatile("barrier.cluster.arrive.release.aligned;\n"
                 "barrier.cluster.wait.acquire.aligned;" ::
                     : "memory");
}

// ---- named barriers between warpgroups (0 belongs to __syncthreads) ----

__device__ __forceinline__ void namedSync(int id, int threads) {
    asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}
__device__ __forceinline__ void namedArrive(int id, int threads) {
    asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

// ---- bulk copies ----

/// A multiple of 16 bytes, aligned as much, to shared memory; completes on `b`.
__device__ __forceinline__ void copyBytes(void* to, const void* from, std::uint32_t bytes,
                                          std::uint64_t* b) {
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes "
                 "[%0], [%1], %2, [%3];" ::"r"(sharedAddress(to)),
                 "l"(from), "r"(bytes), "r"(sharedAddress(b))
                 : "memory");
}

/// Box of a 3-D tensor map at (c0, c1, c2), innermost first, to shared memory; completes on `b`.
/// What lies outside the tensor arrives as zero.
__device__ __forceinline__ void copyBox(void* to, const CUtensorMap* map, std::uint64_t* b, int c0,
                                        int c1, int c2) {
    asm volatile("cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
                 "[%0], [%1, {%3, %4, %5}], [%2];" ::"r"(sharedAddress(to)),
                 "l"(map), "r"(sharedAddress(b)), "r"(c0), "r"(c1), "r"(c2)
                 : "memory");
}
/// The same to every block of the cluster in `blocks` (a bit each): to the same place, completing
/// on the barrier at the place of `b`.
__device__ __forceinline__ void copyBoxToAll(void* to, const CUtensorMap* map, std::uint64_t* b,
                                             std::uint16_t blocks, int c0, int c1, int c2) {
    asm volatile("cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
                 ".multicast::cluster [%0], [%1, {%4, %5, %6}], [%2], %3;" ::"r"(sharedAddress(to)),
                 "l"(map), "r"(sharedAddress(b)), "h"(blocks), "r"(c0), "r"(c1), "r"(c2)
                 : "memory");
}
__device__ __forceinline__ void prefetchMap(const CUtensorMap* map) {
    asm volatile("prefetch.tensormap [%0];" ::"l"(map) : "memory");
}

// ---- registers between producer and consumers ----

template <int N>
__device__ __forceinline__ void giveRegisters() {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(N));
}
template <int N>
__device__ __forceinline__ void takeRegisters() {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(N));
}

// ---- warpgroup matrix products ----

enum class Swizzle : std::uint64_t { Bytes128 = 1, Bytes64 = 2 };

/// Describes a matrix in shared memory. `leading` and `stride` in bytes: K-major: stride between
/// groups of 8 rows (leading unused); MN-major: leading between panels along MN, stride between
/// groups of 8 along K.
__device__ __forceinline__ std::uint64_t matrixDescriptor(const void* p, std::uint32_t leading,
                                                          std::uint32_t stride, Swizzle swizzle) {
    const std::uint64_t start = (sharedAddress(p) & 0x3FFFF) >> 4;
    return start | (static_cast<std::uint64_t>(leading >> 4) << 16) |
           (static_cast<std::uint64_t>(stride >> 4) << 32) |
           (static_cast<std::uint64_t>(swizzle) << 62);
}

__device__ __forceinline__ void productFence() {
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
__device__ __forceinline__ void productCommit() {
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
template <int N>
__device__ __forceinline__ void productWait() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(N) : "memory");
}
/// Keeps the compiler from moving reads or writes of accumulators across a wait.
template <int N>
__device__ __forceinline__ void pin(float (&v)[N]) {
#pragma unroll
    for (int i = 0; i < N; ++i)
        asm volatile("" : "+f"(v[i])::"memory");
}

#define FKV_F8(v, i)                                                                               \
    "+f"(v[i]), "+f"(v[i + 1]), "+f"(v[i + 2]), "+f"(v[i + 3]), "+f"(v[i + 4]), "+f"(v[i + 5]),    \
        "+f"(v[i + 6]), "+f"(v[i + 7])
#define FKV_F16(v, i) FKV_F8(v, i), FKV_F8(v, i + 8)
#define FKV_F32(v, i) FKV_F16(v, i), FKV_F16(v, i + 16)
#define FKV_F64(v, i) FKV_F32(v, i), FKV_F32(v, i + 32)
#define FKV_R16 "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15"
#define FKV_R32 FKV_R16 ",%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31"
#define FKV_R64                                                                                    \
    FKV_R32 ",%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,"    \
            "%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63"

/// d [64, 128] (+)= A [64, 16] B [128, 16]^T, both K-major in shared memory.
__device__ __forceinline__ void multiplyShared(float (&d)[64], std::uint64_t a, std::uint64_t b,
                                               int accumulate) {
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %66, 0;\n"
                 "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {" FKV_R64
                 "}, %64, %65, p, 1, 1, 0, 0;\n}"
                 : FKV_F64(d, 0)
                 : "l"(a), "l"(b), "r"(accumulate));
}

/// d [64, N] += A [64, 16] in registers times B [16, N] in shared memory, N contiguous.
__device__ __forceinline__ void multiplyRegister(float (&d)[64], const std::uint32_t* a,
                                                 std::uint64_t b) {
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, 1, 0;\n"
                 "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {" FKV_R64
                 "}, {%64, %65, %66, %67}, %68, p, 1, 1, 1;\n}"
                 : FKV_F64(d, 0)
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}
__device__ __forceinline__ void multiplyRegister(float (&d)[32], const std::uint32_t* a,
                                                 std::uint64_t b) {
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, 1, 0;\n"
                 "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {" FKV_R32
                 "}, {%32, %33, %34, %35}, %36, p, 1, 1, 1;\n}"
                 : FKV_F32(d, 0)
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}
__device__ __forceinline__ void multiplyRegister(float (&d)[16], const std::uint32_t* a,
                                                 std::uint64_t b) {
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, 1, 0;\n"
                 "wgmma.mma_async.sync.aligned.m64n32k16.f32.bf16.bf16 {" FKV_R16
                 "}, {%16, %17, %18, %19}, %20, p, 1, 1, 1;\n}"
                 : FKV_F16(d, 0)
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}

#undef FKV_F8
#undef FKV_F16
#undef FKV_F32
#undef FKV_F64
#undef FKV_R16
#undef FKV_R32
#undef FKV_R64

} // namespace fkv::cuda::hopper
