/* Distances of line spectral frequencies from the vectors of a codebook: replaces silk/NLSF_VQ.c. Exact.
 *
 * A vector a turn, eight of its elements together; each error is told from half the weighted error after it.
 */
#include "main.h"
#include "fixed.h"

typedef struct {
    v128_t low, high; /* weighted errors of elements 0 … 3 and 4 … 7, Q24 */
} errors;

INLINE errors weighted(const opus_int16 *in_Q15, const opus_uint8 *cb_Q8, const opus_int16 *w_Q9) {
    v128_t x = wasm_i16x8_sub(wasm_v128_load(in_Q15), wasm_i16x8_shl(wasm_u16x8_load8x8(cb_Q8), 7));
    v128_t w = wasm_v128_load(w_Q9);
    return (errors){wasm_i32x4_extmul_low_i16x8(x, w), wasm_i32x4_extmul_high_i16x8(x, w)};
}

/* |x - half of what is after it|, of four elements; `next` has those after them. */
INLINE v128_t told(v128_t x, v128_t next) {
    return wasm_i32x4_abs(wasm_i32x4_sub(x, wasm_i32x4_shr(wasm_i32x4_shuffle(x, next, 1, 2, 3, 4), 1)));
}

INLINE opus_int32 total(v128_t a) {
    a = wasm_i32x4_add(a, wasm_i32x4_shuffle(a, a, 2, 3, 0, 1));
    return wasm_i32x4_extract_lane(a, 0) + wasm_i32x4_extract_lane(a, 1);
}

void silk_NLSF_VQ(opus_int32 err_Q24[], const opus_int16 in_Q15[], const opus_uint8 pCB_Q8[], const opus_int16 pWght_Q9[],
                  const opus_int K, const opus_int LPC_order) {
    celt_assert(LPC_order == 10 || LPC_order == 16);
#pragma clang loop unroll_count(2)
    for (int i = 0; i < K; i++, pCB_Q8 += LPC_order, pWght_Q9 += LPC_order) {
        errors e = weighted(in_Q15, pCB_Q8, pWght_Q9);
        v128_t sum, next;
        opus_int32 rest = 0;
        if (LPC_order == 16) {
            errors f = weighted(in_Q15 + 8, pCB_Q8 + 8, pWght_Q9 + 8);
            sum = wasm_i32x4_add(told(f.low, f.high), told(f.high, wasm_i32x4_const_splat(0)));
            next = f.low;
        } else {
            opus_int32 e8 = (in_Q15[8] - (pCB_Q8[8] << 7)) * pWght_Q9[8], e9 = (in_Q15[9] - (pCB_Q8[9] << 7)) * pWght_Q9[9];
            sum = wasm_i32x4_const_splat(0);
            next = wasm_i32x4_splat(e8);
            rest = silk_abs(e9) + silk_abs(e8 - (e9 >> 1));
        }
        sum = wasm_i32x4_add(sum, wasm_i32x4_add(told(e.low, e.high), told(e.high, next)));
        err_Q24[i] = total(sum) + rest;
    }
}
