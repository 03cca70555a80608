/* Burg's method, linear prediction from the signal: replaces silk/float/burg_modified_FLP.c. Differs by rounding.
 *
 * In double precision, as in libopus, but for the correlations to begin with (lags.h). The samples are converted once, to
 * two copies of each subframe, forwards and backwards, so that what is read forwards needs no reversing.
 *
 * No loop over an order has a turn for each of its elements: each would look at the deadline, and the sums would go
 * through memory. Rows are done in blocks of eight, whole: zeros around the rows and behind the signal make what is too
 * much add nothing.
 */
#include "main_FLP.h"
#include "tuning_parameters.h"
#include "lags.h"

#define MAX_LENGTH (MAX_SUB_FRAME_LENGTH + MAX_LPC_ORDER)
#define BLOCK 8
#define BEHIND ZEROS_BEHIND(SILK_MAX_ORDER_LPC + 1)
#define ROOM (MAX_LENGTH + BEHIND)
#define ORDERS (3 * BLOCK) /* least multiple of a block that holds an order of 16, and two more */

typedef struct {
    double forward[MAX_NB_SUBFR][ROOM], backward[MAX_NB_SUBFR][ROOM];
} signal;

/* Coefficients, with as many zeros before them. */
typedef struct {
    double before[ORDERS], at[ORDERS];
} row;

INLINE v128_t load(const double *p) { return wasm_v128_load(p); }

/* p[0] and p[-1]. */
INLINE v128_t load_down(const double *p) {
    v128_t v = wasm_v128_load(p - 1);
    return wasm_i64x2_shuffle(v, v, 1, 0);
}

/* What `body` says for the first `count` elements, `k`, and for up to seven more. */
#define IN_BLOCKS(count, body)                                                                                      \
    do {                                                                                                            \
        { const int k = 0; body }                                                                                   \
        if ((count) > BLOCK) { const int k = BLOCK; body }                                                          \
        if ((count) > 2 * BLOCK) { const int k = 2 * BLOCK; body }                                                  \
    } while (0)

/* y[k] -= a * x[k]. */
INLINE void subtract_block(double *y, v128_t a, const double *x) {
#pragma clang loop unroll(full)
    for (int k = 0; k < BLOCK; k += 2) {
        wasm_v128_store(&y[k], wasm_f64x2_sub(load(&y[k]), wasm_f64x2_mul(a, load(&x[k]))));
    }
}

INLINE v128_t product_block(v128_t sum, const double *a, const double *b) {
#pragma clang loop unroll(full)
    for (int k = 0; k < BLOCK; k += 2) {
        sum = wasm_f64x2_add(sum, wasm_f64x2_mul(load(&a[k]), load(&b[k])));
    }
    return sum;
}

/* Sum of a[k] * b[-k]. */
INLINE v128_t reversed_block(v128_t sum, const double *a, const double *b) {
#pragma clang loop unroll(full)
    for (int k = 0; k < BLOCK; k += 2) {
        sum = wasm_f64x2_add(sum, wasm_f64x2_mul(load(&a[k]), load_down(&b[-k])));
    }
    return sum;
}

/* One order more: correlation matrix rows and their products with the predictor, for one subframe. */
INLINE void step(const double *x, const double *r, int length, int n, const double *Af, double *first_row,
                 double *last_row, double *CAf, double *CAb) {
    v128_t forward = wasm_f64x2_splat(x[n]), backward = wasm_f64x2_splat(r[n]);
    v128_t t1 = wasm_f64x2_const_splat(0), t2 = t1;
    const double *past = &r[length - n], *future = &x[length - n];
    if (n > 0) {
        IN_BLOCKS(n, subtract_block(&first_row[k], forward, &past[k]); subtract_block(&last_row[k], backward, &future[k]);
                  t1 = product_block(t1, &past[k], &Af[k]); t2 = product_block(t2, &future[k], &Af[k]););
    }
    v128_t a = wasm_f64x2_splat(x[n] + sum_lanes(t1)), b = wasm_f64x2_splat(r[n] + sum_lanes(t2));
    IN_BLOCKS(n + 1, subtract_block(&CAf[k], a, &past[k - 1]); subtract_block(&CAb[k], b, &future[k - 1]););
}

/* a[k] += rc * b[last - k] and b[k] += rc * a[last - k], both with what was there before. */
INLINE void reflect(row *a, row *b, double rc, int last) {
    v128_t scale = wasm_f64x2_splat(rc);
    double from_b[ORDERS], from_a[ORDERS];
    IN_BLOCKS(last + 1,
        _Pragma("clang loop unroll(full)") for (int j = k; j < k + BLOCK; j += 2) {
            wasm_v128_store(&from_b[j], wasm_f64x2_mul(scale, load_down(&b->at[last - j])));
            wasm_v128_store(&from_a[j], wasm_f64x2_mul(scale, load_down(&a->at[last - j])));
        });
    IN_BLOCKS(last + 1,
        _Pragma("clang loop unroll(full)") for (int j = k; j < k + BLOCK; j += 2) {
            wasm_v128_store(&a->at[j], wasm_f64x2_add(load(&a->at[j]), load(&from_b[j])));
            if (a != b) {
                wasm_v128_store(&b->at[j], wasm_f64x2_add(load(&b->at[j]), load(&from_a[j])));
            }
        });
}

silk_float silk_burg_modified_FLP(silk_float A[], const silk_float x[], const silk_float minInvGain,
                                  const opus_int subfr_length, const opus_int nb_subfr, const opus_int D, int arch) {
    signal s;
    row first = {0}, last = {0}, forward = {0}, backward = {0}, predictor = {0};
    double *first_row = first.at, *last_row = last.at, *CAf = forward.at, *CAb = backward.at, *Af = predictor.at;
    float floats[ROOM];
    double C0 = 0, invGain = 1, nrg_f;
    int reached_max_gain = 0;
    (void)arch;

    celt_assert(subfr_length <= MAX_LENGTH && nb_subfr <= MAX_NB_SUBFR && D <= SILK_MAX_ORDER_LPC);
    for (int j = 0; j < nb_subfr; j++) {
        double *f = s.forward[j], *b = s.backward[j], sums[SILK_MAX_ORDER_LPC + 1 + MORE_LAGS];
        int i = 0;
#pragma clang loop unroll_count(8)
        for (; i + 2 <= subfr_length; i += 2) {
            v128_t pair = load_doubles(&x[j * subfr_length + i]);
            wasm_v128_store(&f[i], pair);
            wasm_v128_store(&b[subfr_length - 2 - i], wasm_i64x2_shuffle(pair, pair, 1, 0));
        }
        for (; i < subfr_length; i++) {
            f[i] = b[subfr_length - 1 - i] = x[j * subfr_length + i];
        }
        silk_memset(&f[subfr_length], 0, BEHIND * sizeof(double));
        silk_memset(&b[subfr_length], 0, BEHIND * sizeof(double));
        silk_memcpy(floats, &x[j * subfr_length], subfr_length * sizeof(float));
        silk_memset(&floats[subfr_length], 0, BEHIND * sizeof(float));
        sidetone_correlate(floats, subfr_length, D + 1, sums);
        C0 += sums[0];
        for (int n = 0; n < D; n++) {
            first_row[n] += sums[n + 1];
        }
    }
    last = first;

    CAb[0] = CAf[0] = C0 + FIND_LPC_COND_FAC * C0 + 1e-9f;
    for (int n = 0; n < D; n++) {
        for (int j = 0; j < nb_subfr; j++) {
            step(s.forward[j], s.backward[j], subfr_length, n, Af, first_row, last_row, CAf, CAb);
        }
        v128_t zero = wasm_f64x2_const_splat(0), t1 = zero, t2 = zero;
        if (n > 0) {
            IN_BLOCKS(n, t1 = reversed_block(t1, &Af[k], &last_row[n - 1 - k]);
                      t2 = reversed_block(t2, &Af[k], &first_row[n - 1 - k]););
        }
        CAf[n + 1] = first_row[n] + sum_lanes(t1);
        CAb[n + 1] = last_row[n] + sum_lanes(t2);

        /* The reflection coefficient of this order. */
        v128_t products = zero, backwards = zero, forwards = zero;
        if (n > 0) {
            IN_BLOCKS(n, products = reversed_block(products, &Af[k], &CAb[n - k]);
                      backwards = product_block(backwards, &CAb[k + 1], &Af[k]);
                      forwards = product_block(forwards, &CAf[k + 1], &Af[k]););
        }
        double num = CAb[n + 1] + sum_lanes(products), nrg_b = CAb[0] + sum_lanes(backwards);
        nrg_f = CAf[0] + sum_lanes(forwards);
        double rc = -2.0 * num / (nrg_f + nrg_b);
        double gain = invGain * (1.0 - rc * rc);
        if (gain <= minInvGain) {
            /* Too much: the coefficient that reaches the greatest gain exactly, with the same sign. */
            rc = sqrt(1.0 - minInvGain / invGain);
            rc = num > 0 ? -rc : rc;
            invGain = minInvGain;
            reached_max_gain = 1;
        } else {
            invGain = gain;
        }

        if (n > 0) {
            reflect(&predictor, &predictor, rc, n - 1);
        }
        Af[n] = rc;
        if (reached_max_gain) {
            break;
        }
        reflect(&forward, &backward, rc, n + 1);
    }

    if (reached_max_gain) {
        for (int j = 0; j < nb_subfr; j++) { /* without the samples before the subframes */
            C0 -= silk_energy_FLP(x + j * subfr_length, D);
        }
        nrg_f = C0 * invGain;
        for (int k = 0; k < D; k++) {
            A[k] = (silk_float)(-Af[k]);
        }
    } else {
        double norm = 1.0;
        nrg_f = CAf[0];
        for (int k = 0; k < D; k++) {
            nrg_f += CAf[k + 1] * Af[k];
            norm += Af[k] * Af[k];
            A[k] = (silk_float)(-Af[k]);
        }
        nrg_f -= FIND_LPC_COND_FAC * C0 * norm;
    }
    return (silk_float)nrg_f;
}
