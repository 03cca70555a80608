/* Upsampling by other factors than two: replaces silk/resampler_private_IIR_FIR.c. Exact.
 *
 * The eight taps of an output sample are one multiplication of 16-bit halves.
 */
#include "SigProc_FIX.h"
#include "fixed.h"
#include "resampler_private.h"
#include "stack_alloc.h"

#define PHASES 12

void silk_resampler_private_IIR_FIR(void *SS, opus_int16 out[], const opus_int16 in[], opus_int32 inLen) {
    silk_resampler_state_struct *S = (silk_resampler_state_struct *)SS;
    const opus_int32 increment_Q16 = S->invRatio_Q16;
    opus_int16 taps[PHASES][RESAMPLER_ORDER_FIR_12];
    opus_int32 count;
    VARDECL(opus_int16, buf);
    SAVE_STACK;

#pragma clang loop unroll(full)
    for (int i = 0; i < PHASES; i++) {
        v128_t first = wasm_v128_load64_zero(silk_resampler_frac_FIR_12[i]);
        v128_t second = wasm_v128_load64_zero(silk_resampler_frac_FIR_12[PHASES - 1 - i]);
        wasm_v128_store(taps[i], wasm_i16x8_shuffle(first, second, 0, 1, 2, 3, 11, 10, 9, 8));
    }
    ALLOC(buf, 2 * S->batchSize + RESAMPLER_ORDER_FIR_12, opus_int16);
    silk_memcpy(buf, S->sFIR.i16, RESAMPLER_ORDER_FIR_12 * sizeof(opus_int16));

    for (;;) {
        count = silk_min(inLen, S->batchSize);
        silk_resampler_private_up2_HQ(S->sIIR, &buf[RESAMPLER_ORDER_FIR_12], in, count);
        opus_int32 max_index_Q16 = silk_LSHIFT32(count, 16 + 1);
#pragma clang loop unroll_count(8)
        for (opus_int32 at = 0; at < max_index_Q16; at += increment_Q16) {
            v128_t x = wasm_v128_load(&buf[at >> 16]);
            v128_t sum = wasm_i32x4_dot_i16x8(x, wasm_v128_load(taps[silk_SMULWB(at & 0xFFFF, PHASES)]));
            sum = wasm_i32x4_add(sum, wasm_i32x4_shuffle(sum, sum, 2, 3, 0, 1));
            opus_int32 res_Q15 = wasm_i32x4_extract_lane(sum, 0) + wasm_i32x4_extract_lane(sum, 1);
            *out++ = (opus_int16)silk_SAT16(silk_RSHIFT_ROUND(res_Q15, 15));
        }
        in += count;
        inLen -= count;
        if (inLen <= 0) {
            break;
        }
        silk_memcpy(buf, &buf[count << 1], RESAMPLER_ORDER_FIR_12 * sizeof(opus_int16));
    }
    silk_memcpy(S->sFIR.i16, &buf[count << 1], RESAMPLER_ORDER_FIR_12 * sizeof(opus_int16));
    RESTORE_STACK;
}
