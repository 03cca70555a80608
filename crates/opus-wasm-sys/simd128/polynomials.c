/* The two polynomials of line spectral frequencies: see polynomials.h. All is unrolled, for either order. */
#include "main.h"
#include "fixed.h"
#include "polynomials.h"

/* Half the order of wide and of narrow band. */
#define WIDE 8
#define NARROW 5

#define UNROLL _Pragma("clang loop unroll(full)")

INLINE v128_t both(opus_int32 x) { return wasm_i32x4_splat(x); }

/* RSHIFT_ROUND64(a * b, 16) of the lower two lanes. */
INLINE v128_t product(v128_t a, v128_t b) {
    v128_t x = wasm_i64x2_add(wasm_i64x2_extmul_low_i32x4(a, b), wasm_i64x2_const_splat(1 << 15));
    x = wasm_u64x2_shr(x, 16);
    return wasm_i32x4_shuffle(x, x, 0, 2, 0, 2);
}

INLINE void put(opus_int32 *P, opus_int32 *Q, const v128_t *v, const int dd) {
    UNROLL for (int n = 0; n <= dd; n++) {
        wasm_v128_store32_lane(&P[n], v[n], 0);
        wasm_v128_store32_lane(&Q[n], v[n], 1);
    }
}

INLINE void find(opus_int32 *P, opus_int32 *Q, const opus_int32 *cLSF, const int dd) {
    v128_t v[WIDE + 1];
    v[0] = both(1 << 16);
    v[1] = wasm_i32x4_neg(wasm_v128_load64_zero(cLSF));
    UNROLL for (int k = 1; k < dd; k++) {
        const v128_t f = wasm_v128_load64_zero(&cLSF[2 * k]);
        v[k + 1] = wasm_i32x4_sub(wasm_i32x4_shl(v[k - 1], 1), product(f, v[k]));
        UNROLL for (int n = k; n > 1; n--) {
            v[n] = wasm_i32x4_add(v[n], wasm_i32x4_sub(v[n - 2], product(f, v[n - 1])));
        }
        v[1] = wasm_i32x4_sub(v[1], f);
    }
    put(P, Q, v, dd);
}

INLINE void split(const opus_int32 *a_Q16, opus_int32 *P, opus_int32 *Q, const int dd) {
    const v128_t first = wasm_i32x4_make(-1, 0, -1, 0);
    v128_t v[WIDE + 1];
    v[dd] = both(1 << 16);
    UNROLL for (int k = 0; k < dd; k++) {
        v128_t sum = wasm_i32x4_neg(both(a_Q16[dd - k - 1]));
        v[k] = wasm_i32x4_add(sum, negate_if(both(a_Q16[dd + k]), first));
    }
    /* z = 1 is always a root of Q, and z = -1 of P. */
    UNROLL for (int k = dd; k > 0; k--) {
        v[k - 1] = wasm_i32x4_add(v[k - 1], negate_if(v[k], first));
    }
    /* From cos(n f) to cos(f)^n. */
    UNROLL for (int k = 2; k <= dd; k++) {
        UNROLL for (int n = dd; n > k; n--) {
            v[n - 2] = wasm_i32x4_sub(v[n - 2], v[n]);
        }
        v[k - 2] = wasm_i32x4_sub(v[k - 2], wasm_i32x4_shl(v[k], 1));
    }
    put(P, Q, v, dd);
}

/* Whether each of eight is below the one before it and its distance. */
INLINE v128_t too_near(const opus_int16 *f, const opus_int16 *least) {
    v128_t between = wasm_i16x8_sub(wasm_v128_load(f), wasm_v128_load(f - 1));
    return wasm_i16x8_lt(between, wasm_v128_load(least));
}

int sidetone_spectrum_stable(const opus_int16 *f, const opus_int16 *least, int order) {
    /* Eight from the second on, and the last eight: orders are 10 and 16. */
    v128_t near = wasm_v128_or(too_near(f + 1, least + 1), too_near(f + order - 8, least + order - 8));
    return f[0] >= least[0] && (1 << 15) - f[order - 1] >= least[order] && !wasm_v128_any_true(near);
}

int sidetone_fit(opus_int16 *out, const opus_int32 *a, int shift, int order) {
    v128_t v[] = {wasm_v128_load(a), wasm_v128_load(a + 4), wasm_v128_load(a + order - 8), wasm_v128_load(a + order - 4)};
    v128_t most = wasm_i32x4_const_splat(0);
    UNROLL for (int k = 0; k < 4; k++) {
        most = wasm_i32x4_max(most, shr_round(wasm_i32x4_abs(v[k]), shift));
        v[k] = shr_round(v[k], shift);
    }
    wasm_v128_store(out, wasm_i16x8_narrow_i32x4(v[0], v[1]));
    wasm_v128_store(out + order - 8, wasm_i16x8_narrow_i32x4(v[2], v[3]));
    return !wasm_v128_any_true(wasm_i32x4_gt(most, wasm_i32x4_const_splat(silk_int16_MAX)));
}

void sidetone_find_polynomials(opus_int32 *P, opus_int32 *Q, const opus_int32 *cLSF, int dd) {
    celt_assert(dd == WIDE || dd == NARROW);
    if (dd == WIDE) {
        find(P, Q, cLSF, WIDE);
    } else {
        find(P, Q, cLSF, NARROW);
    }
}

void sidetone_split_polynomials(const opus_int32 *a_Q16, opus_int32 *P, opus_int32 *Q, int dd) {
    celt_assert(dd == WIDE || dd == NARROW);
    if (dd == WIDE) {
        split(a_Q16, P, Q, WIDE);
    } else {
        split(a_Q16, P, Q, NARROW);
    }
}
