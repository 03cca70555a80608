/* Loops of libopus over samples, sixteen samples a turn: conversions, largest sample, gain, preemphasis. Exact.
 *
 * Each turn of a loop looks at the deadline. Included by celt_kernels.h.
 */
#ifndef SIDETONE_SAMPLES_H
#define SIDETONE_SAMPLES_H

#include <wasm_simd128.h>

/* out[i] = in[i] * gain, of 16-bit samples. */
static inline void sidetone_from_int16(const short *in, float *out, int n, float gain) {
    const v128_t scale = wasm_f32x4_splat(gain);
    int i = 0;
    for (; i + 16 <= n; i += 16) {
#pragma clang loop unroll(full)
        for (int k = 0; k < 16; k += 4) {
            v128_t x = wasm_f32x4_convert_i32x4(wasm_i32x4_load16x4(in + i + k));
            wasm_v128_store(out + i + k, wasm_f32x4_mul(x, scale));
        }
    }
    for (; i < n; i++) {
        out[i] = in[i] * gain;
    }
}

/* Nearest even, saturated. */
static inline void sidetone_to_int16(const float *in, short *out, int n) {
    int i = 0;
    for (; i + 16 <= n; i += 16) {
#pragma clang loop unroll(full)
        for (int k = 0; k < 16; k += 8) {
            v128_t low = wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(wasm_v128_load(in + i + k)));
            v128_t high = wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(wasm_v128_load(in + i + k + 4)));
            wasm_v128_store(out + i + k, wasm_i16x8_narrow_i32x4(low, high));
        }
    }
    for (; i < n; i++) {
        v128_t x = wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(wasm_v128_load32_zero(in + i)));
        out[i] = (short)wasm_i16x8_extract_lane(wasm_i16x8_narrow_i32x4(x, x), 0);
    }
}

/* The greatest size of a sample; 0 where there is none. What is no number counts nothing. */
static inline float sidetone_max_abs(const float *x, int n) {
    v128_t most = wasm_f32x4_const_splat(0);
    int i = 0;
    for (; i + 16 <= n; i += 16) {
#pragma clang loop unroll(full)
        for (int k = 0; k < 16; k += 4) {
            most = wasm_f32x4_pmax(most, wasm_f32x4_abs(wasm_v128_load(x + i + k)));
        }
    }
    for (; i < n; i++) {
        most = wasm_f32x4_pmax(most, wasm_f32x4_abs(wasm_v128_load32_zero(x + i)));
    }
    most = wasm_f32x4_pmax(most, wasm_i32x4_shuffle(most, most, 2, 3, 0, 1));
    most = wasm_f32x4_pmax(most, wasm_i32x4_shuffle(most, most, 1, 0, 3, 2));
    return wasm_f32x4_extract_lane(most, 0);
}

/* out[i] = in[i] * gain. The two may be the same. */
static inline void sidetone_gain(const float *in, float *out, int n, float gain) {
    const v128_t scale = wasm_f32x4_splat(gain);
    int i = 0;
    for (; i + 16 <= n; i += 16) {
#pragma clang loop unroll(full)
        for (int k = 0; k < 16; k += 4) {
            wasm_v128_store(out + i + k, wasm_f32x4_mul(wasm_v128_load(in + i + k), scale));
        }
    }
    for (; i + 4 <= n; i += 4) {
        wasm_v128_store(out + i, wasm_f32x4_mul(wasm_v128_load(in + i), scale));
    }
    for (; i < n; i++) {
        out[i] = in[i] * gain;
    }
}

/* x[i] -= coef * x[i - 1], in place; `m` is coef times the sample before the first. Returns the next such `m`. */
static inline float sidetone_preemphasis(float *x, int n, float coef, float m) {
    const v128_t scale = wasm_f32x4_splat(coef);
    v128_t before = wasm_f32x4_splat(m);
    int i = 0;
    for (; i + 16 <= n; i += 16) {
#pragma clang loop unroll(full)
        for (int k = 0; k < 16; k += 4) {
            v128_t now = wasm_v128_load(x + i + k), product = wasm_f32x4_mul(scale, now);
            wasm_v128_store(x + i + k, wasm_f32x4_sub(now, wasm_i32x4_shuffle(before, product, 3, 4, 5, 6)));
            before = product;
        }
    }
    m = wasm_f32x4_extract_lane(before, 3);
    for (; i < n; i++) {
        float now = x[i];
        x[i] = now - m;
        m = coef * now;
    }
    return m;
}

/* Every `step`-th sample of x times `gain`, to y (added to it where `add` is set), which has `channels` interleaved.
 * The usual case, every second to one channel, is done eight at a time. */
static inline void sidetone_thin_out(const float *x, float *y, int n, int step, int channels, int add, float gain) {
    const v128_t scale = wasm_f32x4_splat(gain);
    int i = 0;
    for (; step == 2 && channels == 1 && i + 8 <= n; i += 8) {
#pragma clang loop unroll(full)
        for (int k = 0; k < 8; k += 4) {
            const float *from = x + 2 * (i + k);
            v128_t z = wasm_i32x4_shuffle(wasm_v128_load(from), wasm_v128_load(from + 4), 0, 2, 4, 6);
            z = wasm_f32x4_mul(scale, z);
            wasm_v128_store(y + i + k, add ? wasm_f32x4_add(wasm_v128_load(y + i + k), z) : z);
        }
    }
#pragma clang loop unroll_count(8)
    for (; i < n; i++) {
        float z = gain * x[i * step];
        y[i * channels] = add ? y[i * channels] + z : z;
    }
}

/* The two halves of `x` folded into each other under the window, four samples of each at a time. Nothing but the middle is
 * left to be done: returns how many samples of each half are. */
static inline int sidetone_fold(float *x, const float *window, int overlap) {
    if (overlap % 8 != 0) {
        return 0;
    }
#pragma clang loop unroll_count(3)
    for (int i = 0; i < overlap / 2; i += 4) {
        float *end = x + overlap - 4 - i;
        v128_t a = wasm_v128_load(x + i), w1 = wasm_v128_load(window + i);
        v128_t b = wasm_v128_load(end), w2 = wasm_v128_load(window + overlap - 4 - i);
        b = wasm_i32x4_shuffle(b, b, 3, 2, 1, 0);
        w2 = wasm_i32x4_shuffle(w2, w2, 3, 2, 1, 0);
        v128_t up = wasm_f32x4_add(wasm_f32x4_mul(a, w1), wasm_f32x4_mul(b, w2));
        wasm_v128_store(x + i, wasm_f32x4_sub(wasm_f32x4_mul(a, w2), wasm_f32x4_mul(b, w1)));
        wasm_v128_store(end, wasm_i32x4_shuffle(up, up, 3, 2, 1, 0));
    }
    return overlap / 2;
}

#endif
