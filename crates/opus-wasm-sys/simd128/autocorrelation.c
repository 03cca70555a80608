/* Autocorrelation: replaces silk/float/autocorrelation_FLP.c. Differs by rounding.
 *
 * libopus takes an inner product in double precision for each lag. Here eight lags are summed in one pass; lags.h says how.
 */
#include "main_FLP.h"
#include "stack_alloc.h"
#include "lags.h"

void sidetone_correlate(const float *x, int length, int count, double *sums) {
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
    VARDECL(float, x);
    SAVE_STACK;
    (void)arch;
    if (correlationCount > inputDataSize) {
        correlationCount = inputDataSize;
    }
    celt_assert(correlationCount <= MAX_SHAPE_LPC_ORDER + 1);
    ALLOC(x, inputDataSize + ZEROS_BEHIND(correlationCount), float);
    silk_memcpy(x, inputData, inputDataSize * sizeof(float));
    silk_memset(&x[inputDataSize], 0, ZEROS_BEHIND(correlationCount) * sizeof(float));
    sidetone_correlate(x, inputDataSize, correlationCount, sums);
    for (int i = 0; i < correlationCount; i++) {
        results[i] = (silk_float)sums[i];
    }
    RESTORE_STACK;
}
