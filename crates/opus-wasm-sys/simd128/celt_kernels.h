/* What libopus's files call instead of their own: inner products of CELT through its hooks in celt/pitch.h, the rest
 * through build/patches.rs. Sums differ by rounding.
 *
 * Included before every file of libopus. */
#ifndef SIDETONE_CELT_KERNELS_H
#define SIDETONE_CELT_KERNELS_H

#include <wasm_simd128.h>

/* In one place: inline in a long function, a turn's look at the deadline moves much more through memory, and the module
 * was 24 kB larger. */
#define OUT_OF_LINE __attribute__((noinline))
#define INLINE static inline __attribute__((always_inline))

#include "bands.h"
#include "filters.h"
#include "pulses.h"
#include "samples.h"
#include "transient.h"

static inline float sidetone_sum(v128_t a) {
    a = wasm_f32x4_add(a, wasm_i32x4_shuffle(a, a, 2, 3, 0, 1));
    return wasm_f32x4_extract_lane(a, 0) + wasm_f32x4_extract_lane(a, 1);
}

/* sum[k] += x[j] * y[j + k], k = 0 … 3; y has three samples more than x. */
static inline void sidetone_xcorr_kernel(const float *x, const float *y, float sum[4], int len) {
    v128_t s0 = wasm_v128_load(sum), s1 = wasm_f32x4_const_splat(0);
    int j = 0;
#pragma clang loop unroll_count(4)
    for (; j + 4 <= len; j += 4) {
        s0 = wasm_f32x4_add(s0, wasm_f32x4_mul(wasm_v128_load32_splat(x + j), wasm_v128_load(y + j)));
        s1 = wasm_f32x4_add(s1, wasm_f32x4_mul(wasm_v128_load32_splat(x + j + 1), wasm_v128_load(y + j + 1)));
        s0 = wasm_f32x4_add(s0, wasm_f32x4_mul(wasm_v128_load32_splat(x + j + 2), wasm_v128_load(y + j + 2)));
        s1 = wasm_f32x4_add(s1, wasm_f32x4_mul(wasm_v128_load32_splat(x + j + 3), wasm_v128_load(y + j + 3)));
    }
    for (; j < len; j++) {
        s0 = wasm_f32x4_add(s0, wasm_f32x4_mul(wasm_v128_load32_splat(x + j), wasm_v128_load(y + j)));
    }
    wasm_v128_store(sum, wasm_f32x4_add(s0, s1));
}

#define SIDETONE_PRAGMA(text) _Pragma(#text)
#define SIDETONE_UNROLL(count) SIDETONE_PRAGMA(clang loop unroll_count(count))

/* Correlations at 0 … count - 1: celt_pitch_xcorr.c. */
void sidetone_pitch_xcorr(const float *x, const float *y, float *xcorr, int len, int count);

#define OVERRIDE_XCORR_KERNEL
#define xcorr_kernel(x, y, sum, len, arch) ((void)(arch), sidetone_xcorr_kernel(x, y, sum, len))
#define OVERRIDE_CELT_INNER_PROD
#define celt_inner_prod(x, y, N, arch) ((void)(arch), sidetone_inner_prod(x, y, N))
#define OVERRIDE_DUAL_INNER_PROD
#define dual_inner_prod(x, y01, y02, N, xy1, xy2, arch) \
    ((void)(arch), *(xy1) = sidetone_inner_prod(x, y01, N), *(xy2) = sidetone_inner_prod(x, y02, N), (void)0)
#define OVERRIDE_PITCH_XCORR
#define celt_pitch_xcorr(x, y, xcorr, len, max_pitch, arch) \
    ((void)(arch), sidetone_pitch_xcorr(x, y, xcorr, len, max_pitch))

#define OVERRIDE_OP_PVQ_SEARCH
#define op_pvq_search(x, iy, K, N, arch) ((void)(arch), sidetone_pvq_search(x, iy, K, N))
#define OVERRIDE_vq_exp_rotation1
#define exp_rotation1 sidetone_rotation

#define OVERRIDE_CELT_MAXABS16
#define celt_maxabs16 sidetone_max_abs

#endif
