/* Burg's method, linear prediction from the signal: replaces silk/float/burg_modified_FLP.c. Differs by rounding.
 *
 * All in double precision, as in libopus. The samples are converted once, to two copies of each subframe, forwards and
 * backwards, so that every inner loop runs upwards over neighbours; two of its turns are one. Zeros behind both copies
 * make the second half of an odd last turn add nothing.
 */
#include "main_FLP.h"
#include "tuning_parameters.h"
#include "double_lags.h"

#define MAX_LENGTH (MAX_SUB_FRAME_LENGTH + MAX_LPC_ORDER)
#define ROOM (MAX_LENGTH + SILK_MAX_ORDER_LPC + 2)
#define ORDERS (SILK_MAX_ORDER_LPC + 2)

typedef struct {
    double forward[MAX_NB_SUBFR][ROOM], backward[MAX_NB_SUBFR][ROOM];
} signal;

INLINE v128_t load(const double *p) { return wasm_v128_load(p); }

/* y[k] -= a * x[k] for k below n, in pairs. */
INLINE void subtract_scaled(double *y, double a, const double *x, int n) {
    v128_t scale = wasm_f64x2_splat(a);
    for (int k = 0; k < n; k += 2) {
        wasm_v128_store(&y[k], wasm_f64x2_sub(load(&y[k]), wasm_f64x2_mul(scale, load(&x[k]))));
    }
}

/* One order more: correlation matrix rows and their products with the predictor, for one subframe. */
INLINE void step(const double *x, const double *r, int length, int n, const double *Af, double *first_row,
                 double *last_row, double *CAf, double *CAb) {
    v128_t forward = wasm_f64x2_splat(x[n]), backward = wasm_f64x2_splat(r[n]);
    v128_t t1 = wasm_f64x2_const_splat(0), t2 = t1;
    const double *past = &r[length - n], *future = &x[length - n];
    for (int k = 0; k < n; k += 2) {
        v128_t p = load(&past[k]), f = load(&future[k]), a = load(&Af[k]);
        wasm_v128_store(&first_row[k], wasm_f64x2_sub(load(&first_row[k]), wasm_f64x2_mul(forward, p)));
        wasm_v128_store(&last_row[k], wasm_f64x2_sub(load(&last_row[k]), wasm_f64x2_mul(backward, f)));
        t1 = wasm_f64x2_add(t1, wasm_f64x2_mul(p, a));
        t2 = wasm_f64x2_add(t2, wasm_f64x2_mul(f, a));
    }
    subtract_scaled(CAf, x[n] + sum_lanes(t1), past - 1, n + 1);
    subtract_scaled(CAb, r[n] + sum_lanes(t2), future - 1, n + 1);
}

silk_float silk_burg_modified_FLP(silk_float A[], const silk_float x[], const silk_float minInvGain,
                                  const opus_int subfr_length, const opus_int nb_subfr, const opus_int D, int arch) {
    signal s;
    double first_row[ORDERS] = {0}, last_row[ORDERS], CAf[ORDERS] = {0}, CAb[ORDERS] = {0}, Af[ORDERS] = {0};
    double C0 = 0, invGain = 1, nrg_f;
    int reached_max_gain = 0;
    (void)arch;

    celt_assert(subfr_length <= MAX_LENGTH && nb_subfr <= MAX_NB_SUBFR && D <= SILK_MAX_ORDER_LPC);
    for (int j = 0; j < nb_subfr; j++) {
        double *f = s.forward[j], *b = s.backward[j], sums[SILK_MAX_ORDER_LPC + 1];
        for (int i = 0; i < subfr_length; i++) {
            f[i] = b[subfr_length - 1 - i] = x[j * subfr_length + i];
        }
        silk_memset(&f[subfr_length], 0, (D + 2) * sizeof(double));
        silk_memset(&b[subfr_length], 0, 2 * sizeof(double));
        correlate(f, subfr_length, 0, D + 1, sums);
        C0 += sums[0];
        for (int n = 0; n < D; n++) {
            first_row[n] += sums[n + 1];
        }
    }
    silk_memcpy(last_row, first_row, sizeof(last_row));

    CAb[0] = CAf[0] = C0 + FIND_LPC_COND_FAC * C0 + 1e-9f;
    for (int n = 0; n < D; n++) {
        for (int j = 0; j < nb_subfr; j++) {
            step(s.forward[j], s.backward[j], subfr_length, n, Af, first_row, last_row, CAf, CAb);
        }
        double t1 = first_row[n], t2 = last_row[n];
        for (int k = 0; k < n; k++) {
            t1 += last_row[n - k - 1] * Af[k];
            t2 += first_row[n - k - 1] * Af[k];
        }
        CAf[n + 1] = t1;
        CAb[n + 1] = t2;

        /* The reflection coefficient of this order. */
        double num = CAb[n + 1], nrg_b = CAb[0];
        nrg_f = CAf[0];
        for (int k = 0; k < n; k++) {
            num += CAb[n - k] * Af[k];
            nrg_b += CAb[k + 1] * Af[k];
            nrg_f += CAf[k + 1] * Af[k];
        }
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

        for (int k = 0; k < (n + 1) >> 1; k++) {
            double a = Af[k], b = Af[n - k - 1];
            Af[k] = a + rc * b;
            Af[n - k - 1] = b + rc * a;
        }
        Af[n] = rc;
        if (reached_max_gain) {
            break;
        }
        for (int k = 0; k <= n + 1; k++) {
            double a = CAf[k];
            CAf[k] += rc * CAb[n - k + 1];
            CAb[n - k + 1] += rc * a;
        }
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
