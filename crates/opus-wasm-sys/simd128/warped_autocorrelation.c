/* Autocorrelation on a warped frequency axis: replaces silk/float/warped_autocorrelation_FLP.c. Differs by rounding.
 *
 * libopus runs one sample through all allpass sections before it takes the next: each section waits for the one
 * before. Here section i works on the sample i steps behind, so that all sections of a step are independent:
 *     z[i + 1] at step t = z[i] at t - 2 + warping * (z[i + 1] - z[i]) at t - 1.
 * Up to sixteen sections are done in one pass over the signal, with states in registers; the output of the last one is
 * the input of the next pass.
 *
 * libopus has doubles. Here signal, states and the products of twelve steps are floats, as the result is (in its
 * fixed-point build they have fewer bits still); what is summed for longer is of doubles.
 */
#include "main_FLP.h"
#include "double.h"
#include "fixed.h"

#define MOST 16 /* sections a pass */
#define STEPS 12
#define BEYOND (MOST + STEPS) /* zeros on either side of the signal */

/* States of the sections of one pass, four to a vector, and what their products sum to. */
typedef struct {
    v128_t z[MOST / 4], before[MOST / 4], sum[MOST / 4];
    v128_t input; /* of the first section, one step ago (all lanes) */
} lattice;

INLINE void step(lattice *l, v128_t *scratch, float *in, const float *reversed, v128_t warp, const int sections,
                 const int first) {
    v128_t from_left = l->input;
    for (int k = 0; k < sections / 4; k++) {
        v128_t shifted = wasm_i32x4_shuffle(from_left, l->z[k], 3, 4, 5, 6);
        v128_t ready = wasm_f32x4_add(l->before[k], wasm_f32x4_mul(warp, l->z[k])); /* does not wait for `shifted` */
        from_left = l->z[k];
        l->z[k] = wasm_f32x4_sub(ready, wasm_f32x4_mul(warp, shifted));
        l->before[k] = shifted;
        v128_t product = wasm_f32x4_mul(l->z[k], wasm_v128_load(&reversed[4 * k]));
        l->sum[k] = first ? product : wasm_f32x4_add(l->sum[k], product);
        wasm_v128_store(&scratch[k], l->sum[k]);
    }
    BARRIER(scratch);
    l->input = wasm_v128_load32_splat(in);
    if (sections < MOST) {
        in[-sections] = wasm_f32x4_extract_lane(l->z[sections / 4 - 1], 3); /* the place has been read */
    }
}

/* `sections` allpass sections on `in`, which is overwritten by what the last one puts out, unless they are the most there
 * are. `reversed[t]` is the signal t samples ago. Twelve steps a turn: each turn costs a look at the deadline, and with it
 * all of the state goes through memory. */
INLINE void pass(float *in, const float *reversed, float warping, int length, const int sections, double *corr) {
    v128_t warp = wasm_f32x4_splat(warping);
    lattice l;
    v128_t scratch[MOST / 4], total[MOST / 2];
    for (int k = 0; k < sections / 4; k++) {
        l.z[k] = l.before[k] = wasm_f32x4_const_splat(0);
        total[2 * k] = total[2 * k + 1] = wasm_f64x2_const_splat(0);
    }
    l.input = wasm_f32x4_const_splat(0);
    for (int t = 0; t < length + sections; t += STEPS) {
#pragma clang loop unroll(full)
        for (int k = 0; k < STEPS; k++) {
            step(&l, scratch, &in[t + k], &reversed[-t - k], warp, sections, k == 0);
        }
        for (int k = 0; k < sections / 4; k++) {
            v128_t upper = wasm_i32x4_shuffle(l.sum[k], l.sum[k], 2, 3, 0, 1);
            total[2 * k] = wasm_f64x2_add(total[2 * k], wasm_f64x2_promote_low_f32x4(l.sum[k]));
            total[2 * k + 1] = wasm_f64x2_add(total[2 * k + 1], wasm_f64x2_promote_low_f32x4(upper));
        }
    }
    for (int k = 0; k < sections / 2; k++) {
        wasm_v128_store(&corr[2 * k], total[k]);
    }
}

void silk_warped_autocorrelation_FLP(silk_float *corr, const silk_float *input, const silk_float warping,
                                     const opus_int length, const opus_int order) {
    float buffer[MOST + SHAPE_LPC_WIN_MAX + BEYOND], reversed[BEYOND + SHAPE_LPC_WIN_MAX + MOST];
    double C[MAX_SHAPE_LPC_ORDER + 8];
    float *in = &buffer[MOST], *newest = &reversed[BEYOND];
    celt_assert(order <= MAX_SHAPE_LPC_ORDER && (order & 1) == 0);
    celt_assert(length <= SHAPE_LPC_WIN_MAX);

    silk_memset(reversed, 0, sizeof(reversed));
    int n = 0;
#pragma clang loop unroll_count(4)
    for (; n + 4 <= length; n += 4) {
        v128_t x = wasm_v128_load(&input[n]);
        wasm_v128_store(&in[n], x);
        wasm_v128_store(&newest[length - 4 - n], wasm_i32x4_shuffle(x, x, 3, 2, 1, 0));
    }
    for (; n < length; n++) {
        in[n] = newest[length - 1 - n] = input[n];
    }
    int done = 0;
#define PASS(sections)                                                    \
    silk_memset(&in[length], 0, BEYOND * sizeof(float));                  \
    pass(in, &newest[length], warping, length, sections, &C[done]);       \
    done += sections
    while (done < order % MOST) { /* sections beyond the order are of no use and do no harm */
        PASS(8);
    }
    while (done < order) {
        PASS(MOST);
    }
#undef PASS
    corr[0] = (silk_float)silk_energy_FLP(input, length);
    for (int i = 0; i < order; i++) {
        corr[1 + i] = (silk_float)C[i];
    }
}
