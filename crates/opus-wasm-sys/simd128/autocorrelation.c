/* Autocorrelation in double precision: replaces silk/float/autocorrelation_FLP.c. Differs by rounding.
 *
 * libopus takes an inner product for each lag, and converts every sample to double twice for each. Here samples are
 * converted once and eight lags summed in one pass. Behind the signal lie zeros, so that all lags are equally long.
 */
#include "main_FLP.h"
#include "stack_alloc.h"
#include "double.h"

#define LAGS 8

/* Sums of x[i] * x[i + lag] for `lags` lags from `lag` on. */
INLINE void correlate(const double *x, int length, int lag, const int lags, silk_float *results) {
    v128_t sum[LAGS];
    for (int k = 0; k < lags; k++) {
        sum[k] = wasm_f64x2_const_splat(0);
    }
    for (int i = 0; i < length; i += 2) {
        v128_t now = wasm_v128_load(&x[i]);
#pragma clang loop unroll(full)
        for (int k = 0; k < lags; k++) {
            sum[k] = wasm_f64x2_add(sum[k], wasm_f64x2_mul(now, wasm_v128_load(&x[i + lag + k])));
        }
    }
    for (int k = 0; k < lags; k++) {
        results[k] = (silk_float)sum_lanes(sum[k]);
    }
}

void silk_autocorrelation_FLP(silk_float *results, const silk_float *inputData, opus_int inputDataSize,
                              opus_int correlationCount, int arch) {
    VARDECL(double, x);
    SAVE_STACK;
    (void)arch;
    if (correlationCount > inputDataSize) {
        correlationCount = inputDataSize;
    }
    ALLOC(x, inputDataSize + correlationCount + 2, double);
    int i = 0;
    for (; i + 2 <= inputDataSize; i += 2) {
        wasm_v128_store(&x[i], load_doubles(&inputData[i]));
    }
    for (; i < inputDataSize; i++) {
        x[i] = inputData[i];
    }
    silk_memset(&x[i], 0, (correlationCount + 2) * sizeof(double));

    int lag = 0;
    for (; lag + LAGS <= correlationCount; lag += LAGS) {
        correlate(x, inputDataSize, lag, LAGS, &results[lag]);
    }
    for (; lag < correlationCount; lag++) {
        correlate(x, inputDataSize, lag, 1, &results[lag]);
    }
    RESTORE_STACK;
}
