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
#include "fixed.h"

#define MOST 8 /* sections a pass */
#define STEPS 8
#define ROOM (SHAPE_LPC_WIN_MAX + 2 * MOST + STEPS)

/* States and sums of the sections of one pass, two to a vector. */
typedef struct {
    v128_t z[MOST / 2], before[MOST / 2], sum[MOST / 2];
    v128_t input; /* of the first section, one step ago (both lanes) */
} lattice;

INLINE void step(lattice *l, v128_t *scratch, double *in, const double *reversed, v128_t warp, const int sections) {
    v128_t from_left = l->input;
    for (int k = 0; k < sections / 2; k++) {
        v128_t shifted = wasm_i64x2_shuffle(from_left, l->z[k], 1, 2);
        v128_t ready = wasm_f64x2_add(l->before[k], wasm_f64x2_mul(warp, l->z[k])); /* does not wait for `shifted` */
        from_left = l->z[k];
        l->z[k] = wasm_f64x2_sub(ready, wasm_f64x2_mul(warp, shifted));
        l->before[k] = shifted;
        l->sum[k] = wasm_f64x2_add(l->sum[k], wasm_f64x2_mul(l->z[k], wasm_v128_load(&reversed[2 * k])));
        wasm_v128_store(&scratch[k], l->sum[k]);
    }
    BARRIER(scratch);
    l->input = wasm_v128_load64_splat(in);
    in[-sections] = wasm_f64x2_extract_lane(l->z[sections / 2 - 1], 1); /* the place has been read */
}

/* `sections` allpass sections (even) on `in`, which is overwritten by what the last one puts out. `reversed[t]` is the
 * signal t samples ago. Zeros surround both. Eight steps a turn: each turn costs a look at the deadline, and with it all
 * of the state goes through memory. */
INLINE void pass(double *in, const double *reversed, double warping, int length, const int sections, double *corr) {
    v128_t warp = wasm_f64x2_splat(warping);
    lattice l;
    v128_t scratch[MOST / 2];
    for (int k = 0; k < sections / 2; k++) {
        l.z[k] = l.before[k] = l.sum[k] = wasm_f64x2_const_splat(0);
    }
    l.input = wasm_f64x2_const_splat(0);
    for (int t = 0; t < length + sections; t += STEPS) {
#pragma clang loop unroll(full)
        for (int k = 0; k < STEPS; k++) {
            step(&l, scratch, &in[t + k], &reversed[-t - k], warp, sections);
        }
    }
    for (int k = 0; k < sections / 2; k++) {
        corr[2 * k] = wasm_f64x2_extract_lane(l.sum[k], 0);
        corr[2 * k + 1] = wasm_f64x2_extract_lane(l.sum[k], 1);
    }
}

void silk_warped_autocorrelation_FLP(silk_float *corr, const silk_float *input, const silk_float warping,
                                     const opus_int length, const opus_int order) {
    double buffer[ROOM], reversed[ROOM], C[MAX_SHAPE_LPC_ORDER + 1];
    double *in = &buffer[MOST];
    celt_assert((order & 1) == 0);
    celt_assert(length <= SHAPE_LPC_WIN_MAX);

    silk_memset(reversed, 0, sizeof(reversed));
    double *first = &reversed[MOST + STEPS + length - 1]; /* the oldest sample; newer ones lie before it */
    v128_t energy = wasm_f64x2_const_splat(0);
    int n = 0;
#pragma clang loop unroll_count(8)
    for (; n + 2 <= length; n += 2) {
        v128_t x = load_doubles(&input[n]);
        wasm_v128_store(&in[n], x);
        wasm_v128_store(&first[-n - 1], wasm_i64x2_shuffle(x, x, 1, 0));
        energy = wasm_f64x2_add(energy, wasm_f64x2_mul(x, x));
    }
    C[0] = sum_lanes(energy);
    for (; n < length; n++) {
        in[n] = first[-n] = input[n];
        C[0] += in[n] * in[n];
    }
    int done = 0;
    for (; order - done >= 8; done += 8) {
        silk_memset(&in[length], 0, (MOST + STEPS) * sizeof(double));
        pass(in, first + 1, warping, length, 8, &C[1 + done]);
    }
    for (; order - done >= 2; done += 2) {
        silk_memset(&in[length], 0, (MOST + STEPS) * sizeof(double));
        pass(in, first + 1, warping, length, 2, &C[1 + done]);
    }
    for (int i = 0; i <= order; i++) {
        corr[i] = (silk_float)C[i];
    }
}
