/* Sums in double precision over floats. */
#ifndef SIDETONE_DOUBLE_H
#define SIDETONE_DOUBLE_H

#include <wasm_simd128.h>

/* Two floats, as doubles. */
INLINE v128_t load_doubles(const float *p) { return wasm_f64x2_promote_low_f32x4(wasm_v128_load64_zero(p)); }

INLINE double sum_lanes(v128_t a) { return wasm_f64x2_extract_lane(a, 0) + wasm_f64x2_extract_lane(a, 1); }

/* total + what the four floats sum to, of both halves as doubles. */
INLINE v128_t add_floats(v128_t total, v128_t floats) {
    v128_t upper = wasm_i32x4_shuffle(floats, floats, 2, 3, 0, 1);
    return wasm_f64x2_add(total, wasm_f64x2_add(wasm_f64x2_promote_low_f32x4(floats), wasm_f64x2_promote_low_f32x4(upper)));
}

/* Inner product; the order of the additions is fixed: it does not depend on where the data lie. Up to ten products of a
 * lane are summed as floats, the sums as doubles: what is lost is a ten-millionth of the energies. */
INLINE double inner_product(const float *a, const float *b, int n) {
    v128_t total = wasm_f64x2_const_splat(0), s0, s1;
    int i = 0;
#define PRODUCT(at) wasm_f32x4_mul(wasm_v128_load(a + i + at), wasm_v128_load(b + i + at))
#define ADD(sum, at) sum = wasm_f32x4_add(sum, PRODUCT(at))
#define SIXTEEN(at)  \
    ADD(s0, at);     \
    ADD(s1, at + 4); \
    ADD(s0, at + 8); \
    ADD(s1, at + 12)
#define FORTY            \
    s0 = PRODUCT(0);     \
    s1 = PRODUCT(4);     \
    SIXTEEN(8);          \
    SIXTEEN(24);         \
    total = add_floats(total, wasm_f32x4_add(s0, s1))
    if (n >= 40) { /* subframes are 40, 60 or 80 samples: the first forty without a look */
        FORTY;
        for (i = 40; i + 40 <= n; i += 40) {
            FORTY;
        }
    }
    if (i + 20 <= n) {
        s0 = PRODUCT(0);
        s1 = wasm_f32x4_const_splat(0);
        SIXTEEN(4);
        total = add_floats(total, wasm_f32x4_add(s0, s1));
        i += 20;
    }
#define FOUR                                      \
    if (i + 4 <= n) {                             \
        total = add_floats(total, PRODUCT(0));    \
        i += 4;                                   \
    }
    FOUR FOUR FOUR FOUR
#undef FOUR
#undef FORTY
#undef SIXTEEN
#undef ADD
#undef PRODUCT
    double sum = sum_lanes(total);
    for (; i < n; i++) {
        sum += (double)a[i] * b[i];
    }
    return sum;
}

#endif
