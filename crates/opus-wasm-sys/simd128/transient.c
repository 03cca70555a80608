/* Loops of CELT's detector of transients: see transient.h, which says what each does. */
#include "celt_kernels.h"

INLINE v128_t lane(v128_t a, float factor) { return wasm_f32x4_mul(a, wasm_f32x4_splat(factor)); }

/* y[k] = x[k] + keep * y[k - 1] of four, from nothing before them. */
INLINE v128_t leak(v128_t x, v128_t keep, v128_t keep2) {
    const v128_t none = wasm_f32x4_const_splat(0);
    x = wasm_f32x4_add(x, wasm_f32x4_mul(keep, wasm_i32x4_shuffle(none, x, 0, 4, 5, 6)));
    return wasm_f32x4_add(x, wasm_f32x4_mul(keep2, wasm_i32x4_shuffle(none, x, 0, 1, 4, 5)));
}

/* y = (1 - 2/z + 1/z^2) / (1 - 1/z + .5/z^2) x: four outputs are sums of four inputs and the two outputs before. The impulse
 * response of the denominator is 1, 1, .5, 0, -.25. */
OUT_OF_LINE void sidetone_transient_high_pass(const float *in, float *out, int n) {
    const v128_t none = wasm_f32x4_const_splat(0);
    const v128_t first = wasm_f32x4_const(1, .5f, 0, -.25f), second = wasm_f32x4_const(-.5f, -.5f, -.25f, 0);
    v128_t x = none, y = none;
    int i = 0;
#pragma clang loop unroll_count(6)
    for (; i + 4 <= n; i += 4) {
        v128_t now = wasm_v128_load(in + i), one = wasm_i32x4_shuffle(x, now, 3, 4, 5, 6);
        v128_t two = wasm_i32x4_shuffle(x, now, 2, 3, 4, 5);
        v128_t u = wasm_f32x4_add(wasm_f32x4_sub(now, wasm_f32x4_add(one, one)), two);
        v128_t sum = wasm_f32x4_add(u, wasm_i32x4_shuffle(none, u, 0, 4, 5, 6));
        sum = wasm_f32x4_add(sum, lane(wasm_i32x4_shuffle(none, u, 0, 1, 4, 5), .5f));
        sum = wasm_f32x4_add(sum, wasm_f32x4_mul(second, wasm_i32x4_shuffle(y, y, 2, 2, 2, 2)));
        y = wasm_f32x4_add(sum, wasm_f32x4_mul(first, wasm_i32x4_shuffle(y, y, 3, 3, 3, 3)));
        wasm_v128_store(out + i, y);
        x = now;
    }
    float y1 = wasm_f32x4_extract_lane(y, 3), y2 = wasm_f32x4_extract_lane(y, 2);
    float x1 = wasm_f32x4_extract_lane(x, 3), x2 = wasm_f32x4_extract_lane(x, 2);
    for (; i < n; i++) {
        float now = in[i], next = now - 2 * x1 + x2 + y1 - .5f * y2;
        out[i] = next;
        y2 = y1;
        y1 = next;
        x2 = x1;
        x1 = now;
    }
}

OUT_OF_LINE float sidetone_forward_masking(float *tmp, int n, float decay) {
    const float keep = 1 - decay, k2 = keep * keep;
    const v128_t one = wasm_f32x4_splat(keep), two = wasm_f32x4_splat(k2), powers = wasm_f32x4_make(keep, k2, k2 * keep, k2 * k2);
    v128_t mean = wasm_f32x4_const_splat(0);
    float m = 0, sum = 0;
    int i = 0;
#pragma clang loop unroll_count(5)
    for (; i + 4 <= n; i += 4) {
        v128_t a = wasm_v128_load(tmp + 2 * i), b = wasm_v128_load(tmp + 2 * i + 4);
        a = wasm_f32x4_mul(a, a);
        b = wasm_f32x4_mul(b, b);
        v128_t x = wasm_f32x4_add(wasm_i32x4_shuffle(a, b, 0, 2, 4, 6), wasm_i32x4_shuffle(a, b, 1, 3, 5, 7));
        mean = wasm_f32x4_add(mean, x);
        x = leak(x, one, two);
        v128_t all = wasm_f32x4_add(x, wasm_f32x4_mul(powers, wasm_f32x4_splat(m)));
        m = wasm_f32x4_extract_lane(x, 3) + k2 * k2 * m;
        wasm_v128_store(tmp + i, lane(all, decay));
    }
    for (; i < n; i++) {
        float x = tmp[2 * i] * tmp[2 * i] + tmp[2 * i + 1] * tmp[2 * i + 1];
        sum += x;
        m = x + keep * m;
        tmp[i] = decay * m;
    }
    return sum + sidetone_sum(mean);
}

OUT_OF_LINE float sidetone_backward_masking(float *tmp, int n) {
    const float keep = .875f, k2 = keep * keep;
    const v128_t one = wasm_f32x4_splat(keep), two = wasm_f32x4_splat(k2), powers = wasm_f32x4_make(keep, k2, k2 * keep, k2 * k2);
    v128_t most = wasm_f32x4_const_splat(0);
    float m = 0;
#pragma clang loop unroll_count(5)
    for (; n >= 4; n -= 4) {
        v128_t x = wasm_v128_load(tmp + n - 4);
        x = leak(wasm_i32x4_shuffle(x, x, 3, 2, 1, 0), one, two);
        v128_t all = lane(wasm_f32x4_add(x, wasm_f32x4_mul(powers, wasm_f32x4_splat(m))), .125f);
        m = wasm_f32x4_extract_lane(x, 3) + k2 * k2 * m;
        most = wasm_f32x4_pmax(most, all);
        wasm_v128_store(tmp + n - 4, wasm_i32x4_shuffle(all, all, 3, 2, 1, 0));
    }
    for (; n > 0; n--) {
        m = tmp[n - 1] + keep * m;
        tmp[n - 1] = .125f * m;
        most = wasm_f32x4_pmax(most, wasm_f32x4_splat(.125f * m));
    }
    most = wasm_f32x4_pmax(most, wasm_i32x4_shuffle(most, most, 2, 3, 0, 1));
    return wasm_f32x4_extract_lane(wasm_f32x4_pmax(most, wasm_i32x4_shuffle(most, most, 1, 0, 3, 2)), 0);
}
