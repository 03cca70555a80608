/* Long-term prediction error of floats: replaces silk/float/LTP_analysis_filter_FLP.c. Exact.
 *
 * Eight samples a turn, each summed in the order in which libopus does it.
 */
#include "main_FLP.h"
#include "fixed.h"

void silk_LTP_analysis_filter_FLP(silk_float *LTP_res, const silk_float *x, const silk_float B[LTP_ORDER * MAX_NB_SUBFR],
                                  const opus_int pitchL[MAX_NB_SUBFR], const silk_float invGains[MAX_NB_SUBFR],
                                  const opus_int subfr_length, const opus_int nb_subfr, const opus_int pre_length) {
    const int length = subfr_length + pre_length;
    for (int k = 0; k < nb_subfr; k++, LTP_res += length, x += subfr_length, B += LTP_ORDER) {
        const silk_float *lagged = x - pitchL[k] + LTP_ORDER / 2;
        const v128_t gain = wasm_v128_load32_splat(&invGains[k]);
        v128_t taps[LTP_ORDER];
#pragma clang loop unroll(full)
        for (int j = 0; j < LTP_ORDER; j++) {
            taps[j] = wasm_v128_load32_splat(&B[j]);
        }
        int i = 0;
#pragma clang loop unroll_count(2)
        for (; i + 4 <= length; i += 4) {
            v128_t rest = wasm_v128_load(&x[i]);
#pragma clang loop unroll(full)
            for (int j = 0; j < LTP_ORDER; j++) {
                rest = wasm_f32x4_sub(rest, wasm_f32x4_mul(taps[j], wasm_v128_load(&lagged[i - j])));
            }
            wasm_v128_store(&LTP_res[i], wasm_f32x4_mul(rest, gain));
        }
        for (; i < length; i++) {
            silk_float rest = x[i];
#pragma clang loop unroll(full)
            for (int j = 0; j < LTP_ORDER; j++) {
                rest -= B[j] * lagged[i - j];
            }
            LTP_res[i] = rest * invGains[k];
        }
    }
}
