/* A recursive filter of up to 4 * VECTORS taps, exact: the sum over k of (x[n - 1 - k] * a[k]) >> 16.
 *
 * Every sample depends on the one before, and a load of four of them right after four stores would wait for the
 * stores. So nothing is loaded: when x[n] is known, what it adds to each of the next outputs is added there. Lane k of
 * `sum` is what is known so far about the output after k more samples; a push moves all lanes down by one.
 */
#ifndef SIDETONE_PREDICTOR_H
#define SIDETONE_PREDICTOR_H

#include "fixed.h"

#define PREDICTOR(name, VECTORS)                                                                                    \
    typedef struct {                                                                                                \
        v128_t hi[VECTORS], lo[VECTORS], bias[VECTORS], sum[VECTORS];                                               \
    } name;                                                                                                         \
    INLINE void name##_set(name *p, const short *a, int order) {                                                    \
        int tap[4 * VECTORS];                                                                                       \
        for (int k = 0; k < 4 * VECTORS; k++) {                                                                     \
            tap[k] = k < order ? a[k] : 0;                                                                          \
        }                                                                                                           \
        for (int k = 0; k < VECTORS; k++) {                                                                         \
            v128_t b = wasm_v128_load(&tap[4 * k]);                                                                 \
            p->hi[k] = wasm_i32x4_shl(b, 16);                                                                       \
            p->lo[k] = wasm_v128_and(b, wasm_i32x4_const_splat(0xFFFF));                                            \
            p->bias[k] = wasm_i32x4_shl(b, 15);                                                                     \
            p->sum[k] = wasm_i32x4_const_splat(0);                                                                  \
        }                                                                                                           \
    }                                                                                                               \
    /* `below`: x is below 2^31 - 2^15. */                                                                          \
    INLINE void name##_push(name *p, int x, const int below) {                                                      \
        v128_t all = wasm_i32x4_splat(x), upper = wasm_i32x4_add(all, wasm_i32x4_const_splat(0x8000));              \
        for (int k = 0; k < VECTORS; k++) {                                                                         \
            v128_t after = k + 1 < VECTORS ? p->sum[k + 1] : wasm_i32x4_const_splat(0);                             \
            v128_t moved = wasm_i32x4_shuffle(p->sum[k], after, 1, 2, 3, 4);                                        \
            v128_t product = below ? mulwb_parts(upper, all, p->hi[k], p->lo[k])                                    \
                                   : mulwb_flipped(flip(all), p->hi[k], p->lo[k], p->bias[k]);                      \
            p->sum[k] = wasm_i32x4_add(moved, product);                                                             \
        }                                                                                                           \
    }

/* What predictor `p` knows about the output after k more samples: k is a constant, below four. */
#define KNOWN_AFTER(p, k) wasm_i32x4_extract_lane((p)->sum[0], k)

/* Long-term prediction of four samples: 2 plus the sum of (x[-k] * b[k]) >> 16 over five taps. */
INLINE v128_t predict_long(const int *x, const factor *b) {
    v128_t sum = wasm_i32x4_const_splat(2);
    for (int k = 0; k < 5; k++) {
        sum = wasm_i32x4_add(sum, mulwb(wasm_v128_load(x - k), b[k]));
    }
    return sum;
}

#endif
