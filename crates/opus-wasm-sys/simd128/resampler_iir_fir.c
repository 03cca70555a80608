/* Upsampling by other factors than two: replaces silk/resampler_private_IIR_FIR.c. Exact.
 *
 * The eight taps of an output sample are one multiplication of 16-bit halves.
 */
#include "SigProc_FIX.h"
#include "fixed.h"
#include "resampler_private.h"
#include "stack_alloc.h"

#define PHASES 12

/* Products of the eight taps of the output sample at `at`, Q16; their sum is the sample, Q15. */
INLINE v128_t eight_taps(const opus_int16 *buf, opus_int16 taps[PHASES][RESAMPLER_ORDER_FIR_12], opus_int32 at) {
    return wasm_i32x4_dot_i16x8(wasm_v128_load(&buf[at >> 16]), wasm_v128_load(taps[silk_SMULWB(at & 0xFFFF, PHASES)]));
}

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
        opus_int32 left = (silk_LSHIFT32(count, 16 + 1) + increment_Q16 - 1) / increment_Q16, at = 0;
#define NEXT ({ v128_t products = eight_taps(buf, taps, at); at += increment_Q16; products; })
#define FOUR ({ v128_t a = NEXT, b = NEXT, c = NEXT, d = NEXT; shr_round(sums(a, b, c, d), 15); })
#pragma clang loop unroll_count(2)
        for (; left >= 8; left -= 8, out += 8) {
            v128_t low = FOUR, high = FOUR;
            wasm_v128_store(out, wasm_i16x8_narrow_i32x4(low, high));
        }
        for (; left > 0; left--) {
            v128_t one = NEXT;
            one = shr_round(sums(one, one, one, one), 15);
            *out++ = (opus_int16)silk_SAT16(wasm_i32x4_extract_lane(one, 0));
        }
#undef FOUR
#undef NEXT
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
