/* Prediction error filter of floats: replaces silk/float/LPC_analysis_filter_FLP.c. Exact.
 *
 * Eight outputs at a time, each summed in the order in which libopus does it.
 */
#include "main_FLP.h"
#include "fixed.h"

INLINE void filter(silk_float *out, const silk_float *coefs, const silk_float *in, int length, const int order) {
    v128_t scratch[2];
    int i = order;
    for (; i + 8 <= length; i += 8) {
        v128_t c = wasm_v128_load32_splat(&coefs[0]);
        v128_t low = wasm_f32x4_mul(wasm_v128_load(&in[i - 1]), c), high = wasm_f32x4_mul(wasm_v128_load(&in[i + 3]), c);
#pragma clang loop unroll(full)
        for (int k = 1; k < order; k++) {
            c = wasm_v128_load32_splat(&coefs[k]);
            low = wasm_f32x4_add(low, wasm_f32x4_mul(wasm_v128_load(&in[i - 1 - k]), c));
            high = wasm_f32x4_add(high, wasm_f32x4_mul(wasm_v128_load(&in[i + 3 - k]), c));
            SETTLE(low, &scratch[0]);
            SETTLE(high, &scratch[1]);
        }
        wasm_v128_store(&out[i], wasm_f32x4_sub(wasm_v128_load(&in[i]), low));
        wasm_v128_store(&out[i + 4], wasm_f32x4_sub(wasm_v128_load(&in[i + 4]), high));
    }
    for (; i < length; i++) {
        silk_float predicted = in[i - 1] * coefs[0];
#pragma clang loop unroll(full)
        for (int k = 1; k < order; k++) {
            predicted += in[i - 1 - k] * coefs[k];
        }
        out[i] = in[i] - predicted;
    }
}

void silk_LPC_analysis_filter_FLP(silk_float r_LPC[], const silk_float PredCoef[], const silk_float s[],
                                  const opus_int length, const opus_int Order) {
    celt_assert(Order <= length);
    switch (Order) {
    case 6: filter(r_LPC, PredCoef, s, length, 6); break;
    case 8: filter(r_LPC, PredCoef, s, length, 8); break;
    case 10: filter(r_LPC, PredCoef, s, length, 10); break;
    case 12: filter(r_LPC, PredCoef, s, length, 12); break;
    case 16: filter(r_LPC, PredCoef, s, length, 16); break;
    default: celt_assert(0);
    }
    silk_memset(r_LPC, 0, Order * sizeof(silk_float));
}
