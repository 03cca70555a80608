/* SILK decoder, inverse noise shaping quantizer: replaces silk/decode_core.c. Exact.
 *
 * Sign and offset of the excitation and the long-term prediction are done four samples at a time (a pitch lag is
 * longer than that), the short-term prediction as predictor.h says.
 */
#include "main.h"
#include "predictor.h"
#include "scaling.h"
#include "stack_alloc.h"

PREDICTOR(lpc16, 4)

INLINE v128_t splat(opus_int32 a) { return wasm_i32x4_splat(a); }

/* Pulses to excitation: levels moved towards zero, offset, and the sign that the dither gives them.
 *
 * The dither is d[i + 1] = (d[i] + pulse[i]) * m + c: linear, so that four follow from one. Those of u[i] = pulse[i] * m
 * + c are summed first, each step times m; then only one multiplication, an addition and a shuffle are in the chain. */
static void excitation(const silk_decoder_state *psDec, const opus_int16 *pulses, opus_int32 *exc_Q14) {
    const opus_uint32 m = RAND_MULTIPLIER, m2 = m * m;
    const v128_t once = splat((opus_int32)m), twice = splat((opus_int32)m2), none = splat(0);
    const v128_t powers = wasm_u32x4_make(m, m2, m2 * m, m2 * m2);
    v128_t now = splat(silk_RAND(psDec->indices.Seed));
    v128_t adjust = splat(QUANT_LEVEL_ADJUST_Q10 << 4);
    v128_t offset = splat(silk_Quantization_Offsets_Q10[psDec->indices.signalType >> 1][psDec->indices.quantOffsetType] << 4);
#pragma clang loop unroll_count(10)
    for (int i = 0; i < psDec->frame_length; i += 4) { /* frames are multiples of 40 samples */
        v128_t p = wasm_i32x4_load16x4(&pulses[i]);
        v128_t sum = wasm_i32x4_add(wasm_i32x4_mul(p, once), splat(RAND_INCREMENT));
        sum = wasm_i32x4_add(sum, wasm_i32x4_mul(wasm_i32x4_shuffle(none, sum, 0, 4, 5, 6), once));
        sum = wasm_i32x4_add(sum, wasm_i32x4_mul(wasm_i32x4_shuffle(none, sum, 0, 1, 4, 5), twice));
        PIN(sum);
        v128_t after = wasm_i32x4_add(wasm_i32x4_mul(now, powers), sum);
        v128_t dither = wasm_i32x4_shuffle(now, after, 3, 4, 5, 6);
        now = wasm_i32x4_shuffle(after, after, 3, 3, 3, 3);

        v128_t e = wasm_i32x4_shl(p, 14);
        v128_t sign = wasm_i32x4_shr(p, 31);
        v128_t nonzero = wasm_i32x4_ne(p, none);
        e = wasm_i32x4_sub(e, wasm_v128_and(negate_if(adjust, sign), nonzero));
        e = negate_if(wasm_i32x4_add(e, offset), wasm_i32x4_shr(dither, 31));
        wasm_v128_store(&exc_Q14[i], e);
    }
}

/* Prediction and output as libopus has them, for signals that saturate. */
static __attribute__((noinline)) void synthesize_saturating(opus_int32 *x, opus_int16 *xq, const opus_int32 *residual,
                                                            const opus_int16 *a_Q12, int order, opus_int32 gain_Q10,
                                                            int length) {
    for (int i = 0; i < length; i++) {
        opus_int32 sum = order >> 1;
#pragma clang loop unroll_count(2)
        for (int k = 0; k < order; k++) {
            sum = silk_ADD32_ovflw(sum, silk_SMULWB(x[i + MAX_LPC_ORDER - 1 - k], a_Q12[k]));
        }
        opus_int32 now = silk_ADD_SAT32(residual[i], silk_LSHIFT_SAT32(sum, 4));
        x[i + MAX_LPC_ORDER] = now;
        xq[i] = (opus_int16)silk_SAT16(silk_RSHIFT_ROUND(silk_SMULWW(now, gain_Q10), 8));
    }
}

/* Larger of |a| and what was the largest, unsigned. */
INLINE v128_t larger(v128_t most, v128_t a) { return wasm_u32x4_max(most, wasm_i32x4_abs(a)); }

INLINE opus_uint32 largest(v128_t most) {
    most = wasm_u32x4_max(most, wasm_i32x4_shuffle(most, most, 2, 3, 0, 1));
    most = wasm_u32x4_max(most, wasm_i32x4_shuffle(most, most, 1, 0, 3, 2));
    return (opus_uint32)wasm_i32x4_extract_lane(most, 0);
}

/* Short-term prediction of one subframe. `x` is the signal in Q14, after MAX_LPC_ORDER samples of history.
 *
 * Done as if nothing saturated. Nothing did, if from the largest samples and factors no sum follows that is too large;
 * else it is done again. */
static void synthesize(opus_int32 *x, opus_int16 *xq, const opus_int32 *residual, const opus_int16 *a_Q12, int order,
                       opus_int32 gain_Q10, int length) {
    lpc16 p;
    lpc16_set(&p, a_Q12, order);
    v128_t most = splat(0), most_residual = splat(0);
#pragma clang loop unroll(full)
    for (int i = 0; i < MAX_LPC_ORDER; i++) {
        lpc16_push(&p, x[i], 1);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < MAX_LPC_ORDER; i += 4) {
        most = larger(most, wasm_v128_load(&x[i]));
    }
    opus_int32 *history = x;
    x += MAX_LPC_ORDER;
    /* What is predicted from all samples but the newest two, which go the short way past the vectors: the newest to the
     * next output, and either to the one after it. */
    opus_uint32 others = (opus_uint32)KNOWN_AFTER(&p, 0), after = (opus_uint32)KNOWN_AFTER(&p, 1);
    opus_uint32 late = 0;
    const opus_int32 *from = residual;
    opus_int32 *to = x;
#pragma clang loop unroll_count(10)
    for (opus_int32 *end = x + length; to < end; to++, from++) { /* a subframe is 40, 60 or 80 samples */
        opus_uint32 early = (opus_uint32)*from + ((others + (opus_uint32)(order >> 1)) << 4);
        PIN(early);
        opus_uint32 now = early + (late << 4);
        *to = (opus_int32)now;
        late = (opus_uint32)silk_SMULWB((opus_int32)now, a_Q12[0]);
        others = after;
        after = (opus_uint32)KNOWN_AFTER(&p, 2) + (opus_uint32)silk_SMULWB((opus_int32)now, a_Q12[1]);
        lpc16_push(&p, (opus_int32)now, 1);
    }
#pragma clang loop unroll_count(10)
    for (int i = 0; i < length; i += 4) {
        v128_t now = wasm_v128_load(&x[i]);
        most = larger(most, now);
        most_residual = larger(most_residual, wasm_v128_load(&residual[i]));
        v128_t y = shr_round(mulww(now, splat(gain_Q10)), 8);
        y = wasm_i16x8_narrow_i32x4(y, y);
        wasm_v128_store64_lane(&xq[i], y, 0);
    }
    opus_uint64 factors = 0;
#pragma clang loop unroll(full)
    for (int k = 0; k < MAX_LPC_ORDER; k++) {
        factors += k < order ? (opus_uint64)silk_abs((opus_int32)a_Q12[k]) : 0;
    }
    opus_uint64 m = largest(most);
    if (m > 0x7FFF7FFF || (m * factors >> 12) + 512 + largest(most_residual) > 0x7FFFFFFF) {
        synthesize_saturating(history, xq, residual, a_Q12, order, gain_Q10, length);
    }
}

INLINE void keep_history(opus_int32 *to, const opus_int32 *from) {
#pragma clang loop unroll(full)
    for (int i = 0; i < MAX_LPC_ORDER; i += 4) {
        wasm_v128_store(&to[i], wasm_v128_load(&from[i]));
    }
}

void silk_decode_core(silk_decoder_state *psDec, silk_decoder_control *psDecCtrl, opus_int16 xq[],
                      const opus_int16 pulses[MAX_FRAME_LENGTH], int arch) {
    opus_int32 sLTP_Q15[2 * MAX_FRAME_LENGTH];
    opus_int16 sLTP[MAX_FRAME_LENGTH];
    opus_int32 residual[MAX_SUB_FRAME_LENGTH];
    opus_int32 x[MAX_SUB_FRAME_LENGTH + MAX_LPC_ORDER];
    const int length = psDec->subfr_length, ltp_mem = psDec->ltp_mem_length;
    const int interpolated = psDec->indices.NLSFInterpCoef_Q2 < 1 << 2;
    int at = ltp_mem; /* in sLTP_Q15 */

    celt_assert(psDec->LPC_order == 10 || psDec->LPC_order == 16);
    celt_assert(ltp_mem <= MAX_FRAME_LENGTH);
    excitation(psDec, pulses, psDec->exc_Q14);
    keep_history(x, psDec->sLPC_Q14_buf);

    for (int k = 0; k < psDec->nb_subfr; k++) {
        const opus_int32 *exc_Q14 = &psDec->exc_Q14[k * length];
        const opus_int16 *A_Q12 = psDecCtrl->PredCoef_Q12[k >> 1];
        opus_int16 *B_Q14 = &psDecCtrl->LTPCoef_Q14[k * LTP_ORDER];
        int voiced = psDec->indices.signalType == TYPE_VOICED;
        opus_int32 gain_Q16 = psDecCtrl->Gains_Q16[k];
        opus_int32 inv_gain_Q31 = silk_INVERSE32_varQ(gain_Q16, 47);
        opus_int32 adjust_Q16 = (opus_int32)1 << 16;

        if (gain_Q16 != psDec->prev_gain_Q16) {
            adjust_Q16 = silk_DIV32_varQ(psDec->prev_gain_Q16, gain_Q16, 16);
            for (int i = 0; i < MAX_LPC_ORDER; i += 4) {
                wasm_v128_store(&x[i], mulww(wasm_v128_load(&x[i]), splat(adjust_Q16)));
            }
        }
        psDec->prev_gain_Q16 = gain_Q16;

        /* No abrupt transition from concealed voiced speech to unvoiced. */
        if (psDec->lossCnt && psDec->prevSignalType == TYPE_VOICED && psDec->indices.signalType != TYPE_VOICED &&
            k < MAX_NB_SUBFR / 2) {
            silk_memset(B_Q14, 0, LTP_ORDER * sizeof(opus_int16));
            B_Q14[LTP_ORDER / 2] = SILK_FIX_CONST(0.25, 14);
            voiced = 1;
            psDecCtrl->pitchL[k] = psDec->lagPrev;
        }

        if (voiced) {
            const int lag = psDecCtrl->pitchL[k], past = lag + LTP_ORDER / 2;
            if (k == 0 || (k == 2 && interpolated)) {
                /* Rewhiten with the new filter; the result is not scaled yet. */
                int start = ltp_mem - lag - psDec->LPC_order - LTP_ORDER / 2;
                celt_assert(start > 0);
                if (k == 2) {
                    silk_memcpy(&psDec->outBuf[ltp_mem], xq - 2 * length, 2 * length * sizeof(opus_int16));
                }
                silk_LPC_analysis_filter(&sLTP[start], &psDec->outBuf[start + k * length], A_Q12, ltp_mem - start,
                                         psDec->LPC_order, arch);
                if (k == 0) { /* makes packets depend less on each other */
                    inv_gain_Q31 = silk_LSHIFT(silk_SMULWB(inv_gain_Q31, psDecCtrl->LTP_scale_Q14), 2);
                }
                sidetone_scale_samples(&sLTP_Q15[at - past], &sLTP[ltp_mem - past], past, inv_gain_Q31);
            } else if (adjust_Q16 != (opus_int32)1 << 16) {
                sidetone_scale(&sLTP_Q15[at - past], past, adjust_Q16);
            }

            factor b[LTP_ORDER];
            for (int i = 0; i < LTP_ORDER; i++) {
                b[i] = factor_splat(B_Q14[i]);
            }
            celt_assert(lag >= LTP_ORDER / 2 + 4);
#pragma clang loop unroll_count(5)
            for (int i = 0; i < length; i += 4) {
                v128_t prediction = predict_long(&sLTP_Q15[at - lag + LTP_ORDER / 2], b);
                v128_t r = wasm_i32x4_add(wasm_v128_load(&exc_Q14[i]), wasm_i32x4_shl(prediction, 1));
                wasm_v128_store(&residual[i], r);
                wasm_v128_store(&sLTP_Q15[at], wasm_i32x4_shl(r, 1));
                at += 4;
            }
        }

        synthesize(x, xq, voiced ? residual : exc_Q14, A_Q12, psDec->LPC_order, silk_RSHIFT(gain_Q16, 6), length);
        keep_history(x, &x[length]);
        xq += length;
    }
    keep_history(psDec->sLPC_Q14_buf, x);
}
