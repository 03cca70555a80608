/* Loops over samples: see samples.h, which says what each does. */
#include "celt_kernels.h"
#include "turns.h"

OUT_OF_LINE void sidetone_from_int16(const short *in, float *out, int n, float gain) {
    const v128_t scale = wasm_f32x4_splat(gain);
    int i = 0;
#define FOUR(at) \
    wasm_v128_store(out + i + at, wasm_f32x4_mul(wasm_f32x4_convert_i32x4(wasm_i32x4_load16x4(in + i + at)), scale))
    IN_FOURS(i, n, FOUR)
#undef FOUR
    for (; i < n; i++) {
        out[i] = in[i] * gain;
    }
}

OUT_OF_LINE void sidetone_to_int16(const float *in, short *out, int n) {
    int i = 0;
#pragma clang loop unroll_count(4)
    for (; i + 8 <= n; i += 8) {
        v128_t low = wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(wasm_v128_load(in + i)));
        v128_t high = wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(wasm_v128_load(in + i + 4)));
        wasm_v128_store(out + i, wasm_i16x8_narrow_i32x4(low, high));
    }
    for (; i < n; i++) {
        v128_t x = wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(wasm_v128_load32_zero(in + i)));
        out[i] = (short)wasm_i16x8_extract_lane(wasm_i16x8_narrow_i32x4(x, x), 0);
    }
}

OUT_OF_LINE float sidetone_max_abs(const float *x, int n) {
    v128_t most = wasm_f32x4_const_splat(0), other = most;
    int i = 0;
#define FOUR(at)                                                                      \
    if ((at) % 8 == 0) {                                                              \
        most = wasm_f32x4_pmax(most, wasm_f32x4_abs(wasm_v128_load(x + i + at)));     \
    } else {                                                                          \
        other = wasm_f32x4_pmax(other, wasm_f32x4_abs(wasm_v128_load(x + i + at)));   \
    }
    IN_FOURS(i, n, FOUR)
#undef FOUR
    most = wasm_f32x4_pmax(most, other);
    for (; i < n; i++) {
        most = wasm_f32x4_pmax(most, wasm_f32x4_abs(wasm_v128_load32_zero(x + i)));
    }
    most = wasm_f32x4_pmax(most, wasm_i32x4_shuffle(most, most, 2, 3, 0, 1));
    most = wasm_f32x4_pmax(most, wasm_i32x4_shuffle(most, most, 1, 0, 3, 2));
    return wasm_f32x4_extract_lane(most, 0);
}

/* The gain of what is long. The rest of `sidetone_gain` is without a loop: in a function with one all that is live goes through
 * memory. */
static OUT_OF_LINE int long_gain(const float *in, float *out, int n, float gain) {
    const v128_t scale = wasm_f32x4_splat(gain);
    int i = 0;
#pragma clang loop unroll_count(16)
    for (; i + 4 <= n; i += 4) {
        wasm_v128_store(out + i, wasm_f32x4_mul(wasm_v128_load(in + i), scale));
    }
    return i;
}

OUT_OF_LINE void sidetone_gain(const float *in, float *out, int n, float gain) {
    int i = n < 128 ? 0 : long_gain(in, out, n & ~127, gain);
    const v128_t scale = wasm_f32x4_splat(gain);
#define FOUR(at) wasm_v128_store(out + i + at, wasm_f32x4_mul(wasm_v128_load(in + i + at), scale))
    LESS_THAN_128(i, n, FOUR)
#undef FOUR
#define ONE(at) out[i + at] = in[i + at] * gain
    LESS_THAN_4(i, n, ONE)
#undef ONE
}

OUT_OF_LINE float sidetone_preemphasis(float *x, int n, float coef, float m) {
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

OUT_OF_LINE int sidetone_fold(float *x, const float *window, int overlap) {
    if (overlap % 8 != 0) {
        return 0;
    }
    float *end = x + overlap - 4;
    const float *last = window + overlap - 4;
#pragma clang loop unroll_count(3)
    for (; x < end; x += 4, end -= 4, window += 4, last -= 4) {
        v128_t a = wasm_v128_load(x), w1 = wasm_v128_load(window);
        v128_t b = wasm_v128_load(end), w2 = wasm_v128_load(last);
        b = wasm_i32x4_shuffle(b, b, 3, 2, 1, 0);
        w2 = wasm_i32x4_shuffle(w2, w2, 3, 2, 1, 0);
        v128_t up = wasm_f32x4_add(wasm_f32x4_mul(a, w1), wasm_f32x4_mul(b, w2));
        wasm_v128_store(x, wasm_f32x4_sub(wasm_f32x4_mul(a, w2), wasm_f32x4_mul(b, w1)));
        wasm_v128_store(end, wasm_i32x4_shuffle(up, up, 3, 2, 1, 0));
    }
    return overlap / 2;
}

OUT_OF_LINE unsigned sidetone_add_noise(const float *in, float *out, int n, float level, unsigned seed) {
    /* Four numbers follow from the one before them: celt_lcg_rand once to four times. */
    const unsigned m = 1664525, c = 1013904223;
    const v128_t times = wasm_u32x4_const(m, m * m, m * m * m, m * m * m * m);
    const v128_t plus = wasm_u32x4_const(c, m * c + c, m * (m * c + c) + c, m * (m * (m * c + c) + c) + c);
    const v128_t size = wasm_f32x4_splat(level), bit = wasm_i32x4_const_splat(0x8000);
    v128_t now = wasm_i32x4_splat((int)seed);
    int i = 0;
#pragma clang loop unroll_count(4)
    for (; i + 4 <= n; i += 4) {
        now = wasm_i32x4_add(wasm_i32x4_mul(now, times), plus);
        v128_t minus = wasm_i32x4_shl(wasm_v128_andnot(bit, now), 16);
        wasm_v128_store(out + i, wasm_f32x4_add(wasm_v128_load(in + i), wasm_v128_xor(size, minus)));
        now = wasm_i32x4_shuffle(now, now, 3, 3, 3, 3);
    }
    seed = (unsigned)wasm_i32x4_extract_lane(now, 0);
    for (; i < n; i++) {
        seed = m * seed + c;
        out[i] = in[i] + (seed & 0x8000 ? level : -level);
    }
    return seed;
}

OUT_OF_LINE float sidetone_inner_prod(const float *x, const float *y, int n) {
    v128_t s0 = wasm_f32x4_const_splat(0), s1 = s0, s2 = s0, s3 = s0;
    int i = 0;
#define FOUR(s, at) s = wasm_f32x4_add(s, wasm_f32x4_mul(wasm_v128_load(x + i + at), wasm_v128_load(y + i + at)))
#define SIXTEEN(at)   \
    FOUR(s0, at);     \
    FOUR(s1, at + 4); \
    FOUR(s2, at + 8); \
    FOUR(s3, at + 12)
    for (; i + 64 <= n; i += 64) {
        SIXTEEN(0);
        SIXTEEN(16);
        SIXTEEN(32);
        SIXTEEN(48);
    }
    if (i + 32 <= n) {
        SIXTEEN(0);
        SIXTEEN(16);
        i += 32;
    }
    if (i + 16 <= n) {
        SIXTEEN(0);
        i += 16;
    }
    if (i + 8 <= n) {
        FOUR(s0, 0);
        FOUR(s1, 4);
        i += 8;
    }
    if (i + 4 <= n) {
        FOUR(s0, 0);
        i += 4;
    }
#undef SIXTEEN
#undef FOUR
    float sum = sidetone_sum(wasm_f32x4_add(wasm_f32x4_add(s0, s1), wasm_f32x4_add(s2, s3)));
    for (; i < n; i++) {
        sum += x[i] * y[i];
    }
    return sum;
}

OUT_OF_LINE int sidetone_sum_squares(const short *x, int n) {
    v128_t all = wasm_i32x4_const_splat(0);
    int i = 0;
#define EIGHT(load)                                                          \
    do {                                                                     \
        v128_t now = wasm_i16x8_shr(load, 3);                                \
        all = wasm_i32x4_add(all, wasm_i32x4_dot_i16x8(now, now));           \
    } while (0)
    for (; i + 32 <= n; i += 32) {
        EIGHT(wasm_v128_load(x + i));
        EIGHT(wasm_v128_load(x + i + 8));
        EIGHT(wasm_v128_load(x + i + 16));
        EIGHT(wasm_v128_load(x + i + 24));
    }
    if (n & 16) {
        EIGHT(wasm_v128_load(x + i));
        EIGHT(wasm_v128_load(x + i + 8));
        i += 16;
    }
    if (n & 8) {
        EIGHT(wasm_v128_load(x + i));
        i += 8;
    }
    if (n & 4) {
        EIGHT(wasm_v128_load64_zero(x + i));
        i += 4;
    }
    if (n & 2) {
        EIGHT(wasm_v128_load32_zero(x + i));
        i += 2;
    }
    if (n & 1) {
        EIGHT(wasm_i16x8_make(x[i], 0, 0, 0, 0, 0, 0, 0));
    }
#undef EIGHT
    all = wasm_i32x4_add(all, wasm_i32x4_shuffle(all, all, 2, 3, 0, 1));
    return wasm_i32x4_extract_lane(all, 0) + wasm_i32x4_extract_lane(all, 1);
}

OUT_OF_LINE float sidetone_sum_abs(const float *x, int n) {
    v128_t s0 = wasm_f32x4_const_splat(0), s1 = s0;
    int i = 0;
#pragma clang loop unroll_count(20)
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

OUT_OF_LINE int sidetone_float2int16(const float *in, short *out, int n) {
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

OUT_OF_LINE int sidetone_within_one(const float *x, int n) {
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

OUT_OF_LINE int sidetone_gemm(float *out, const signed char *weights, int rows, int cols, int stride, const float *x) {
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

OUT_OF_LINE float sidetone_deemphasis(const float *x, float *y, int n, float coef, float m) {
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
