/* Prediction coefficients from reflection coefficients: replaces silk/float/k2a_FLP.c. Exact.
 *
 * The rows of the usual orders are without a loop, so that a look at the deadline moves nothing. They are not vectors: a row is
 * walked from both ends, and what was stored one by one, or in other fours, is slow to load as four.
 */
#include "SigProc_FLP.h"

#define USUAL 16

INLINE void pair(silk_float *A, int n, int other, silk_float rc) {
    silk_float a = A[n], b = A[other];
    A[n] = a + b * rc;
    A[other] = b + a * rc;
}

void silk_k2a_FLP(silk_float *A, const silk_float *rc, opus_int32 order) {
#pragma clang loop unroll(full)
    for (int k = 0; k < USUAL; k++) {
        if (k == order) {
            return;
        }
        const silk_float scale = rc[k];
#pragma clang loop unroll(full)
        for (int n = 0; n < (k + 1) >> 1; n++) {
            pair(A, n, k - n - 1, scale);
        }
        A[k] = -scale;
    }
    for (int k = USUAL; k < order; k++) {
        const silk_float scale = rc[k];
#pragma clang loop unroll_count(4)
        for (int n = 0; n < (k + 1) >> 1; n++) {
            pair(A, n, k - n - 1, scale);
        }
        A[k] = -scale;
    }
}
