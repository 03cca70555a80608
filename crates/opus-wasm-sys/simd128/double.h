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
#define PAIR(sum, at) sum = wasm_f64x2_add(sum, wasm_f64x2_mul(load_doubles(a + i + at), load_doubles(b + i + at)))
#define EIGHT(at)    \
    PAIR(s0, at);    \
    PAIR(s1, at + 2); \
    PAIR(s2, at + 4); \
    PAIR(s3, at + 6)
    for (; i + 32 <= n; i += 32) {
        EIGHT(0);
        EIGHT(8);
        EIGHT(16);
        EIGHT(24);
    }
    if (i + 16 <= n) {
        EIGHT(0);
        EIGHT(8);
        i += 16;
    }
    if (i + 8 <= n) {
        EIGHT(0);
        i += 8;
    }
    if (i + 4 <= n) {
        PAIR(s0, 0);
        PAIR(s0, 2);
        i += 4;
    }
    if (i + 2 <= n) {
        PAIR(s0, 0);
        i += 2;
    }
#undef EIGHT
#undef PAIR
    double sum = sum_lanes(wasm_f64x2_add(wasm_f64x2_add(s0, s1), wasm_f64x2_add(s2, s3)));
    return i < n ? sum + (double)a[i] * b[i] : sum;
}

#endif
