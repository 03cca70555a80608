/* Sums in double precision over floats. */
#ifndef SIDETONE_DOUBLE_H
#define SIDETONE_DOUBLE_H

#include <wasm_simd128.h>

#ifndef INLINE
#define INLINE static inline __attribute__((always_inline))
#endif

/* Two floats, as doubles. */
INLINE v128_t load_doubles(const float *p) { return wasm_f64x2_promote_low_f32x4(wasm_v128_load64_zero(p)); }

INLINE double sum_lanes(v128_t a) { return wasm_f64x2_extract_lane(a, 0) + wasm_f64x2_extract_lane(a, 1); }

/* Inner product; the order of the additions is fixed: it does not depend on where the data lie. */
INLINE double inner_product(const float *a, const float *b, int n) {
    v128_t s0 = wasm_f64x2_const_splat(0), s1 = s0, s2 = s0, s3 = s0;
    int i = 0;
#pragma clang loop unroll_count(4)
    for (; i + 8 <= n; i += 8) {
        s0 = wasm_f64x2_add(s0, wasm_f64x2_mul(load_doubles(a + i), load_doubles(b + i)));
        s1 = wasm_f64x2_add(s1, wasm_f64x2_mul(load_doubles(a + i + 2), load_doubles(b + i + 2)));
        s2 = wasm_f64x2_add(s2, wasm_f64x2_mul(load_doubles(a + i + 4), load_doubles(b + i + 4)));
        s3 = wasm_f64x2_add(s3, wasm_f64x2_mul(load_doubles(a + i + 6), load_doubles(b + i + 6)));
    }
    for (; i + 2 <= n; i += 2) {
        s0 = wasm_f64x2_add(s0, wasm_f64x2_mul(load_doubles(a + i), load_doubles(b + i)));
    }
    double sum = sum_lanes(wasm_f64x2_add(wasm_f64x2_add(s0, s1), wasm_f64x2_add(s2, s3)));
    return i < n ? sum + (double)a[i] * b[i] : sum;
}

#endif
