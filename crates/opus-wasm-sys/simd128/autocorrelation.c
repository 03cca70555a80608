/* Autocorrelation in double precision: replaces silk/float/autocorrelation_FLP.c. Differs by rounding.
 *
 * libopus takes an inner product for each lag, and converts every sample to double twice for each. Here samples are
 * converted once and eight lags summed in one pass.
 */
#include "main_FLP.h"
#include "stack_alloc.h"
#include "double_lags.h"

void sidetone_correlate(const double *x, int length, int count, double *sums) {
    for (int done = 0; done < count;) {
        int left = count - done;
        if ((left >= 7 && left <= 8) || (left >= 13 && left <= 16) || left > 18) {
            sum_lags(x, length, done, 8, &sums[done]);
            done += 8;
        } else {
            sum_lags(x, length, done, 6, &sums[done]);
            done += 6;
        }
    }
}

void silk_autocorrelation_FLP(silk_float *results, const silk_float *inputData, opus_int inputDataSize,
                              opus_int correlationCount, int arch) {
    double sums[MAX_SHAPE_LPC_ORDER + 1 + MORE_LAGS];
    VARDECL(double, x);
    SAVE_STACK;
    (void)arch;
    if (correlationCount > inputDataSize) {
        correlationCount = inputDataSize;
    }
    celt_assert(correlationCount <= MAX_SHAPE_LPC_ORDER + 1);
    ALLOC(x, inputDataSize + correlationCount + MORE_LAGS + 1, double);
    int i = 0;
#pragma clang loop unroll_count(16)
    for (; i + 2 <= inputDataSize; i += 2) {
        wasm_v128_store(&x[i], load_doubles(&inputData[i]));
    }
    for (; i < inputDataSize; i++) {
        x[i] = inputData[i];
    }
    silk_memset(&x[i], 0, (correlationCount + MORE_LAGS + 1) * sizeof(double));
    sidetone_correlate(x, inputDataSize, correlationCount, sums);
    for (i = 0; i < correlationCount; i++) {
        results[i] = (silk_float)sums[i];
    }
    RESTORE_STACK;
}
