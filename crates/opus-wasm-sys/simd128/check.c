/* Compares each kernel with the C of libopus that it replaces, on random and extreme inputs. Compiled for tests only
 * (feature `kernel-tests`), with libopus's functions under the names ref_….
 *
 * sidetone_check(kernel, seed) returns the greatest deviation: 0 where a kernel must be exact and is, or a number
 * relative to the size of the result. A negative number ends the list of kernels.
 */
#include "theirs.h"

static double greater(double a, double b) { return a > b ? a : b; }
static double deviation(double a, double b, double scale) {
    double d = fabs(a - b);
    return d == 0 ? 0 : d / scale;
}

static double check_nsq(nsq *ours, nsq *theirs, int delayed) {
    static silk_encoder_state e;
    static silk_nsq_state n1, n2;
    static const opus_int8 orders[] = {24, 20, 16, 14, 12};
    SideInfoIndices i1, i2;
    opus_int16 x[MAX_FRAME_LENGTH], a[2 * MAX_LPC_ORDER], b[LTP_ORDER * MAX_NB_SUBFR], ar[MAX_NB_SUBFR * MAX_SHAPE_LPC_ORDER];
    opus_int8 p1[MAX_FRAME_LENGTH], p2[MAX_FRAME_LENGTH];
    opus_int harm[MAX_NB_SUBFR], tilt[MAX_NB_SUBFR], lag[MAX_NB_SUBFR];
    opus_int32 lf[MAX_NB_SUBFR], gain[MAX_NB_SUBFR];

    silk_memset(&e, 0, sizeof(e));
    e.fs_kHz = 8 + 4 * below(3);
    e.nb_subfr = 2 + 2 * below(2);
    e.subfr_length = 5 * e.fs_kHz;
    e.frame_length = e.nb_subfr * e.subfr_length;
    e.ltp_mem_length = 20 * e.fs_kHz;
    e.predictLPCOrder = e.fs_kHz == 16 ? 16 : 10;
    e.shapingLPCOrder = orders[delayed ? below(5) : between(2, 4)]; /* one state: complexity 0 and 1 */
    e.nStatesDelayedDecision = delayed ? between(1, 4) : 1;
    e.warping_Q16 = delayed && below(4) ? e.fs_kHz * 983 : 0;
    silk_memset(&n1, 0, sizeof(n1));
    fill16(n1.xq, 2 * MAX_FRAME_LENGTH);
    fill32(n1.sLTP_shp_Q14, 2 * MAX_FRAME_LENGTH, size == 2 ? 32 : 28);
    fill32(n1.sLPC_Q14, NSQ_LPC_BUF_LENGTH, size == 2 ? 32 : 28);
    fill32(n1.sAR2_Q14, MAX_SHAPE_LPC_ORDER, size == 2 ? 32 : 28);
    n1.sLF_AR_shp_Q14 = number(28);
    n1.sDiff_shp_Q14 = number(28);
    n1.lagPrev = below(3) ? between(2 * e.fs_kHz, 18 * e.fs_kHz) : 0;
    n1.prev_gain_Q16 = between(1, 1 << 20);
    silk_memset(&i1, 0, sizeof(i1));
    i1.signalType = (opus_int8)below(3);
    i1.quantOffsetType = (opus_int8)below(2);
    i1.NLSFInterpCoef_Q2 = (opus_int8)between(0, 4);
    i1.Seed = (opus_int8)below(4);
    fill16(x, MAX_FRAME_LENGTH);
    fill16(a, 2 * MAX_LPC_ORDER);
    fill16(b, LTP_ORDER * MAX_NB_SUBFR);
    fill16(ar, MAX_NB_SUBFR * MAX_SHAPE_LPC_ORDER);
    int around = between(2 * e.fs_kHz, 18 * e.fs_kHz);
    for (int k = 0; k < MAX_NB_SUBFR; k++) {
        harm[k] = below(1 << 14);
        tilt[k] = number(16);
        lag[k] = near_lag(around, e.fs_kHz);
        lf[k] = number(32);
        gain[k] = k && below(2) ? gain[k - 1] : between(1, 1 << (10 + below(14)));
    }
    int lambda = below(2) ? below(2000) : below(8000), ltp_scale = below(16384);
    n2 = n1;
    i2 = i1;
    silk_memset(p1, 0, sizeof(p1));
    silk_memset(p2, 0, sizeof(p2));
    ours(&e, &n1, &i1, x, p1, a, b, ar, harm, tilt, lf, gain, lag, lambda, ltp_scale);
    theirs(&e, &n2, &i2, x, p2, a, b, ar, harm, tilt, lf, gain, lag, lambda, ltp_scale);
    return differ(n1.xq, n2.xq, sizeof(n1.xq)) + differ(n1.sLTP_shp_Q14, n2.sLTP_shp_Q14, e.ltp_mem_length * 4) +
           differ(n1.sLPC_Q14, n2.sLPC_Q14, NSQ_LPC_BUF_LENGTH * 4) + differ(n1.sAR2_Q14, n2.sAR2_Q14, sizeof(n1.sAR2_Q14)) +
           (n1.sLF_AR_shp_Q14 != n2.sLF_AR_shp_Q14) + (n1.sDiff_shp_Q14 != n2.sDiff_shp_Q14) +
           differ(&i1, &i2, sizeof(i1)) + differ(p1, p2, e.frame_length);
}

static double check_decode_core(void) {
    static silk_decoder_state d1, d2;
    silk_decoder_control c1, c2;
    opus_int16 x1[MAX_FRAME_LENGTH], x2[MAX_FRAME_LENGTH], pulses[MAX_FRAME_LENGTH];
    silk_memset(&d1, 0, sizeof(d1));
    silk_memset(&c1, 0, sizeof(c1));
    d1.fs_kHz = 8 + 4 * below(3);
    d1.nb_subfr = 2 + 2 * below(2);
    d1.subfr_length = 5 * d1.fs_kHz;
    d1.frame_length = d1.nb_subfr * d1.subfr_length;
    d1.ltp_mem_length = 20 * d1.fs_kHz;
    d1.LPC_order = d1.fs_kHz == 16 ? 16 : 10;
    d1.prev_gain_Q16 = between(1, 1 << 20);
    d1.lossCnt = below(2);
    d1.prevSignalType = below(3);
    d1.lagPrev = between(2 * d1.fs_kHz, 18 * d1.fs_kHz);
    d1.indices.signalType = (opus_int8)below(3);
    d1.indices.quantOffsetType = (opus_int8)below(2);
    d1.indices.NLSFInterpCoef_Q2 = (opus_int8)between(0, 4);
    d1.indices.Seed = (opus_int8)below(4);
    fill32(d1.sLPC_Q14_buf, MAX_LPC_ORDER, 32);
    fill16(d1.outBuf, d1.ltp_mem_length + 2 * d1.subfr_length);
    for (int k = 0; k < MAX_NB_SUBFR; k++) {
        c1.pitchL[k] = near_lag(d1.lagPrev, d1.fs_kHz);
        c1.Gains_Q16[k] = k && below(2) ? c1.Gains_Q16[k - 1] : between(1, 1 << (10 + below(16)));
    }
    fill16(c1.PredCoef_Q12[0], 2 * MAX_LPC_ORDER);
    fill16(c1.LTPCoef_Q14, LTP_ORDER * MAX_NB_SUBFR);
    c1.LTP_scale_Q14 = below(16384);
    if (below(8) == 0) { /* a history at the edge, of which little is predicted */
        for (int i = 0; i < MAX_LPC_ORDER; i++) {
            d1.sLPC_Q14_buf[i] = silk_int32_MAX - below(65536);
            c1.PredCoef_Q12[0][i] = (opus_int16)between(-2, 2);
        }
        c1.Gains_Q16[0] = d1.prev_gain_Q16;
    }
    for (int i = 0; i < MAX_FRAME_LENGTH; i++) pulses[i] = (opus_int16)(number(16) >> (size == 2 ? 0 : 10));
    d2 = d1;
    c2 = c1;
    silk_decode_core(&d1, &c1, x1, pulses, 0);
    ref_silk_decode_core(&d2, &c2, x2, pulses, 0);
    return differ(x1, x2, d1.frame_length * 2) + differ(d1.sLPC_Q14_buf, d2.sLPC_Q14_buf, sizeof(d1.sLPC_Q14_buf)) +
           differ(d1.exc_Q14, d2.exc_Q14, d1.frame_length * 4) + (d1.prev_gain_Q16 != d2.prev_gain_Q16) +
           differ(&c1, &c2, sizeof(c1));
}

static double check_nlsf(void) {
    const silk_NLSF_CB_struct *book = below(2) ? &silk_NLSF_CB_WB : &silk_NLSF_CB_NB_MB;
    opus_int8 i1[MAX_LPC_ORDER], i2[MAX_LPC_ORDER];
    opus_int16 x[MAX_LPC_ORDER], w[MAX_LPC_ORDER], ec_ix[MAX_LPC_ORDER];
    opus_uint8 pred[MAX_LPC_ORDER];
    silk_memset(i1, 0, sizeof(i1));
    silk_memset(i2, 0, sizeof(i2));
    silk_NLSF_unpack(ec_ix, pred, book, below(book->nVectors));
    for (int i = 0; i < MAX_LPC_ORDER; i++) {
        /* As far from any level as the sum of the weighted errors bears without overflow. */
        x[i] = (opus_int16)number(size == 2 ? 13 : 12);
        w[i] = (opus_int16)between(1, size == 2 ? 20 : 100);
    }
    int mu = between(0, size == 2 ? 32767 : 2000);
    opus_int32 rd1 = silk_NLSF_del_dec_quant(i1, x, w, pred, ec_ix, book->ec_Rates_Q5, book->quantStepSize_Q16,
                                             book->invQuantStepSize_Q6, mu, book->order);
    opus_int32 rd2 = ref_silk_NLSF_del_dec_quant(i2, x, w, pred, ec_ix, book->ec_Rates_Q5, book->quantStepSize_Q16,
                                                 book->invQuantStepSize_Q6, mu, book->order);
    return (rd1 != rd2) + differ(i1, i2, sizeof(i1));
}

static double check_deemphasis(void) {
    float x[960], y[960], m = number(16), expected = m, worst = 0;
    const float coef = .8500061035f;
    int n = between(1, 960);
    fill(x, 960);
    float after = sidetone_deemphasis(x, y, n, coef, m), scale = fabsf(m);
    for (int i = 0; i < n; i++) scale = fabsf(x[i]) > scale ? fabsf(x[i]) : scale;
    scale = 10 * scale + 1e-9f;
    for (int i = 0; i < n; i++) {
        float now = x[i] + 1e-30f + expected;
        expected = coef * now;
        worst = greater(worst, fabsf(y[i] - now) / scale);
    }
    return greater(worst, fabsf(after - expected) / scale);
}

static double check_memory(void) {
    opus_uint8 a[700], b[700];
    int n = below(4) ? below(300) : below(20), to = below(200), from = below(200), value = below(256);
    for (int i = 0; i < 700; i++) a[i] = b[i] = (opus_uint8)bits();
    sidetone_move(a + to, a + from, n);
    if (to < from) for (int i = 0; i < n; i++) ((volatile opus_uint8 *)b)[to + i] = b[from + i];
    else for (int i = n - 1; i >= 0; i--) ((volatile opus_uint8 *)b)[to + i] = b[from + i];
    int different = differ(a, b, 700);
    sidetone_copy(a + 500 - below(2), a + from, n % 150);
    different += differ(a, b, 499) + (n % 150 > 0 && a[500] != b[from] && a[499] != b[from]);
    for (int i = 0; i < 700; i++) b[i] = a[i];
    sidetone_fill(a + to, value, n);
    for (int i = 0; i < n; i++) ((volatile opus_uint8 *)b)[to + i] = (opus_uint8)value;
    return different + differ(a, b, 700);
}

/* Neighbours of what they stand for in libopus: sums, conversion to 16 bits, the range of samples, neural layers. */
static double check_small(void) {
    float x[400], out1[40], out2[40];
    short s1[400];
    signed char weights[40 * 72];
    int n = between(1, 400), rows = below(41), cols = below(33), outside = 0;
    fill(x, 400);
    double sum = 0, size_of = 1e-9;
    for (int i = 0; i < n; i++) sum += fabsf(x[i]);
    size_of += sum;
    double worst = deviation(sidetone_sum_abs(x, n), sum, size_of) > 1e-5;
    for (int i = 0; i < n; i++) x[i] *= below(200) ? 1.f / 32768 : 1.f / 16384;
    int done = sidetone_float2int16(x, s1, n);
    worst += done > n || n - done >= 8;
    for (int i = 0; i < done; i++) worst += s1[i] != FLOAT2INT16(x[i]);
    for (int i = 0; i < n; i++) outside |= !(x[i] <= 1 && x[i] >= -1);
    worst += sidetone_within_one(x, n) == outside;
    for (int i = 0; i < 40 * 72; i++) weights[i] = (signed char)bits();
    for (int i = 0; i < 40; i++) out1[i] = out2[i] = x[i];
    done = sidetone_gemm(out1, weights, rows, cols, 72, x);
    worst += done > rows || rows - done >= 8;
    for (int i = 0; i < done; i++) {
        for (int j = 0; j < cols; j++) out2[i] += weights[j * 72 + i] * x[j];
        worst += out1[i] != out2[i];
    }
    return worst;
}

static double check_range_decoder(void) {
    opus_uint8 packet[64], table[40];
    ec_dec d1, d2;
    int length = between(1, 64);
    for (int i = 0; i < 64; i++) packet[i] = below(3) ? (opus_uint8)bits() : below(2) ? 0 : 255;
    ec_dec_init(&d1, packet, length);
    d2 = d1;
    for (int turn = 0; turn < 400; turn++) { /* also past the end */
        int symbols = between(2, 40), at = 256;
        for (int i = 0; i < symbols; i++) {
            at -= i + 1 == symbols ? at : between(1, (at - (symbols - i - 1)) / 2 > 1 ? (at - (symbols - i - 1)) / 2 : 1);
            table[i] = (opus_uint8)(at > 255 ? 255 : at);
        }
        if (sidetone_dec_icdf(&d1, table, 8) != ec_dec_icdf(&d2, table, 8)) return 1;
        if (d1.rng != d2.rng || d1.val != d2.val || d1.offs != d2.offs || ec_tell(&d1) != ec_tell(&d2)) return 2;
        opus_int16 p1[16], p2[16];
        opus_uint8 sign[2] = {(opus_uint8)between(1, 255), 0};
        for (int i = 0; i < 16; i++) p1[i] = p2[i] = (opus_int16)(below(2) ? 0 : bits() & 0x7fff);
        sidetone_dec_signs(&d1, p1, sign[0]);
        their_dec_signs(&d2, p2, sign);
        if (differ(p1, p2, sizeof(p1)) || d1.rng != d2.rng || d1.val != d2.val || ec_tell(&d1) != ec_tell(&d2)) return 3;
    }
    return 0;
}

static double check_range_encoder(void) {
    opus_uint8 p1[600], p2[600], table[40];
    ec_enc e1, e2;
    ec_enc_init(&e1, p1, 600);
    ec_enc_init(&e2, p2, 600);
    for (int turn = 0; turn < 300; turn++) {
        int symbols = between(2, 40), at = 256;
        for (int i = 0; i < symbols; i++) {
            at -= i + 1 == symbols ? at : between(1, (at - (symbols - i - 1)) / 2 > 1 ? (at - (symbols - i - 1)) / 2 : 1);
            table[i] = (opus_uint8)(at > 255 ? 255 : at);
        }
        int symbol = below(3) ? below(symbols) : 0;
        if (symbol > 0 && table[symbol - 1] == table[symbol]) continue; /* of no probability */
        sidetone_enc_icdf(&e1, symbol, table, 8);
        ec_enc_icdf(&e2, symbol, table, 8);
        opus_int8 pulses[16];
        opus_uint8 sign[2] = {(opus_uint8)between(1, 255), 0};
        int signs = below(10) == 0;
        for (int i = 0; i < 16; i++) pulses[i] = (opus_int8)(signs && below(2) ? bits() : 0);
        sidetone_enc_signs(&e1, pulses, sign[0]);
        their_enc_signs(&e2, pulses, sign);
        if (e1.rng != e2.rng || e1.val != e2.val || e1.offs != e2.offs || ec_tell(&e1) != ec_tell(&e2)) return 1;
    }
    ec_enc_done(&e1);
    ec_enc_done(&e2);
    return differ(p1, p2, 600) + (e1.error != e2.error);
}

static double check_lpc_analysis_flp(void) {
    static const opus_int8 orders[] = {6, 8, 10, 12, 16};
    float in[400], a[16], x1[400], x2[400];
    int order = orders[below(5)], length = between(order, 400);
    fill(in, 400);
    fill(a, 16);
    silk_LPC_analysis_filter_FLP(x1, a, in, length, order);
    ref_silk_LPC_analysis_filter_FLP(x2, a, in, length, order);
    return differ(x1, x2, length * sizeof(float));
}

static double check_schur(void) {
    float x[400], c[25], r1[24], r2[24];
    int order = between(1, 24);
    fill(x, 400);
    for (int k = 0; k <= order; k++) c[k] = (float)ref_silk_inner_product_FLP_c(x, x + k, 400 - k);
    c[0] += below(2) ? 1e-3f * c[0] + 1 : 0;
    float e1 = silk_schur_FLP(r1, c, order), e2 = ref_silk_schur_FLP(r2, c, order);
    return (e1 != e2) + differ(r1, r2, order * sizeof(float));
}

/* samples.h, each against the loop it stands for in libopus. */
static double check_samples(void) {
    float x[400], y[400], y1[400], y2[400], most = 0, gain = number(16) / 100.f, m1 = number(16), m2 = m1;
    opus_int16 s[400], s1[400], s2[400];
    int n = between(0, 400);
    int worst = 0;
    fill(x, 400);
    fill(y, 400);
    fill16(s, 400);
    sidetone_from_int16(s, y1, n, gain);
    for (int i = 0; i < n; i++) y2[i] = s[i] * gain;
    worst += differ(y1, y2, n * sizeof(float));
    for (int i = 0; i < n; i++) x[i] = below(3) ? x[i] : below(2) ? x[i] * 70000 : between(-40000, 40000) + .5f;
    sidetone_to_int16(x, s1, n);
    for (int i = 0; i < n; i++) s2[i] = (opus_int16)silk_SAT16(x[i] > 1e9f ? 1000000000 : x[i] < -1e9f ? -1000000000 : float2int(x[i]));
    worst += differ(s1, s2, n * sizeof(opus_int16));
    for (int i = 0; i < n; i++) most = fabsf(x[i]) > most ? fabsf(x[i]) : most;
    worst += sidetone_max_abs(x, n) != most;
    sidetone_gain(x, y1, n, gain);
    for (int i = 0; i < n; i++) y2[i] = x[i] * gain;
    worst += differ(y1, y2, n * sizeof(float));
    for (int i = 0; i < 400; i++) y1[i] = y2[i] = x[i];
    sidetone_gain(y1, y1, n, gain); /* in place, and no further */
    for (int i = 0; i < n; i++) y2[i] *= gain;
    worst += differ(y1, y2, sizeof y1);
    unsigned seed = bits();
    worst += sidetone_add_noise(x, y1, n, gain, seed) != their_noise(x, y2, n, gain, seed) || differ(y1, y2, n * sizeof(float));
    for (int i = 0; i < n; i++) y1[i] = y2[i] = x[i];
    m1 = sidetone_preemphasis(y1, n, .85f, m1);
    for (int i = 0; i < n; i++) {
        float now = y2[i];
        y2[i] = now - m2;
        m2 = .85f * now;
    }
    worst += m1 != m2 || differ(y1, y2, n * sizeof(float));
    for (int i = 0; i < 400; i++) y1[i] = y2[i] = x[i];
    int overlap = 2 * between(1, 100), done = sidetone_fold(y1, y, overlap);
    for (int i = 0; i < done; i++) {
        float a = y2[i], b = y2[overlap - 1 - i], w1 = y[i], w2 = y[overlap - 1 - i];
        y2[i] = a * w2 - b * w1;
        y2[overlap - 1 - i] = a * w1 + b * w2;
    }
    worst += differ(y1, y2, sizeof(y1)) || (done != 0 && done != overlap / 2);
    return worst;
}

static double check_lpc_analysis(void) {
    opus_int16 in[400], a[MAX_LPC_ORDER], x1[400], x2[400];
    int order = 6 + 2 * below(6), length = between(order, 400);
    fill16(in, 400);
    fill16(a, MAX_LPC_ORDER);
    silk_LPC_analysis_filter(x1, in, a, length, order, 0);
    ref_silk_LPC_analysis_filter(x2, in, a, length, order, 0);
    return differ(x1, x2, 2 * length);
}

static double check_resampler(int encoder) {
    static const opus_int32 rates[] = {8000, 12000, 16000, 24000, 48000};
    silk_resampler_state_struct s1, s2;
    opus_int16 in[960], x1[5760], x2[5760];
    opus_int32 from, to;
    silk_memset(x1, 0, sizeof(x1));
    silk_memset(x2, 0, sizeof(x2));
    if (encoder) {
        do { from = rates[below(5)]; to = rates[below(3)]; } while (from <= to);
    } else {
        do { from = rates[below(3)]; to = rates[below(5)]; } while (from >= to);
    }
    silk_resampler_init(&s1, from, to, encoder);
    s2 = s1;
    for (int turn = 0; turn < 3; turn++) {
        int n = encoder ? from / 1000 * between(1, 20) + below(4) : from / 1000 * between(0, 20);
        fill16(in, n);
        if (encoder) {
            silk_resampler_private_down_FIR(&s1, x1, in, n);
            ref_silk_resampler_private_down_FIR(&s2, x2, in, n);
        } else {
            int twice = to == 2 * from; /* without what interpolates */
            (twice ? silk_resampler_private_up2_HQ_wrapper : silk_resampler_private_IIR_FIR)(&s1, x1, in, n);
            (twice ? ref_silk_resampler_private_up2_HQ_wrapper : ref_silk_resampler_private_IIR_FIR)(&s2, x2, in, n);
        }
        if (differ(x1, x2, sizeof(x1)) || differ(&s1, &s2, sizeof(s1))) return 1;
    }
    return 0;
}

static double check_fft(void) {
    const CELTMode *mode = opus_custom_mode_create(48000, 960, NULL);
    const kiss_fft_state *fft = mode->mdct.kfft[below(4)];
    kiss_fft_cpx x1[480], x2[480];
    fill(&x1[0].r, 2 * fft->nfft);
    silk_memcpy(x2, x1, sizeof(x1));
    opus_fft_impl(fft, x1);
    ref_opus_fft_impl(fft, x2);
    for (int i = 0; i < fft->nfft; i++) {
        if (x1[i].r != x2[i].r || x1[i].i != x2[i].i) return 1;
    }
    return 0;
}

static double check_sums(void) {
    float a[512], b[512], c1[25], c2[25];
    int n = between(1, 480);
    fill(a, 512);
    fill(b, 512);
    double scale = sqrt(ref_silk_energy_FLP(a, n) * ref_silk_energy_FLP(b, n)) + 1e-9;
    double worst = deviation(silk_inner_product_FLP_c(a, b, n), ref_silk_inner_product_FLP_c(a, b, n), scale);
    double energy = ref_silk_energy_FLP(a, n) + 1e-9;
    worst = greater(worst, deviation(silk_energy_FLP(a, n), energy - 1e-9, energy));
    int count = between(1, 25);
    silk_autocorrelation_FLP(c1, a, n, count, 0);
    ref_silk_autocorrelation_FLP(c2, a, n, count, 0);
    for (int i = 0; i < count && i < n; i++) worst = greater(worst, deviation(c1[i], c2[i], energy));
    return worst;
}

static double check_warped(void) {
    static const opus_int8 orders[] = {24, 20, 16, 14, 12};
    float a[SHAPE_LPC_WIN_MAX], c1[25], c2[25];
    int n = between(40, SHAPE_LPC_WIN_MAX), order = orders[below(5)];
    double worst = 0;
    fill(a, n);
    if (below(2)) {
        for (int i = 1; i < n; i++) a[i] += .95f * a[i - 1]; /* a tilt, as speech has */
    }
    silk_warped_autocorrelation_FLP(c1, a, .24f, n, order);
    ref_silk_warped_autocorrelation_FLP(c2, a, .24f, n, order);
    for (int i = 0; i <= order; i++) worst = greater(worst, deviation(c1[i], c2[i], c2[0] + 1e-9));
    return worst;
}

static double check_burg(void) {
    float x[384], a1[16], a2[16];
    int order = below(2) ? 16 : 10, length = 5 * (8 + 4 * below(3)) + order, count = 2 + 2 * below(2);
    fill(x, 384);
    for (int i = 1; i < 384; i++) x[i] += .9f * x[i - 1]; /* something to predict */
    float e1 = silk_burg_modified_FLP(a1, x, 1e-4f, length, count, order, 0);
    float e2 = ref_silk_burg_modified_FLP(a2, x, 1e-4f, length, count, order, 0);
    double worst = deviation(e1, e2, ref_silk_energy_FLP(x, length * count) + 1e-9);
    for (int i = 0; i < order; i++) worst = greater(worst, deviation(a1[i], a2[i], 1));
    return worst;
}

static double check_celt(void) {
    float x[480], y[1000], c1[500], c2[4], worst = 0;
    int n = between(3, 480), lags = between(1, 500);
    fill(x, 480);
    fill(y, 1000);
    celt_pitch_xcorr(x, y, c1, n, lags, 0);
    float scale = 1e-9f;
    for (int i = 0; i < n; i++) scale += fabsf(x[i]);
    scale *= 32768;
    for (int i = 0; i < lags; i++) {
        worst = greater(worst, fabsf(c1[i] - celt_inner_prod_c(x, y + i, n)) / scale);
    }
    c1[0] = c1[1] = c1[2] = c1[3] = c2[0] = c2[1] = c2[2] = c2[3] = 1;
    xcorr_kernel(x, y, c1, n, 0);
    xcorr_kernel_c(x, y, c2, n);
    for (int i = 0; i < 4; i++) worst = greater(worst, fabsf(c1[i] - c2[i]) / scale);
    return worst;
}

/* check_silk.c and check_celt.c: -1 where there is no kernel of that number. */
#define SILK_KERNELS 8
double sidetone_check_silk(int kernel, opus_uint32 seed);
double sidetone_check_celt(int kernel, opus_uint32 seed);

double sidetone_check(int kernel, opus_uint32 seed) {
    seed_numbers(seed);
    switch (kernel) {
    case 0: return check_nsq(silk_NSQ_del_dec_c, ref_silk_NSQ_del_dec_c, 1);
    case 1: return check_nsq(silk_NSQ_c, ref_silk_NSQ_c, 0);
    case 2: return check_decode_core();
    case 3: return check_lpc_analysis();
    case 4: return check_resampler(1);
    case 5: return check_resampler(0);
    case 6: return check_fft();
    case 7: return check_sums();
    case 8: return check_warped();
    case 9: return check_burg();
    case 10: return check_celt();
    case 11: return check_nlsf();
    case 12: return check_deemphasis();
    case 13: return check_memory();
    case 14: return check_small();
    case 15: return check_range_decoder();
    case 16: return check_range_encoder();
    case 17: return check_lpc_analysis_flp();
    case 18: return check_schur();
    case 19: return check_samples();
    default:
        kernel -= 20;
        return kernel < SILK_KERNELS ? sidetone_check_silk(kernel, seed) : sidetone_check_celt(kernel - SILK_KERNELS, seed);
    }
}
