/* Line spectral frequencies of a prediction filter: replaces silk/A2NLSF.c. Exact.
 *
 * The roots of two polynomials lie in turns on a grid of 128 steps, between the points where the sign changes. libopus
 * evaluates one point after the other; here four are evaluated and compared together.
 */
#include "SigProc_FIX.h"
#include "fixed.h"
#include "tables.h"

#define STEPS LSF_COS_TAB_SZ_FIX
#define HALVINGS 3     /* of the step that holds a root, before it is interpolated */
#define EXPANSIONS 16  /* of the bandwidth, where not all roots are found */
#define ROOM (SILK_MAX_ORDER_LPC / 2 + 1)

typedef struct {
    opus_int32 p[2][ROOM];
    int degree;
} polynomials;

/* From cos(n * f) to powers of cos(f). */
static void to_powers(opus_int32 *p, int degree) {
    for (int k = 2; k <= degree; k++) {
        for (int n = degree; n > k; n--) {
            p[n - 2] -= p[n];
        }
        p[k - 2] -= silk_LSHIFT(p[k], 1);
    }
}

static void set(polynomials *all, const opus_int32 *a_Q16) {
    opus_int32 *P = all->p[0], *Q = all->p[1];
    int degree = all->degree;
    P[degree] = Q[degree] = silk_LSHIFT(1, 16);
    for (int k = 0; k < degree; k++) {
        P[k] = -a_Q16[degree - k - 1] - a_Q16[degree + k];
        Q[k] = -a_Q16[degree - k - 1] + a_Q16[degree + k];
    }
    /* z = -1 is a root of one, z = 1 of the other. */
    for (int k = degree; k > 0; k--) {
        P[k - 1] -= P[k];
        Q[k - 1] += Q[k];
    }
    to_powers(P, degree);
    to_powers(Q, degree);
}

INLINE opus_int32 at(const opus_int32 *p, opus_int32 x_Q12, int degree) {
    opus_int32 x_Q16 = silk_LSHIFT(x_Q12, 4), y = p[degree];
#pragma clang loop unroll_count(4)
    for (int n = degree - 1; n >= 0; n--) {
        y = silk_SMLAWW(p[n], y, x_Q16);
    }
    return y;
}

INLINE v128_t at_four(const opus_int32 *p, const opus_int16 *x_Q12, int degree) {
    v128_t x_Q16 = wasm_i32x4_shl(wasm_i32x4_load16x4(x_Q12), 4), y = wasm_v128_load32_splat(&p[degree]);
#pragma clang loop unroll_count(4)
    for (int n = degree - 1; n >= 0; n--) {
        y = wasm_i32x4_add(wasm_v128_load32_splat(&p[n]), mulww(y, x_Q16));
    }
    return y;
}

/* The first root: at zero, where the first polynomial begins below it. */
INLINE int begin(const polynomials *all, opus_int16 *NLSF, opus_int32 *y) {
    *y = at(all->p[0], silk_LSFCosTab_FIX_Q12[0], all->degree);
    if (*y >= 0) {
        return 0;
    }
    NLSF[0] = 0;
    *y = at(all->p[1], silk_LSFCosTab_FIX_Q12[0], all->degree);
    return 1;
}

/* Where in the step that ends at k the root lies, in 256ths, less 256. */
INLINE opus_int32 within(const opus_int32 *p, int degree, int k, opus_int32 ylo, opus_int32 yhi) {
    opus_int32 xlo = silk_LSFCosTab_FIX_Q12[k - 1], xhi = silk_LSFCosTab_FIX_Q12[k], part = -256;
#pragma clang loop unroll(full)
    for (int m = 0; m < HALVINGS; m++) {
        opus_int32 x = silk_RSHIFT_ROUND(xlo + xhi, 1), y = at(p, x, degree);
        if ((ylo <= 0 && y >= 0) || (ylo >= 0 && y <= 0)) {
            xhi = x;
            yhi = y;
        } else {
            xlo = x;
            ylo = y;
            part = silk_ADD_RSHIFT(part, 128, m);
        }
    }
    if (silk_abs(ylo) >= 65536) { /* and so is what is divided by */
        return part + silk_DIV32(ylo, silk_RSHIFT(ylo - yhi, 8 - HALVINGS));
    }
    opus_int32 fall = ylo - yhi;
    opus_int32 share = silk_LSHIFT(ylo, 8 - HALVINGS) + silk_RSHIFT(fall, 1);
    return fall != 0 ? part + silk_DIV32(share, fall) : part;
}

void silk_A2NLSF(opus_int16 *NLSF, opus_int32 *a_Q16, const opus_int d) {
    polynomials all;
    const v128_t zero = wasm_i32x4_const_splat(0);
    opus_int32 ylo, yhi, threshold = 0;
    int k = 1, expansions = 0, root;
    all.degree = silk_RSHIFT(d, 1);
    set(&all, a_Q16);
    root = begin(&all, NLSF, &ylo);
    const opus_int32 *p = all.p[root & 1];

    for (;;) {
        int found;
        if (threshold == 0 && k + 3 <= STEPS) {
            v128_t y = at_four(p, &silk_LSFCosTab_FIX_Q12[k], all.degree);
            v128_t before = wasm_i32x4_shuffle(wasm_i32x4_splat(ylo), y, 3, 4, 5, 6);
            v128_t up = wasm_v128_and(wasm_i32x4_le(before, zero), wasm_i32x4_ge(y, zero));
            v128_t down = wasm_v128_and(wasm_i32x4_ge(before, zero), wasm_i32x4_le(y, zero));
            opus_int32 values[5];
            opus_uint32 changes = wasm_i32x4_bitmask(wasm_v128_or(up, down));
            int steps = changes ? __builtin_ctz(changes) : 4;
            values[0] = ylo;
            wasm_v128_store(&values[1], y);
            found = changes != 0;
            k += steps;
            ylo = values[steps];
            yhi = values[found ? steps + 1 : steps];
        } else {
            yhi = at(p, silk_LSFCosTab_FIX_Q12[k], all.degree);
            found = (ylo <= 0 && yhi >= threshold) || (ylo >= 0 && yhi <= -threshold);
            if (!found) {
                k++;
                ylo = yhi;
                threshold = 0;
            }
        }
        if (found) {
            /* A root at the end of the step is not found again in the next. */
            threshold = yhi == 0;
            opus_int32 part = within(p, all.degree, k, ylo, yhi);
            NLSF[root] = (opus_int16)silk_min_32(silk_LSHIFT((opus_int32)k, 8) + part, silk_int16_MAX);
            root++;
            if (root >= d) {
                return;
            }
            p = all.p[root & 1];
            ylo = silk_LSHIFT(1 - (root & 2), 12);
        } else if (k > STEPS) {
            expansions++;
            if (expansions > EXPANSIONS) {
                NLSF[0] = (opus_int16)silk_DIV32_16(1 << 15, d + 1);
                for (k = 1; k < d; k++) {
                    NLSF[k] = (opus_int16)silk_ADD16(NLSF[k - 1], NLSF[0]);
                }
                return;
            }
            silk_bwexpander_32(a_Q16, d, 65536 - silk_LSHIFT(1, expansions));
            set(&all, a_Q16);
            root = begin(&all, NLSF, &ylo);
            p = all.p[root & 1];
            k = 1;
        }
    }
}
