/* Autocorrelation on a warped frequency axis: replaces silk/float/warped_autocorrelation_FLP.c. Differs by rounding.
 *
 * libopus runs one sample through all allpass sections before it takes the next: each section waits for the one
 * before. Here section i works on the sample i steps behind, so that all sections of a step are independent:
 *     z[i + 1] at step t = z[i] at t - 2 + warping * (z[i + 1] - z[i]) at t - 1.
 * Up to eight sections are done in one pass over the signal, with states and sums in registers; the output of the
 * last one is the input of the next pass.
 */
#include "main_FLP.h"
#include "double.h"

#define MOST 8 /* sections a pass */
#define ROOM (SHAPE_LPC_WIN_MAX + 2 * MOST)

/* `sections` allpass sections (even) on `in[0..length]`; `in` is overwritten by what the last one puts out.
 * `behind[-k]` is the signal k samples ago; there and in `in`, zeros follow the signal. */
INLINE void pass(double *in, const double *reversed, double warping, int length, const int sections, double *corr) {
    v128_t warp = wasm_f64x2_splat(warping), zero = wasm_f64x2_splat(0);
    v128_t z[MOST / 2], before[MOST / 2], sum[MOST / 2];
    for (int k = 0; k < sections / 2; k++) {
        z[k] = before[k] = sum[k] = zero;
    }
    v128_t input = zero; /* of the first section, one step ago (both lanes) */
    for (int t = 0; t < length + sections; t++) {
        v128_t from_left = input;
#pragma clang loop unroll(full)
        for (int k = 0; k < sections / 2; k++) {
            v128_t shifted = wasm_i64x2_shuffle(from_left, z[k], 1, 2);
            v128_t ready = wasm_f64x2_add(before[k], wasm_f64x2_mul(warp, z[k])); /* does not wait for `shifted` */
            from_left = z[k];
            z[k] = wasm_f64x2_sub(ready, wasm_f64x2_mul(warp, shifted));
            before[k] = shifted;
            sum[k] = wasm_f64x2_add(sum[k], wasm_f64x2_mul(z[k], wasm_v128_load(&reversed[2 * k - t])));
        }
        input = wasm_v128_load64_splat(&in[t]);
        if (t >= sections) { /* the place of the sample that the last section is at has been read */
            in[t - sections] = wasm_f64x2_extract_lane(z[sections / 2 - 1], 1);
        }
    }
    for (int k = 0; k < sections / 2; k++) {
        corr[2 * k] = wasm_f64x2_extract_lane(sum[k], 0);
        corr[2 * k + 1] = wasm_f64x2_extract_lane(sum[k], 1);
    }
}

void silk_warped_autocorrelation_FLP(silk_float *corr, const silk_float *input, const silk_float warping,
                                     const opus_int length, const opus_int order) {
    double in[ROOM], reversed[ROOM + MOST], C[MAX_SHAPE_LPC_ORDER + 1];
    celt_assert((order & 1) == 0);
    celt_assert(length <= SHAPE_LPC_WIN_MAX);

    /* `last` points behind the newest sample of the reversed signal; older ones follow, zeros on both sides. */
    silk_memset(reversed, 0, sizeof(reversed));
    double *first = &reversed[MOST + length];
    double energy = 0;
    for (int n = 0; n < length; n++) {
        in[n] = input[n];
        first[-n] = input[n];
        energy += in[n] * in[n];
    }
    silk_memset(&in[length], 0, MOST * sizeof(double));
    C[0] = energy;
    int done = 0;
    for (; order - done >= 8; done += 8) {
        pass(in, first + 1, warping, length, 8, &C[1 + done]);
    }
    for (; order - done >= 2; done += 2) {
        pass(in, first + 1, warping, length, 2, &C[1 + done]);
    }
    for (int i = 0; i <= order; i++) {
        corr[i] = (silk_float)C[i];
    }
}
