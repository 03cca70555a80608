/* Reflection coefficients from correlations: replaces silk/float/schur_FLP.c. Exact.
 *
 * Both rows are kept apart and updated eight at a time; what is too much lands where nobody looks.
 */
#include "SigProc_FLP.h"
#include "fixed.h"

#define BLOCK 8

/* One block of both rows, from n on: the upper one k + 1 ahead. */
INLINE void reflect(double *upper, double *lower, v128_t scale) {
#pragma clang loop unroll(full)
    for (int j = 0; j < BLOCK; j += 2) {
        v128_t a = wasm_v128_load(&upper[j]), b = wasm_v128_load(&lower[j]);
        wasm_v128_store(&upper[j], wasm_f64x2_add(a, wasm_f64x2_mul(b, scale)));
        wasm_v128_store(&lower[j], wasm_f64x2_add(b, wasm_f64x2_mul(a, scale)));
    }
}

silk_float silk_schur_FLP(silk_float refl_coef[], const silk_float auto_corr[], opus_int order) {
    double upper[SILK_MAX_ORDER_LPC + 1 + BLOCK] = {0}, lower[SILK_MAX_ORDER_LPC + 1 + BLOCK] = {0};
    celt_assert(order >= 0 && order <= SILK_MAX_ORDER_LPC);
    int k = 0;
#pragma clang loop unroll_count(4)
    do {
        upper[k] = lower[k] = auto_corr[k];
    } while (++k <= order);
    for (k = 0; k < order; k++) {
        double rc = -upper[k + 1] / silk_max_float(lower[0], 1e-9f);
        refl_coef[k] = (silk_float)rc;
        v128_t scale = wasm_f64x2_splat(rc);
        reflect(&upper[k + 1], lower, scale);
        if (order - k > BLOCK) {
            reflect(&upper[k + 1 + BLOCK], &lower[BLOCK], scale);
        }
        if (order - k > 2 * BLOCK) {
            reflect(&upper[k + 1 + 2 * BLOCK], &lower[2 * BLOCK], scale);
        }
    }
    return (silk_float)lower[0];
}
