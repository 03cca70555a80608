/* Noise shaping quantizer without delayed decision (complexity 0 and 1): replaces silk/NSQ.c. Exact.
 *
 * One state only: the two filters are what takes time, see predictor.h. The quantization levels are found without
 * branches, for noise decides them.
 */
#include "main.h"
#include "predictor.h"
#include "scaling.h"
#include "stack_alloc.h"

PREDICTOR(taps12, 3)
PREDICTOR(taps16, 4)

typedef struct {
    const opus_int16 *a_Q12, *b_Q14, *ar_Q13;
    opus_int32 lpc_order, shape_order;
    opus_int32 signal_type, lag, harm_shape, tilt_Q14, lf_shp_Q14, gain_Q10, lambda_Q10, offset_Q10, length;
} subframe;

INLINE v128_t splat(opus_int32 a) { return wasm_i32x4_splat(a); }

/* The better of the two levels around r. */
INLINE opus_int32 level(opus_int32 r_Q10, const subframe *p) {
    opus_int32 q1 = silk_SUB32(r_Q10, p->offset_Q10);
    opus_int32 q = silk_RSHIFT(q1, 10);
    if (p->lambda_Q10 > 2048) {
        opus_int32 bias = p->lambda_Q10 / 2 - 512;
        q = q1 > bias ? silk_RSHIFT(q1 - bias, 10) : q1 < -bias ? silk_RSHIFT(q1 + bias, 10) : q1 >> 31;
    }
    opus_int32 minus = q >> 31;
    opus_int32 adjust = (QUANT_LEVEL_ADJUST_Q10 ^ minus) - minus;
    q1 = silk_LSHIFT(q, 10) + p->offset_Q10 - (adjust & -(q != 0));
    opus_int32 q2 = q1 + 1024 - (QUANT_LEVEL_ADJUST_Q10 & -(q == minus));
    opus_int32 rr1 = (opus_int16)(r_Q10 - q1), rr2 = (opus_int16)(r_Q10 - q2);
    opus_int32 rd1 = silk_SMULBB(q1 < 0 ? -q1 : q1, p->lambda_Q10) + rr1 * rr1;
    opus_int32 rd2 = silk_SMULBB(q2 < 0 ? -q2 : q2, p->lambda_Q10) + rr2 * rr2;
    return rd2 < rd1 ? q2 : q1;
}

#define QUANTIZE(name, shaper)                                                                                      \
    static __attribute__((noinline)) void name(silk_nsq_state *NSQ, const subframe *p, const opus_int32 *x_Q10,     \
                                               opus_int8 *pulses, opus_int16 *xq, opus_int32 *sLTP_Q15) {           \
        const opus_int32 *shp_lag = &NSQ->sLTP_shp_Q14[NSQ->sLTP_shp_buf_idx - p->lag + HARM_SHAPE_FIR_TAPS / 2];   \
        const opus_int32 *pred_lag = &sLTP_Q15[NSQ->sLTP_buf_idx - p->lag + LTP_ORDER / 2];                         \
        opus_int32 *shp = &NSQ->sLTP_shp_Q14[NSQ->sLTP_shp_buf_idx], *ltp = &sLTP_Q15[NSQ->sLTP_buf_idx];           \
        opus_int32 diffs[MAX_SUB_FRAME_LENGTH];                                                                     \
        opus_int32 seed = NSQ->rand_seed, lf_ar = NSQ->sLF_AR_shp_Q14, diff = NSQ->sDiff_shp_Q14;                   \
        opus_int32 shaped = shp[-1];                                                                                \
        taps16 lpc;                                                                                                 \
        shaper ar;                                                                                                  \
        taps16_set(&lpc, p->a_Q12, p->lpc_order);                                                                   \
        _Pragma("clang loop unroll(full)")                                                                          \
        for (int i = 0; i < NSQ_LPC_BUF_LENGTH; i++) {                                                              \
            taps16_push(&lpc, NSQ->sLPC_Q14[i], 0);                                                                 \
        }                                                                                                           \
        shaper##_set(&ar, p->ar_Q13, p->shape_order);                                                               \
        _Pragma("clang loop unroll_count(3)")                                                                       \
        for (int i = p->shape_order - 2; i >= 0; i--) {                                                             \
            shaper##_push(&ar, NSQ->sAR2_Q14[i], 0);                                                                \
        }                                                                                                           \
        shaper##_push(&ar, diff, 0);                                                                                \
        _Pragma("clang loop unroll_count(2)")                                                                       \
        for (int i = 0; i < p->length; i++) {                                                                       \
            seed = silk_RAND(seed);                                                                                 \
            opus_int32 lpc_pred = silk_ADD32_ovflw(KNOWN_AFTER(&lpc, 0), p->lpc_order >> 1);                        \
            opus_int32 ltp_pred = 0;                                                                                \
            if (p->signal_type == TYPE_VOICED) {                                                                    \
                ltp_pred = 2;                                                                                       \
                ltp_pred = silk_SMLAWB(ltp_pred, pred_lag[0], p->b_Q14[0]);                                         \
                ltp_pred = silk_SMLAWB(ltp_pred, pred_lag[-1], p->b_Q14[1]);                                        \
                ltp_pred = silk_SMLAWB(ltp_pred, pred_lag[-2], p->b_Q14[2]);                                        \
                ltp_pred = silk_SMLAWB(ltp_pred, pred_lag[-3], p->b_Q14[3]);                                        \
                ltp_pred = silk_SMLAWB(ltp_pred, pred_lag[-4], p->b_Q14[4]);                                        \
                pred_lag++;                                                                                         \
            }                                                                                                       \
            opus_int32 n_ar = silk_LSHIFT32(silk_ADD32_ovflw(KNOWN_AFTER(&ar, 0), p->shape_order >> 1), 1);         \
            n_ar = silk_SMLAWB(n_ar, lf_ar, p->tilt_Q14);                                                           \
            opus_int32 n_lf = silk_SMULWB(shaped, p->lf_shp_Q14);                                                   \
            n_lf = silk_SMLAWT(n_lf, lf_ar, p->lf_shp_Q14);                                                         \
            opus_int32 r = silk_SUB32_ovflw(silk_SUB32_ovflw(silk_LSHIFT32(lpc_pred, 2), n_ar), n_lf);              \
            if (p->lag > 0) {                                                                                       \
                opus_int32 n_ltp = silk_SMULWB(silk_ADD_SAT32(shp_lag[0], shp_lag[-2]), p->harm_shape);             \
                n_ltp = silk_LSHIFT(silk_SMLAWT(n_ltp, shp_lag[-1], p->harm_shape), 1);                             \
                shp_lag++;                                                                                          \
                r = silk_ADD32_ovflw(silk_SUB32(ltp_pred, n_ltp), silk_LSHIFT32(r, 1));                             \
                r = silk_RSHIFT_ROUND(r, 3);                                                                        \
            } else {                                                                                                \
                r = silk_RSHIFT_ROUND(r, 2);                                                                        \
            }                                                                                                       \
            opus_int32 sign = seed >> 31;                                                                           \
            r = silk_SUB32(x_Q10[i], r);                                                                            \
            r = silk_LIMIT_32((r ^ sign) - sign, -(31 << 10), 30 << 10);                                            \
            opus_int32 q = level(r, p);                                                                             \
            pulses[i] = (opus_int8)silk_RSHIFT_ROUND(q, 10);                                                        \
            opus_int32 exc = (silk_LSHIFT(q, 4) ^ sign) - sign;                                                     \
            opus_int32 lpc_exc = silk_ADD_LSHIFT32(exc, ltp_pred, 1);                                               \
            opus_int32 xq_Q14 = silk_ADD32_ovflw(lpc_exc, silk_LSHIFT32(lpc_pred, 4));                              \
            taps16_push(&lpc, xq_Q14, 0);                                                                           \
            diff = silk_SUB32_ovflw(xq_Q14, silk_LSHIFT32(x_Q10[i], 4));                                            \
            shaper##_push(&ar, diff, 0);                                                                            \
            lf_ar = silk_SUB32_ovflw(diff, silk_LSHIFT32(n_ar, 2));                                                 \
            shaped = silk_SUB32_ovflw(lf_ar, silk_LSHIFT32(n_lf, 2));                                               \
            NSQ->sLPC_Q14[NSQ_LPC_BUF_LENGTH + i] = xq_Q14;                                                         \
            diffs[i] = diff;                                                                                        \
            shp[i] = shaped;                                                                                        \
            ltp[i] = silk_LSHIFT(lpc_exc, 1);                                                                       \
            seed = silk_ADD32_ovflw(seed, pulses[i]);                                                               \
        }                                                                                                           \
        finish(NSQ, p, xq, diffs, seed, lf_ar);                                                                     \
    }

/* Output and the states for the next subframe. */
static void finish(silk_nsq_state *NSQ, const subframe *p, opus_int16 *xq, const opus_int32 *diffs, opus_int32 seed,
                   opus_int32 lf_ar) {
#pragma clang loop unroll_count(5)
    for (int i = 0; i < p->length; i += 4) { /* a subframe is 40, 60 or 80 samples */
        v128_t x = wasm_v128_load(&NSQ->sLPC_Q14[NSQ_LPC_BUF_LENGTH + i]);
        x = shr_round(mulww(x, splat(p->gain_Q10)), 8);
        wasm_v128_store64_lane(&xq[i], wasm_i16x8_narrow_i32x4(x, x), 0);
    }
    silk_memmove(NSQ->sLPC_Q14, &NSQ->sLPC_Q14[p->length], NSQ_LPC_BUF_LENGTH * sizeof(opus_int32));
#pragma clang loop unroll_count(4)
    for (int i = 0; i < p->shape_order; i++) {
        NSQ->sAR2_Q14[i] = diffs[p->length - 2 - i];
    }
    NSQ->sDiff_shp_Q14 = diffs[p->length - 1];
    NSQ->sLF_AR_shp_Q14 = lf_ar;
    NSQ->rand_seed = seed;
    NSQ->sLTP_shp_buf_idx += p->length;
    NSQ->sLTP_buf_idx += p->length;
}

QUANTIZE(quantize_12, taps12)
QUANTIZE(quantize_16, taps16)

static void scale_states(const silk_encoder_state *psEncC, silk_nsq_state *NSQ, const opus_int16 *x16,
                         opus_int32 *x_sc_Q10, const opus_int16 *sLTP, opus_int32 *sLTP_Q15, int k,
                         opus_int LTP_scale_Q14, opus_int32 gain_Q16, int lag, int signal_type) {
    opus_int32 inv_gain_Q31 = silk_INVERSE32_varQ(silk_max(gain_Q16, 1), 47);
    v128_t inv_gain_Q26 = splat(silk_RSHIFT_ROUND(inv_gain_Q31, 5));
#pragma clang loop unroll_count(5)
    for (int i = 0; i < psEncC->subfr_length; i += 4) {
        wasm_v128_store(&x_sc_Q10[i], mulww(wasm_i32x4_load16x4(&x16[i]), inv_gain_Q26));
    }
    int start = NSQ->sLTP_buf_idx - lag - LTP_ORDER / 2;
    if (NSQ->rewhite_flag) {
        if (k == 0) {
            inv_gain_Q31 = silk_LSHIFT(silk_SMULWB(inv_gain_Q31, LTP_scale_Q14), 2);
        }
        sidetone_scale_samples(&sLTP_Q15[start], &sLTP[start], NSQ->sLTP_buf_idx - start, inv_gain_Q31);
    }
    if (gain_Q16 != NSQ->prev_gain_Q16) {
        opus_int32 adjust_Q16 = silk_DIV32_varQ(NSQ->prev_gain_Q16, gain_Q16, 16);
        sidetone_scale(&NSQ->sLTP_shp_Q14[NSQ->sLTP_shp_buf_idx - psEncC->ltp_mem_length], psEncC->ltp_mem_length, adjust_Q16);
        if (signal_type == TYPE_VOICED && NSQ->rewhite_flag == 0) {
            sidetone_scale(&sLTP_Q15[start], NSQ->sLTP_buf_idx - start, adjust_Q16);
        }
        NSQ->sLF_AR_shp_Q14 = silk_SMULWW(adjust_Q16, NSQ->sLF_AR_shp_Q14);
        NSQ->sDiff_shp_Q14 = silk_SMULWW(adjust_Q16, NSQ->sDiff_shp_Q14);
        sidetone_scale(NSQ->sLPC_Q14, NSQ_LPC_BUF_LENGTH, adjust_Q16);
        sidetone_scale(NSQ->sAR2_Q14, MAX_SHAPE_LPC_ORDER, adjust_Q16);
        NSQ->prev_gain_Q16 = gain_Q16;
    }
}

void silk_NSQ_c(const silk_encoder_state *psEncC, silk_nsq_state *NSQ, SideInfoIndices *psIndices,
                const opus_int16 x16[], opus_int8 pulses[], const opus_int16 *PredCoef_Q12,
                const opus_int16 LTPCoef_Q14[LTP_ORDER * MAX_NB_SUBFR],
                const opus_int16 AR_Q13[MAX_NB_SUBFR * MAX_SHAPE_LPC_ORDER],
                const opus_int HarmShapeGain_Q14[MAX_NB_SUBFR], const opus_int Tilt_Q14[MAX_NB_SUBFR],
                const opus_int32 LF_shp_Q14[MAX_NB_SUBFR], const opus_int32 Gains_Q16[MAX_NB_SUBFR],
                const opus_int pitchL[MAX_NB_SUBFR], const opus_int Lambda_Q10, const opus_int LTP_scale_Q14) {
    opus_int32 x_sc_Q10[MAX_SUB_FRAME_LENGTH];
    opus_int32 sLTP_Q15[2 * MAX_FRAME_LENGTH];
    opus_int16 sLTP[2 * MAX_FRAME_LENGTH];
    const int ltp_mem = psEncC->ltp_mem_length;
    const int interpolated = psIndices->NLSFInterpCoef_Q2 != 4;
    opus_int16 *pxq = &NSQ->xq[ltp_mem];
    subframe p;

    celt_assert((psEncC->shapingLPCOrder & 1) == 0 && psEncC->shapingLPCOrder <= 16);
    NSQ->rand_seed = psIndices->Seed;
    NSQ->sLTP_shp_buf_idx = ltp_mem;
    NSQ->sLTP_buf_idx = ltp_mem;
    p.lag = NSQ->lagPrev; /* where unvoiced, the previous one */
    p.signal_type = psIndices->signalType;
    p.lpc_order = psEncC->predictLPCOrder;
    p.shape_order = psEncC->shapingLPCOrder;
    p.lambda_Q10 = Lambda_Q10;
    p.offset_Q10 = silk_Quantization_Offsets_Q10[psIndices->signalType >> 1][psIndices->quantOffsetType];
    p.length = psEncC->subfr_length;

    for (int k = 0; k < psEncC->nb_subfr; k++) {
        p.a_Q12 = &PredCoef_Q12[((k >> 1) | (1 - interpolated)) * MAX_LPC_ORDER];
        p.b_Q14 = &LTPCoef_Q14[k * LTP_ORDER];
        p.ar_Q13 = &AR_Q13[k * MAX_SHAPE_LPC_ORDER];
        p.harm_shape = silk_RSHIFT(HarmShapeGain_Q14[k], 2);
        p.harm_shape |= silk_LSHIFT((opus_int32)silk_RSHIFT(HarmShapeGain_Q14[k], 1), 16);
        p.tilt_Q14 = Tilt_Q14[k];
        p.lf_shp_Q14 = LF_shp_Q14[k];
        p.gain_Q10 = silk_RSHIFT(Gains_Q16[k], 6);

        NSQ->rewhite_flag = 0;
        if (psIndices->signalType == TYPE_VOICED) {
            p.lag = pitchL[k];
            if ((k & (3 - 2 * interpolated)) == 0) {
                int start = ltp_mem - p.lag - psEncC->predictLPCOrder - LTP_ORDER / 2;
                celt_assert(start > 0);
                silk_LPC_analysis_filter(&sLTP[start], &NSQ->xq[start + k * psEncC->subfr_length], p.a_Q12,
                                         ltp_mem - start, psEncC->predictLPCOrder, psEncC->arch);
                NSQ->rewhite_flag = 1;
                NSQ->sLTP_buf_idx = ltp_mem;
            }
        }
        scale_states(psEncC, NSQ, x16, x_sc_Q10, sLTP, sLTP_Q15, k, LTP_scale_Q14, Gains_Q16[k], pitchL[k],
                     psIndices->signalType);
        if (p.shape_order <= 12) {
            quantize_12(NSQ, &p, x_sc_Q10, pulses, pxq, sLTP_Q15);
        } else {
            quantize_16(NSQ, &p, x_sc_Q10, pulses, pxq, sLTP_Q15);
        }
        x16 += p.length;
        pulses += p.length;
        pxq += p.length;
    }
    NSQ->lagPrev = pitchL[psEncC->nb_subfr - 1];
    silk_memmove(NSQ->xq, &NSQ->xq[psEncC->frame_length], ltp_mem * sizeof(opus_int16));
    silk_memmove(NSQ->sLTP_shp_Q14, &NSQ->sLTP_shp_Q14[psEncC->frame_length], ltp_mem * sizeof(opus_int32));
}
