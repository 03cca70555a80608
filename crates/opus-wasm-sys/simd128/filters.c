/* Recursive filters over samples: see filters.h, which says what each does. */
#include "celt_kernels.h"

OUT_OF_LINE float sidetone_preemphasis_of_half(const float *pcm, float *x, int n, int clip, float coef, float m) {
    const v128_t full = wasm_f32x4_const_splat(32768), none = wasm_f32x4_const_splat(0), factor = wasm_f32x4_splat(coef);
    const v128_t most = wasm_f32x4_splat(clip ? 65536 : __builtin_inff()), least = wasm_f32x4_neg(most);
    const float before = m;
    int i = 0;
#pragma clang loop unroll_count(10)
    for (; i + 4 <= n; i += 4) {
        v128_t now = wasm_f32x4_mul(wasm_v128_load(pcm + i), full);
        now = wasm_f32x4_pmax(wasm_f32x4_pmin(now, most), least);
        v128_t after = wasm_f32x4_sub(none, wasm_f32x4_mul(factor, now));
        wasm_v128_store(x + 2 * i, wasm_i32x4_shuffle(now, after, 0, 4, 1, 5));
        wasm_v128_store(x + 2 * i + 4, wasm_i32x4_shuffle(now, after, 2, 6, 3, 7));
    }
    for (; i < n; i++) {
        v128_t now = wasm_f32x4_pmax(wasm_f32x4_pmin(wasm_f32x4_splat(pcm[i] * 32768), most), least);
        x[2 * i] = wasm_f32x4_extract_lane(now, 0);
        x[2 * i + 1] = 0 - coef * x[2 * i];
    }
    if (n > 0) {
        x[0] -= before;
        return 0;
    }
    return m;
}

OUT_OF_LINE float sidetone_deemphasis_half(const float *x, float *y, int n, float coef, float m, int add, float gain) {
    const v128_t none = wasm_f32x4_const_splat(0), small = wasm_f32x4_const_splat(1e-30f);
    const float c1 = coef * coef, c2 = c1 * c1;
    const v128_t half = wasm_f32x4_splat(coef), one = wasm_f32x4_splat(c1), two = wasm_f32x4_splat(c2);
    const v128_t powers = wasm_f32x4_make(1, c1, c2, c1 * c2), scale = wasm_f32x4_splat(gain);
    const v128_t old = wasm_i32x4_splat(add ? -1 : 0);
    int j = 0;
#pragma clang loop unroll_count(10)
    for (; j + 4 <= n; j += 4) {
        v128_t low = wasm_v128_load(x + 2 * j), high = wasm_v128_load(x + 2 * j + 4);
        v128_t v = wasm_f32x4_add(wasm_i32x4_shuffle(low, high, 0, 2, 4, 6), small);
        v128_t between = wasm_f32x4_mul(half, wasm_f32x4_add(wasm_i32x4_shuffle(low, high, 1, 3, 5, 7), small));
        v = wasm_f32x4_add(v, wasm_i32x4_shuffle(none, between, 0, 4, 5, 6));
        v = wasm_f32x4_add(v, wasm_f32x4_mul(one, wasm_i32x4_shuffle(none, v, 0, 4, 5, 6)));
        v = wasm_f32x4_add(v, wasm_f32x4_mul(two, wasm_i32x4_shuffle(none, v, 0, 1, 4, 5)));
        float next = wasm_f32x4_extract_lane(between, 3) + c1 * wasm_f32x4_extract_lane(v, 3);
        v = wasm_f32x4_mul(scale, wasm_f32x4_add(v, wasm_f32x4_mul(powers, wasm_f32x4_splat(m))));
        m = next + c2 * c2 * m;
        wasm_v128_store(y + j, wasm_f32x4_add(v, wasm_v128_and(old, wasm_v128_load(y + j))));
    }
    for (; j < n; j++) {
        float now = x[2 * j] + 1e-30f + m;
        y[j] = add ? y[j] + gain * now : gain * now;
        m = coef * (x[2 * j + 1] + 1e-30f + coef * now);
    }
    return m;
}

OUT_OF_LINE void sidetone_biquad(const float *in, float *out, int n, const float b[3], const float a[2], float state[2]) {
    float s0 = state[0], s1 = state[1];
    const float b0 = b[0], b1 = b[1], b2 = b[2], a0 = a[0], a1 = a[1];
    float before = s0, y = 0; /* the sum for a sample but for the latest output, and that */
#pragma clang loop unroll_count(40)
    for (int k = 0; k < n; k++) {
        float x = in[k];
        y = before + b0 * x - a0 * y;
        out[k] = y;
        before = s1 + b1 * x;
        s1 = b2 * x + 1e-30f - a1 * y;
    }
    state[0] = before - a0 * y;
    state[1] = s1;
}
