/* Prediction error filter of 16-bit samples: replaces silk/LPC_analysis_filter.c. Exact.
 *
 * Four outputs at a time; taps in pairs, each pair one multiplication of 16-bit halves. The products are summed
 * modulo 2^32, as in libopus.
 */
#include "SigProc_FIX.h"
#include "fixed.h"

/* Samples from `order` on; the taps are known to the compiler where the order is. */
INLINE void filter(opus_int16 *out, const opus_int16 *in, const opus_int16 *B, int len, const int order) {
    v128_t taps[SILK_MAX_ORDER_LPC / 2];
    for (int j = 0; j < order; j += 2) { /* lower half: the older sample */
        taps[j / 2] = wasm_i32x4_splat((B[j + 1] & 0xFFFF) | (opus_int32)((opus_uint32)B[j] << 16));
    }
    int i = order;
    for (; i + 4 <= len; i += 4) {
        v128_t sum = wasm_i32x4_const_splat(0);
        for (int j = 0; j < order; j += 2) {
            /* Of the samples i - j - 2 … i - j + 2: each with its successor. */
            v128_t older = wasm_u32x4_load16x4(&in[i - j - 2]), newer = wasm_u32x4_load16x4(&in[i - j - 1]);
            v128_t pairs = wasm_v128_or(older, wasm_i32x4_shl(newer, 16));
            sum = wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(pairs, taps[j / 2]));
        }
        v128_t x = wasm_i32x4_sub(wasm_i32x4_shl(wasm_i32x4_load16x4(&in[i]), 12), sum);
        x = shr_round(x, 12);
        wasm_v128_store64_lane(&out[i], wasm_i16x8_narrow_i32x4(x, x), 0);
    }
    for (; i < len; i++) {
        opus_uint32 sum = 0;
        for (int j = 0; j < order; j++) {
            sum += (opus_uint32)silk_SMULBB(in[i - 1 - j], B[j]);
        }
        opus_int32 x = (opus_int32)(((opus_uint32)(opus_int32)in[i] << 12) - sum);
        out[i] = (opus_int16)silk_SAT16(silk_RSHIFT_ROUND(x, 12));
    }
}

void silk_LPC_analysis_filter(opus_int16 *out, const opus_int16 *in, const opus_int16 *B, const opus_int32 len,
                              const opus_int32 d, int arch) {
    (void)arch;
    celt_assert(d >= 6);
    celt_assert((d & 1) == 0);
    celt_assert(d <= len);
    switch (d) {
    case 10: filter(out, in, B, len, 10); break;
    case 16: filter(out, in, B, len, 16); break;
    default: filter(out, in, B, len, d);
    }
    silk_memset(out, 0, d * sizeof(opus_int16));
}
