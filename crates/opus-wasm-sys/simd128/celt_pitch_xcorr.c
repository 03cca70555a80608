/* Correlation of a signal with a longer one at many lags: celt_pitch_xcorr of celt/pitch.h. Differs by rounding.
 *
 * Sixteen lags at a time: a sample of x is loaded once for all.
 */
#include "celt_kernels.h"

#define GROUPS 4

static inline __attribute__((always_inline)) void lags(const float *x, const float *y, float *xcorr, int len,
                                                       const int groups) {
    v128_t sum[GROUPS];
    for (int k = 0; k < groups; k++) {
        sum[k] = wasm_f32x4_const_splat(0);
    }
#pragma clang loop unroll_count(20)
    for (const float *end = x + len; x < end; x++, y++) {
        v128_t now = wasm_v128_load32_splat(x);
        for (int k = 0; k < groups; k++) {
            sum[k] = wasm_f32x4_add(sum[k], wasm_f32x4_mul(now, wasm_v128_load(&y[4 * k])));
        }
    }
    for (int k = 0; k < groups; k++) {
        wasm_v128_store(&xcorr[4 * k], sum[k]);
    }
}

void sidetone_pitch_xcorr(const float *x, const float *y, float *xcorr, int len, int count) {
    int i = 0;
    for (; i + 16 <= count; i += 16) {
        lags(x, y + i, xcorr + i, len, 4);
    }
    for (; i + 4 <= count; i += 4) {
        lags(x, y + i, xcorr + i, len, 1);
    }
    for (; i < count; i++) {
        xcorr[i] = sidetone_inner_prod(x, y + i, len);
    }
}
