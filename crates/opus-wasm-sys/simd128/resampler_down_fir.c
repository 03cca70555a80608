/* Downsampling filter of SILK: replaces silk/resampler_private_down_FIR.c. Exact.
 *
 * The taps of one output sample are taken four at a time and summed across lanes at the end.
 */
#include "SigProc_FIX.h"
#include "fixed.h"
#include "resampler_private.h"
#include "stack_alloc.h"

#define VECTORS 5

typedef struct {
    v128_t hi[VECTORS], lo[VECTORS];
} taps;

static void set_taps(taps *t, const opus_int32 *coefs) {
    for (int k = 0; k < VECTORS; k++) {
        v128_t b = wasm_v128_load(&coefs[4 * k]);
        t->hi[k] = wasm_i32x4_shl(b, 16);
        t->lo[k] = wasm_v128_and(b, wasm_i32x4_const_splat(0xFFFF));
    }
}

INLINE v128_t multiply(v128_t x, const taps *t, int k) {
    return mulwb_below(x, t->hi[k], t->lo[k]);
}

INLINE opus_int16 rounded(v128_t sum) {
    sum = wasm_i32x4_add(sum, wasm_i32x4_shuffle(sum, sum, 2, 3, 0, 1));
    opus_int32 res_Q6 = wasm_i32x4_extract_lane(sum, 0) + wasm_i32x4_extract_lane(sum, 1);
    return (opus_int16)silk_SAT16(silk_RSHIFT_ROUND(res_Q6, 6));
}

INLINE v128_t multiply_all(const opus_int32 *x, const taps *t) {
    v128_t sum = multiply(wasm_v128_load(x), t, 0);
#pragma clang loop unroll(full)
    for (int k = 1; k < VECTORS; k++) {
        sum = wasm_i32x4_add(sum, multiply(wasm_v128_load(x + 4 * k), t, k));
    }
    return sum;
}

/* 18 taps that depend on the fraction of the place; two samples behind the last are read and count nothing. */
static opus_int16 *interpolate(opus_int16 *out, const opus_int32 *buf, const opus_int16 *coefs, int fractions,
                               opus_int32 max_index_Q16, opus_int32 increment_Q16) {
    const int half = RESAMPLER_DOWN_ORDER_FIR0 / 2;
    taps t[3];
    celt_assert(fractions <= 3);
    for (int f = 0; f < fractions; f++) {
        opus_int32 c[4 * VECTORS] = {0};
        for (int k = 0; k < half; k++) {
            c[k] = coefs[half * f + k];
            c[2 * half - 1 - k] = coefs[half * (fractions - 1 - f) + k];
        }
        set_taps(&t[f], c);
    }
#define NEXT ({                                                                      \
    v128_t products = multiply_all(buf + (at >> 16), &t[silk_SMULWB(at & 0xFFFF, fractions)]); \
    at += increment_Q16;                                                             \
    products;                                                                        \
})
    opus_int32 at = 0, left = (max_index_Q16 + increment_Q16 - 1) / increment_Q16;
    for (; left >= 4; left -= 4, out += 4) {
        v128_t a = NEXT, b = NEXT, c = NEXT, d = NEXT;
        v128_t four = shr_round(sums(a, b, c, d), 6);
        wasm_v128_store64_lane(out, wasm_i16x8_narrow_i32x4(four, four), 0);
    }
    for (; left > 0; left--) {
        *out++ = rounded(NEXT);
    }
#undef NEXT
    return out;
}

/* Symmetric taps: the two samples of a pair are added first. */
INLINE opus_int16 *symmetric(opus_int16 *out, const opus_int32 *buf, const opus_int16 *coefs, const int order,
                             opus_int32 max_index_Q16, opus_int32 increment_Q16) {
    taps t;
    opus_int32 c[4 * VECTORS] = {0};
    for (int k = 0; k < order / 2; k++) {
        c[k] = coefs[k];
    }
    set_taps(&t, c);
    for (opus_int32 at = 0; at < max_index_Q16; at += increment_Q16) {
        const opus_int32 *x = buf + (at >> 16);
        v128_t sum = wasm_i32x4_const_splat(0);
#pragma clang loop unroll(full)
        for (int k = 0; 4 * k < order / 2; k++) {
            v128_t mirrored = wasm_v128_load(x + order - 4 - 4 * k);
            mirrored = wasm_i32x4_shuffle(mirrored, mirrored, 3, 2, 1, 0);
            sum = wasm_i32x4_add(sum, multiply(wasm_i32x4_add(wasm_v128_load(x + 4 * k), mirrored), &t, k));
        }
        *out++ = rounded(sum);
    }
    return out;
}

void silk_resampler_private_down_FIR(void *SS, opus_int16 out[], const opus_int16 in[], opus_int32 inLen) {
    silk_resampler_state_struct *S = (silk_resampler_state_struct *)SS;
    const opus_int16 *coefs = &S->Coefs[2];
    const opus_int32 increment_Q16 = S->invRatio_Q16;
    opus_int32 count;
    VARDECL(opus_int32, buf);
    SAVE_STACK;
    ALLOC(buf, S->batchSize + S->FIR_Order + 2, opus_int32);
    silk_memcpy(buf, S->sFIR.i32, S->FIR_Order * sizeof(opus_int32));

    for (;;) {
        count = silk_min(inLen, S->batchSize);
        silk_resampler_private_AR2(S->sIIR, &buf[S->FIR_Order], in, S->Coefs, count);
        buf[S->FIR_Order + count] = buf[S->FIR_Order + count + 1] = 0;
        opus_int32 max_index_Q16 = silk_LSHIFT32(count, 16);
        switch (S->FIR_Order) {
        case RESAMPLER_DOWN_ORDER_FIR0:
            out = interpolate(out, buf, coefs, S->FIR_Fracs, max_index_Q16, increment_Q16);
            break;
        case RESAMPLER_DOWN_ORDER_FIR1:
            out = symmetric(out, buf, coefs, RESAMPLER_DOWN_ORDER_FIR1, max_index_Q16, increment_Q16);
            break;
        case RESAMPLER_DOWN_ORDER_FIR2:
            out = symmetric(out, buf, coefs, RESAMPLER_DOWN_ORDER_FIR2, max_index_Q16, increment_Q16);
            break;
        default: celt_assert(0);
        }
        in += count;
        inLen -= count;
        if (inLen <= 1) {
            break;
        }
        silk_memcpy(buf, &buf[count], S->FIR_Order * sizeof(opus_int32));
    }
    silk_memcpy(S->sFIR.i32, &buf[count], S->FIR_Order * sizeof(opus_int32));
    RESTORE_STACK;
}
