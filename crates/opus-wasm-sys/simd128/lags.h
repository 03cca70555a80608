/* Sums of x[i] * x[i + lag] over floats, up to eight lags in one pass. Behind the `length` samples there must be as many
 * zeros as the greatest lag that is found, and three more.
 *
 * Products are summed as floats over at most 48 samples, twelve in each lane, and these sums as doubles: what is lost is
 * a ten-millionth of the energy, and SILK adds a hundred times as much noise to every autocorrelation before it is used.
 */
#ifndef SIDETONE_LAGS_H
#define SIDETONE_LAGS_H

#include "double.h"
#include "fixed.h"

/* Room that `sidetone_correlate` needs behind its sums: a pass may find more lags than were asked for. */
#define MORE_LAGS 5

/* Zeros that must follow the signal for `count` lags. */
#define ZEROS_BEHIND(count) ((count) + MORE_LAGS + 3)

/* The next `samples` of the signal, four to a vector, and those the lag later. A sum is stored at each step, which nobody reads: Cranelift would
 * load and spill all factors first (SETTLE in fixed.h). */
INLINE void add_lags(v128_t *total, const float *x, const float *later, const int samples, const int lags) {
    v128_t sum[8], scratch[8];
#pragma clang loop unroll(full)
    for (int i = 0; i < samples; i += 4) {
        v128_t now = wasm_v128_load(&x[i]);
#pragma clang loop unroll(full)
        for (int k = 0; k < lags; k++) {
            v128_t product = wasm_f32x4_mul(now, wasm_v128_load(&later[i + k]));
            sum[k] = i == 0 ? product : wasm_f32x4_add(sum[k], product);
            wasm_v128_store(&scratch[k], sum[k]);
        }
        BARRIER(scratch);
    }
#pragma clang loop unroll(full)
    for (int k = 0; k < lags; k++) {
        total[k] = add_floats(total[k], sum[k]);
    }
}

INLINE void sum_lags(const float *x, int length, int lag, const int lags, double *sums) {
    v128_t total[8];
    for (int k = 0; k < lags; k++) {
        total[k] = wasm_f64x2_const_splat(0);
    }
    const float *end = x + length, *later = x + lag;
    for (; x + 48 <= end; x += 48, later += 48) { /* each turn costs a look at the deadline, and all sums go through memory */
        add_lags(total, x, later, 48, lags);
    }
    for (; x + 16 <= end; x += 16, later += 16) {
        add_lags(total, x, later, 16, lags);
    }
    for (; x < end; x += 4, later += 4) {
        add_lags(total, x, later, 4, lags);
    }
    for (int k = 0; k < lags; k++) {
        sums[k] = sum_lanes(total[k]);
    }
}

/* `count` lags from 0 on, six or eight in a pass, and up to MORE_LAGS more. */
void sidetone_correlate(const float *x, int length, int count, double *sums);

#endif
