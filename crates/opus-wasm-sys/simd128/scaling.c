/* States of the quantizers when the gain changes: see scaling.h. Exact. */
#include "SigProc_FIX.h"
#include "fixed.h"
#include "scaling.h"

void sidetone_scale(opus_int32 *x, int count, opus_int32 gain_Q16) {
    const v128_t gain = wasm_i32x4_splat(gain_Q16);
    int i = 0;
#pragma clang loop unroll_count(8)
    for (; i + 4 <= count; i += 4) {
        wasm_v128_store(&x[i], mulww(wasm_v128_load(&x[i]), gain));
    }
    for (; i < count; i++) {
        x[i] = silk_SMULWW(gain_Q16, x[i]);
    }
}

void sidetone_scale_samples(opus_int32 *out, const opus_int16 *in, int count, opus_int32 gain) {
    const v128_t flipped = flip(wasm_i32x4_splat(gain));
    int i = 0;
#pragma clang loop unroll_count(4)
    for (; i + 4 <= count; i += 4) {
        v128_t x = wasm_u32x4_load16x4(&in[i]), upper = wasm_i32x4_shl(x, 16);
        wasm_v128_store(&out[i], mulwb_flipped(flipped, upper, x, wasm_i32x4_shr(upper, 1)));
    }
    for (; i < count; i++) {
        out[i] = silk_SMULWB(gain, in[i]);
    }
}
