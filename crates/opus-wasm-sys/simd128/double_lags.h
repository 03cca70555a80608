/* Sums of x[i] * x[i + lag] over doubles, up to eight lags in one pass. Behind the `length` samples (an odd one is
 * counted as a pair) there must be as many zeros as the greatest lag, and one more. */
#ifndef SIDETONE_DOUBLE_LAGS_H
#define SIDETONE_DOUBLE_LAGS_H

#include "double.h"

#define LAGS 8

INLINE void add_lags(v128_t *sum, const double *x, int lag, const int lags) {
    v128_t now = wasm_v128_load(x);
#pragma clang loop unroll(full)
    for (int k = 0; k < lags; k++) {
        sum[k] = wasm_f64x2_add(sum[k], wasm_f64x2_mul(now, wasm_v128_load(&x[lag + k])));
    }
}

INLINE void sum_lags(const double *x, int length, int lag, const int lags, double *sums) {
    v128_t sum[LAGS];
    for (int k = 0; k < lags; k++) {
        sum[k] = wasm_f64x2_const_splat(0);
    }
    int i = 0;
    for (; i + 8 <= length; i += 8) { /* each turn costs a look at the deadline, and all sums go through memory */
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

/* `count` lags from `first` on. */
INLINE void correlate(const double *x, int length, int first, int count, double *sums) {
    int done = 0;
    for (; done + LAGS <= count; done += LAGS) {
        sum_lags(x, length, first + done, LAGS, &sums[done]);
    }
    for (; done + 2 <= count; done += 2) {
        sum_lags(x, length, first + done, 2, &sums[done]);
    }
    for (; done < count; done++) {
        sum_lags(x, length, first + done, 1, &sums[done]);
    }
}

#endif
