/* Sums of x[i] * x[i + lag] over doubles, up to eight lags in one pass. Behind the `length` samples (an odd one is
 * counted as a pair) there must be as many zeros as the greatest lag that is found, and one more. */
#ifndef SIDETONE_DOUBLE_LAGS_H
#define SIDETONE_DOUBLE_LAGS_H

#include "double.h"

/* Room that `correlate` needs behind its sums: a pass may find more lags than were asked for. */
#define MORE_LAGS 5

INLINE void add_lags(v128_t *sum, const double *x, int lag, const int lags) {
    v128_t now = wasm_v128_load(x);
#pragma clang loop unroll(full)
    for (int k = 0; k < lags; k++) {
        sum[k] = wasm_f64x2_add(sum[k], wasm_f64x2_mul(now, wasm_v128_load(&x[lag + k])));
    }
}

INLINE void sum_lags(const double *x, int length, int lag, const int lags, double *sums) {
    v128_t sum[8];
    for (int k = 0; k < lags; k++) {
        sum[k] = wasm_f64x2_const_splat(0);
    }
    int i = 0;
    for (; i + 24 <= length; i += 24) { /* each turn costs a look at the deadline, and all sums go through memory */
#pragma clang loop unroll(full)
        for (int j = 0; j < 24; j += 2) {
            add_lags(sum, &x[i + j], lag, lags);
        }
    }
    for (; i + 8 <= length; i += 8) {
#pragma clang loop unroll(full)
        for (int j = 0; j < 8; j += 2) {
            add_lags(sum, &x[i + j], lag, lags);
        }
    }
    for (; i < length; i += 2) {
        add_lags(sum, &x[i], lag, lags);
    }
    for (int k = 0; k < lags; k++) {
        sums[k] = sum_lanes(sum[k]);
    }
}

/* `count` lags from 0 on, six or eight in a pass, and up to MORE_LAGS more. */
void sidetone_correlate(const double *x, int length, int count, double *sums);

#endif
