/* Prediction coefficients from reflection coefficients: replaces silk/float/k2a_FLP.c. Exact.
 *
 * A coefficient and its mirror image change alike: A[n] += rc * A[k - 1 - n]. So the row is kept forwards and backwards,
 * and each step is sums of whole rows.
 */
#include "SigProc_FLP.h"
#include "fixed.h"

#define ROOM SILK_MAX_ORDER_LPC

INLINE void to_predictor(silk_float *A, const silk_float *rc, int order, const int room) {
    /* backward[k][ROOM - k + i] is A[k - 1 - i] before step k: each step begins one place before. */
    silk_float forward[ROOM] = {0}, backward[2 * ROOM + 1] = {0};
    for (int k = 0; k < order; k++) {
        silk_float *mirror = &backward[ROOM - k];
        v128_t scale = wasm_f32x4_splat(rc[k]);
#pragma clang loop unroll(full)
        for (int n = 0; n < room; n += 4) {
            v128_t a = wasm_v128_load(&forward[n]), b = wasm_v128_load(&mirror[n]);
            wasm_v128_store(&forward[n], wasm_f32x4_add(a, wasm_f32x4_mul(b, scale)));
            wasm_v128_store(&mirror[n], wasm_f32x4_add(b, wasm_f32x4_mul(a, scale)));
        }
        forward[k] = mirror[-1] = -rc[k];
    }
    silk_memcpy(A, forward, order * sizeof(silk_float));
}

void silk_k2a_FLP(silk_float *A, const silk_float *rc, opus_int32 order) {
    celt_assert(order <= ROOM);
    if (order <= 16) {
        to_predictor(A, rc, order, 16);
    } else {
        to_predictor(A, rc, order, ROOM);
    }
}
