/* What libopus's files call instead of their own: inner products of CELT through its hooks in celt/pitch.h, the rest
 * through build/patches.rs. Sums differ by rounding.
 *
 * Included before every file of libopus. */
#ifndef SIDETONE_CELT_KERNELS_H
#define SIDETONE_CELT_KERNELS_H

#include <wasm_simd128.h>
#include "samples.h"

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

static inline float sidetone_inner_prod(const float *x, const float *y, int n) {
    v128_t s0 = wasm_f32x4_const_splat(0), s1 = s0;
    int i = 0;
#define STEP(at)                                                                                       \
    s0 = wasm_f32x4_add(s0, wasm_f32x4_mul(wasm_v128_load(x + i + at), wasm_v128_load(y + i + at)));     \
    s1 = wasm_f32x4_add(s1, wasm_f32x4_mul(wasm_v128_load(x + i + at + 4), wasm_v128_load(y + i + at + 4)))
    for (; i + 32 <= n; i += 32) {
        STEP(0);
        STEP(8);
        STEP(16);
        STEP(24);
    }
    if (i + 16 <= n) {
        STEP(0);
        STEP(8);
        i += 16;
    }
    if (i + 8 <= n) {
        STEP(0);
        i += 8;
    }
#undef STEP
    float sum = sidetone_sum(wasm_f32x4_add(s0, s1));
    for (; i < n; i++) {
        sum += x[i] * y[i];
    }
    return sum;
}

#define SIDETONE_PRAGMA(text) _Pragma(#text)
#define SIDETONE_UNROLL(count) SIDETONE_PRAGMA(clang loop unroll_count(count))

static inline float sidetone_sum_abs(const float *x, int n) {
    v128_t s0 = wasm_f32x4_const_splat(0), s1 = s0;
    int i = 0;
#pragma clang loop unroll_count(4)
    for (; i + 8 <= n; i += 8) {
        s0 = wasm_f32x4_add(s0, wasm_f32x4_abs(wasm_v128_load(x + i)));
        s1 = wasm_f32x4_add(s1, wasm_f32x4_abs(wasm_v128_load(x + i + 4)));
    }
    float sum = sidetone_sum(wasm_f32x4_add(s0, s1));
    for (; i < n; i++) {
        sum += __builtin_fabsf(x[i]);
    }
    return sum;
}

/* As FLOAT2INT16, for samples in groups of eight: nearest even, saturated. Returns how many that were. Exact. */
static inline int sidetone_float2int16(const float *in, short *out, int n) {
    const v128_t scale = wasm_f32x4_const_splat(32768);
    int i = 0;
#pragma clang loop unroll_count(6)
    for (; i + 8 <= n; i += 8) {
        v128_t low = wasm_f32x4_nearest(wasm_f32x4_mul(wasm_v128_load(in + i), scale));
        v128_t high = wasm_f32x4_nearest(wasm_f32x4_mul(wasm_v128_load(in + i + 4), scale));
        low = wasm_i32x4_trunc_sat_f32x4(low);
        high = wasm_i32x4_trunc_sat_f32x4(high);
        wasm_v128_store(out + i, wasm_i16x8_narrow_i32x4(low, high));
    }
    return i;
}

/* No sample is above 1 or below -1; false where there are NaNs, too. */
static inline int sidetone_within_one(const float *x, int n) {
    v128_t one = wasm_f32x4_const_splat(1), within = wasm_i32x4_const_splat(-1);
    int i = 0;
#pragma clang loop unroll_count(12)
    for (; i + 4 <= n; i += 4) {
        within = wasm_v128_and(within, wasm_f32x4_le(wasm_f32x4_abs(wasm_v128_load(x + i)), one));
    }
    for (; i < n; i++) {
        if (!(__builtin_fabsf(x[i]) <= 1)) {
            return 0;
        }
    }
    return wasm_i32x4_all_true(within);
}

/* out[i] += sum of weights[j * stride + i] * x[j], for rows in groups of eight; how many rows that were. Exact: each
 * row is summed in libopus's order. */
static inline int sidetone_gemm(float *out, const signed char *weights, int rows, int cols, int stride, const float *x) {
    int i = 0;
    for (; i + 8 <= rows; i += 8) {
        v128_t s0 = wasm_v128_load(out + i), s1 = wasm_v128_load(out + i + 4);
        const signed char *w = weights + i;
#pragma clang loop unroll_count(8)
        for (int j = 0; j < cols; j++, w += stride) {
            v128_t eight = wasm_i16x8_load8x8(w), factor = wasm_v128_load32_splat(x + j);
            v128_t w0 = wasm_f32x4_convert_i32x4(wasm_i32x4_extend_low_i16x8(eight));
            v128_t w1 = wasm_f32x4_convert_i32x4(wasm_i32x4_extend_high_i16x8(eight));
            s0 = wasm_f32x4_add(s0, wasm_f32x4_mul(w0, factor));
            s1 = wasm_f32x4_add(s1, wasm_f32x4_mul(w1, factor));
        }
        wasm_v128_store(out + i, s0);
        wasm_v128_store(out + i + 4, s1);
    }
    return i;
}

/* y[j] = x[j] + coef * y[j - 1]; returns coef * y[n - 1]. Four samples together, so it differs by rounding. */
static inline float sidetone_deemphasis(const float *x, float *y, int n, float coef, float m) {
    const v128_t none = wasm_f32x4_const_splat(0), small = wasm_f32x4_const_splat(1e-30f);
    float c2 = coef * coef;
    const v128_t one = wasm_f32x4_splat(coef), two = wasm_f32x4_splat(c2);
    const v128_t powers = wasm_f32x4_make(1, coef, c2, c2 * coef);
    int j = 0;
#pragma clang loop unroll_count(4)
    for (; j + 4 <= n; j += 4) {
        v128_t v = wasm_f32x4_add(wasm_v128_load(x + j), small);
        v = wasm_f32x4_add(v, wasm_f32x4_mul(one, wasm_i32x4_shuffle(none, v, 0, 4, 5, 6)));
        v = wasm_f32x4_add(v, wasm_f32x4_mul(two, wasm_i32x4_shuffle(none, v, 0, 1, 4, 5)));
        v = wasm_f32x4_add(v, wasm_f32x4_mul(powers, wasm_f32x4_splat(m)));
        wasm_v128_store(y + j, v);
        m = coef * wasm_f32x4_extract_lane(v, 3);
    }
    for (; j < n; j++) {
        y[j] = x[j] + 1e-30f + m;
        m = coef * y[j];
    }
    return m;
}

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

#define OVERRIDE_CELT_MAXABS16
#define celt_maxabs16 sidetone_max_abs

#endif
