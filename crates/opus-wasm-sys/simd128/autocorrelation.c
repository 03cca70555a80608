/* Autocorrelation in double precision: replaces silk/float/autocorrelation_FLP.c. Differs by rounding.
 *
 * libopus takes an inner product for each lag, and converts every sample to double twice for each. Here samples are
 * converted once and eight lags summed in one pass.
 */
#include "main_FLP.h"
#include "stack_alloc.h"
#include "double_lags.h"

void silk_autocorrelation_FLP(silk_float *results, const silk_float *inputData, opus_int inputDataSize,
                              opus_int correlationCount, int arch) {
    double sums[MAX_SHAPE_LPC_ORDER + 1];
    VARDECL(double, x);
    SAVE_STACK;
    (void)arch;
    if (correlationCount > inputDataSize) {
        correlationCount = inputDataSize;
    }
    celt_assert(correlationCount <= MAX_SHAPE_LPC_ORDER + 1);
    ALLOC(x, inputDataSize + correlationCount + 1, double);
    int i = 0;
    for (; i + 2 <= inputDataSize; i += 2) {
        wasm_v128_store(&x[i], load_doubles(&inputData[i]));
    }
    for (; i < inputDataSize; i++) {
        x[i] = inputData[i];
    }
    silk_memset(&x[i], 0, (correlationCount + 1) * sizeof(double));
    correlate(x, inputDataSize, 0, correlationCount, sums);
    for (i = 0; i < correlationCount; i++) {
        results[i] = (silk_float)sums[i];
    }
    RESTORE_STACK;
}
