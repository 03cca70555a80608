/* Runs each kernel, or the C of libopus that it replaces, again and again on the same input: for the benchmark of kernels.
 * Compiled for tests only (feature `kernel-tests`).
 *
 * sidetone_time(kernel, ours, rounds) returns how many samples a round has; a negative number ends the list. The order is
 * that of crates/bench/src/bin/kernels.rs.
 */
#include "theirs.h"

#define MOST 960

static struct {
    silk_encoder_state encoder;
    silk_nsq_state quantizer, quantizer_before;
    silk_decoder_state decoder, decoder_before;
    silk_decoder_control control;
    silk_resampler_state_struct down, up;
    SideInfoIndices indices;
    opus_int16 x[MOST], out[6 * MOST], a[2 * MAX_LPC_ORDER], b[LTP_ORDER * MAX_NB_SUBFR];
    opus_int16 ar[MAX_NB_SUBFR * MAX_SHAPE_LPC_ORDER], pulses16[MOST], weights16[MAX_LPC_ORDER], ec_ix[MAX_LPC_ORDER];
    opus_int8 pulses[MOST];
    opus_uint8 pred[MAX_LPC_ORDER], packet[MOST];
    opus_int harm[MAX_NB_SUBFR], tilt[MAX_NB_SUBFR], lag[MAX_NB_SUBFR];
    opus_int32 lf[MAX_NB_SUBFR], gain[MAX_NB_SUBFR];
    float f[2 * MOST], g[2 * MOST], h[2 * MOST], coefs[32], small[MOST];
    signed char weights[32 * 32];
    volatile double sink;
    int prepared;
} d;

static void prepare(void) {
    state = 2654435761u;
    size = 0;
    silk_encoder_state *e = &d.encoder;
    e->fs_kHz = 16;
    e->nb_subfr = 4;
    e->subfr_length = 80;
    e->frame_length = 320;
    e->ltp_mem_length = 320;
    e->predictLPCOrder = 16;
    e->warping_Q16 = 16 * 983;
    fill16(d.quantizer_before.xq, 2 * MAX_FRAME_LENGTH);
    d.quantizer_before.lagPrev = 100;
    d.quantizer_before.prev_gain_Q16 = 1 << 16;
    d.indices.signalType = TYPE_VOICED;
    d.indices.NLSFInterpCoef_Q2 = 4;
    fill16(d.x, MOST);
    fill16(d.a, 2 * MAX_LPC_ORDER);
    fill16(d.b, LTP_ORDER * MAX_NB_SUBFR);
    fill16(d.ar, MAX_NB_SUBFR * MAX_SHAPE_LPC_ORDER);
    for (int k = 0; k < MAX_NB_SUBFR; k++) {
        d.harm[k] = 4000;
        d.tilt[k] = -3000;
        d.lag[k] = 100;
        d.lf[k] = 0x08001000;
        d.gain[k] = (2 + k) << 15;
        d.control.pitchL[k] = 100;
        d.control.Gains_Q16[k] = d.gain[k];
    }
    silk_decoder_state *s = &d.decoder_before;
    s->fs_kHz = 16;
    s->nb_subfr = 4;
    s->subfr_length = 80;
    s->frame_length = 320;
    s->ltp_mem_length = 320;
    s->LPC_order = 16;
    s->prev_gain_Q16 = 1 << 16;
    s->indices = d.indices;
    fill16(s->outBuf, 480);
    fill16(d.control.PredCoef_Q12[0], 2 * MAX_LPC_ORDER);
    fill16(d.control.LTPCoef_Q14, LTP_ORDER * MAX_NB_SUBFR);
    d.control.LTP_scale_Q14 = 15565;
    for (int i = 0; i < MOST; i++) d.pulses16[i] = (opus_int16)(below(4) ? 0 : between(-2, 2));
    for (int i = 0; i < MAX_LPC_ORDER; i++) d.weights16[i] = (opus_int16)between(1, 100);
    silk_NLSF_unpack(d.ec_ix, d.pred, &silk_NLSF_CB_WB, 5);
    silk_resampler_init(&d.down, 24000, 16000, 1);
    silk_resampler_init(&d.up, 16000, 24000, 0);
    fill(d.f, 2 * MOST);
    for (int i = 1; i < 2 * MOST; i++) d.f[i] += .9f * d.f[i - 1];
    fill(d.g, 2 * MOST);
    for (int i = 0; i < MOST; i++) d.small[i] = number(16) / 65536.f;
    for (int i = 0; i < 32; i++) d.coefs[i] = number(16) / 65536.f;
    for (int i = 0; i < 32 * 32; i++) d.weights[i] = (signed char)bits();
    for (int i = 0; i < MOST; i++) d.packet[i] = (opus_uint8)bits();
    d.prepared = 1;
}

static void quantize(nsq *run, int order, int states) {
    d.encoder.shapingLPCOrder = order;
    d.encoder.nStatesDelayedDecision = states;
    d.quantizer = d.quantizer_before;
    SideInfoIndices indices = d.indices;
    run(&d.encoder, &d.quantizer, &indices, d.x, d.pulses, d.a, d.b, d.ar, d.harm, d.tilt, d.lf, d.gain, d.lag, 700, 15565);
}

static void decode(void (*run)(silk_decoder_state *, silk_decoder_control *, opus_int16 *, const opus_int16 *, int)) {
    d.decoder = d.decoder_before;
    silk_decoder_control control = d.control;
    run(&d.decoder, &control, d.out, d.pulses16, 0);
}

static const opus_uint8 table[] = {200, 140, 90, 50, 25, 12, 4, 0};

/* Loops of libopus that have no name of their own, as it has them. */
static void their_deemphasis(void) {
    float m = 0;
    for (int i = 0; i < MOST; i++) {
        float now = d.f[i] + 1e-30f + m;
        m = .85f * now;
        d.h[i] = now;
    }
}
static void their_deemphasis_half(void) {
    static float scratch[MOST];
    float m = 0;
    for (int i = 0; i < MOST; i++) {
        scratch[i] = d.f[i] + 1e-30f + m;
        m = .85f * scratch[i];
    }
    for (int i = 0; i < MOST / 2; i++) d.h[i] += .5f * scratch[2 * i];
}
static void their_preemphasis_of_half(void) {
    float m = 0;
    for (int i = 0; i < MOST; i++) d.h[i] = 0;
    for (int i = 0; i < MOST / 2; i++) d.h[2 * i] = d.small[i] * 32768;
    for (int i = 0; i < MOST; i++) {
        float now = d.h[i];
        d.h[i] = now - m;
        m = .85f * now;
    }
}
static const float high_pass[5] = {.99f, -1.98f, .99f, -1.9798f, .9801f};
static void their_biquad(float s[2]) {
    for (int k = 0; k < MOST; k++) {
        float x = d.f[k], y = s[0] + high_pass[0] * x;
        s[0] = s[1] - y * high_pass[3] + high_pass[1] * x;
        s[1] = -y * high_pass[4] + high_pass[2] * x + 1e-30f;
        d.h[k] = y;
    }
}
/* Six pulses in 32 dimensions. */
static void search(int ours) {
    float x[32];
    int pulses[32];
    for (int i = 0; i < 32; i++) x[i] = d.small[i];
    d.sink = ours ? sidetone_pvq_search(x, pulses, 6, 32) : op_pvq_search_c(x, pulses, 6, 32, 0);
}
static void their_gemm(void) {
    for (int i = 0; i < 32; i++) {
        for (int j = 0; j < 32; j++) d.h[i] += d.weights[j * 32 + i] * d.f[j];
    }
}
static void their_preemphasis(void) {
    float m = 0;
    for (int i = 0; i < MOST; i++) {
        float now = d.h[i];
        d.h[i] = now - m;
        m = .85f * now;
    }
}
static void their_fold(void) {
    float *a = d.h, *b = d.h + 119;
    const float *w1 = d.g, *w2 = d.g + 119;
    for (int i = 0; i < 60; i++) {
        float x = *b, y = *a;
        *a++ = y * *w2 - x * *w1;
        *b-- = y * *w1 + x * *w2;
        w1++;
        w2--;
    }
}
static float their_max_abs(void) {
    float most = 0, least = 0;
    for (int i = 0; i < MOST; i++) {
        most = d.f[i] > most ? d.f[i] : most;
        least = d.f[i] < least ? d.f[i] : least;
    }
    return most > -least ? most : -least;
}
static float their_sum_abs(void) {
    float sum = 0;
    for (int i = 0; i < MOST; i++) sum += fabsf(d.f[i]);
    return sum;
}
static int their_within_one(void) {
    for (int i = 0; i < MOST; i++) {
        if (!(d.small[i] <= 1 && d.small[i] >= -1)) return 0;
    }
    return 1;
}
static void bytewise(opus_uint8 *to, const opus_uint8 *from, int n) {
    for (int i = 0; i < n; i++) ((volatile opus_uint8 *)to)[i] = from[i];
}

int sidetone_time_small(int kernel, int ours);

/* One round; how many samples (values, symbols, bytes) that is. */
static int once(int kernel, int ours) {
    const CELTMode *mode = opus_custom_mode_create(48000, 960, NULL);
    const kiss_fft_state *fft = mode->mdct.kfft[0];
    ec_ctx coder;
    float state[2] = {0, 0};
    switch (kernel) {
    case 0: quantize(ours ? silk_NSQ_del_dec_c : ref_silk_NSQ_del_dec_c, 24, 4); return 320;
    case 1: quantize(ours ? silk_NSQ_del_dec_c : ref_silk_NSQ_del_dec_c, 16, 2); return 320;
    case 2: quantize(ours ? silk_NSQ_c : ref_silk_NSQ_c, 12, 1); return 320;
    case 3: decode(ours ? silk_decode_core : ref_silk_decode_core); return 320;
    case 4: (ours ? silk_LPC_analysis_filter : ref_silk_LPC_analysis_filter)(d.out, d.x, d.a, 320, 16, 0); return 320;
    case 5: (ours ? silk_LPC_analysis_filter_FLP : ref_silk_LPC_analysis_filter_FLP)(d.h, d.coefs, d.f, 384, 16); return 384;
    case 6: (ours ? silk_resampler_private_down_FIR : ref_silk_resampler_private_down_FIR)(&d.down, d.out, d.x, 480); return 480;
    case 7: (ours ? silk_resampler_private_IIR_FIR : ref_silk_resampler_private_IIR_FIR)(&d.up, d.out, d.x, 320); return 480;
    case 8: (ours ? opus_fft_impl : ref_opus_fft_impl)(fft, (kiss_fft_cpx *)d.h); return 480;
    case 9: d.sink = (ours ? silk_inner_product_FLP_c : ref_silk_inner_product_FLP_c)(d.f, d.g, 320); return 320;
    case 10: d.sink = (ours ? silk_energy_FLP : ref_silk_energy_FLP)(d.f, 320); return 320;
    case 11: (ours ? silk_autocorrelation_FLP : ref_silk_autocorrelation_FLP)(d.h, d.f, 384, 17, 0); return 384;
    case 12: (ours ? silk_warped_autocorrelation_FLP : ref_silk_warped_autocorrelation_FLP)(d.h, d.f, .24f, 240, 24); return 240;
    case 13: d.sink = (ours ? silk_burg_modified_FLP : ref_silk_burg_modified_FLP)(d.h, d.f, 1e-4f, 96, 4, 16, 0); return 384;
    case 14: d.sink = (ours ? silk_schur_FLP : ref_silk_schur_FLP)(d.h, d.coefs, 24); return 24;
    case 15:
        if (ours) sidetone_copy(d.out, d.x, 1000);
        else bytewise((opus_uint8 *)d.out, (opus_uint8 *)d.x, 1000);
        return 1000;
    case 16:
        d.sink = (ours ? silk_NLSF_del_dec_quant : ref_silk_NLSF_del_dec_quant)(
            d.pulses, d.x, d.weights16, d.pred, d.ec_ix, silk_NLSF_CB_WB.ec_Rates_Q5, silk_NLSF_CB_WB.quantStepSize_Q16,
            silk_NLSF_CB_WB.invQuantStepSize_Q6, 1000, 16);
        return 16;
    case 17:
        if (ours) celt_pitch_xcorr(d.f, d.g, d.h, 240, 240, 0);
        else celt_pitch_xcorr_c(d.f, d.g, d.h, 240, 240, 0);
        return 240;
    case 18:
        if (ours) d.sink = sidetone_deemphasis(d.f, d.h, MOST, .85f, 0);
        else their_deemphasis();
        return MOST;
    case 19:
        if (ours) sidetone_gemm(d.h, d.weights, 32, 32, 32, d.f);
        else their_gemm();
        return 32 * 32;
    case 20: d.sink = ours ? sidetone_sum_abs(d.f, MOST) : their_sum_abs(); return MOST;
    case 21: d.sink = ours ? sidetone_max_abs(d.f, MOST) : their_max_abs(); return MOST;
    case 22: d.sink = ours ? sidetone_within_one(d.small, MOST) : their_within_one(); return MOST;
    case 23:
        if (ours) sidetone_to_int16(d.f, d.out, MOST);
        else silk_float2short_array(d.out, d.f, MOST);
        return MOST;
    case 24:
        if (ours) sidetone_from_int16(d.x, d.h, MOST, 1);
        else silk_short2float_array(d.h, d.x, MOST);
        return MOST;
    case 25:
        if (ours) d.sink = sidetone_preemphasis(d.h, MOST, .85f, 0);
        else their_preemphasis();
        return MOST;
    case 26:
        if (ours) sidetone_gain(d.f, d.h, MOST, .5f);
        else for (int i = 0; i < MOST; i++) d.h[i] = d.f[i] * .5f;
        return MOST;
    case 27:
        if (ours) sidetone_deemphasis_half(d.f, d.h, MOST / 2, .85f, 0, 1, .5f);
        else their_deemphasis_half();
        return MOST / 2;
    case 28:
        if (ours) sidetone_fold(d.h, d.g, 120);
        else their_fold();
        return 120;
    case 29:
        ec_dec_init(&coder, d.packet, MOST);
        for (int i = 0; i < 400; i++) d.pulses[i] = (opus_int8)(ours ? sidetone_dec_icdf(&coder, table, 8) : ec_dec_icdf(&coder, table, 8));
        return 400;
    case 30:
        ec_enc_init(&coder, (unsigned char *)d.out, MOST);
        for (int i = 0; i < 400; i++) {
            if (ours) sidetone_enc_icdf(&coder, d.packet[i] & 3, table, 8);
            else ec_enc_icdf(&coder, d.packet[i] & 3, table, 8);
        }
        return 400;
    case 31: search(ours); return 32;
    case 32:
        (ours ? clt_mdct_forward_c : ref_clt_mdct_forward_c)(&mode->mdct, d.f, d.h, mode->window, 120, 0, 1, 0);
        return MOST;
    case 33:
        (ours ? clt_mdct_backward_c : ref_clt_mdct_backward_c)(&mode->mdct, d.f, d.h, mode->window, 120, 0, 1, 0);
        return MOST;
    case 34:
        if (ours) sidetone_preemphasis_of_half(d.small, d.h, MOST / 2, 0, .85f, 0);
        else their_preemphasis_of_half();
        return MOST;
    case 35:
        if (ours) sidetone_biquad(d.f, d.h, MOST, high_pass, high_pass + 3, state);
        else their_biquad(state);
        return MOST;
    case 36:
        (ours ? silk_resampler_private_up2_HQ_wrapper : ref_silk_resampler_private_up2_HQ_wrapper)(&d.up, d.out, d.x, 160);
        return 160;
    default: return sidetone_time_small(kernel - 37, ours);
    }
}

int sidetone_time(int kernel, int ours, int rounds) {
    int samples = 0;
    if (!d.prepared) {
        prepare();
    }
    for (int i = 0; i < rounds; i++) {
        samples = once(kernel, ours);
        __asm__ volatile("" : : : "memory");
    }
    return samples;
}
