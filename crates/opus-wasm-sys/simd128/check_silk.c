/* SILK's smaller kernels, and that of the encoder's analysis, against libopus's C: see check.c, of which this is a part. */
#include "polynomials.h"
#include "scaling.h"
#include "shells.h"
#include "theirs.h"
#include "tonality.h"

static double check_codebook(void) {
    const silk_NLSF_CB_struct *book = below(2) ? &silk_NLSF_CB_WB : &silk_NLSF_CB_NB_MB;
    opus_int16 x[MAX_LPC_ORDER];
    opus_int32 e1[64], e2[64];
    for (int i = 0; i < MAX_LPC_ORDER; i++) x[i] = (opus_int16)(below(4) ? below(32768) : below(2) ? 0 : 32767);
    silk_NLSF_VQ(e1, x, book->CB1_NLSF_Q8, book->CB1_Wght_Q9, book->nVectors, book->order);
    ref_silk_NLSF_VQ(e2, x, book->CB1_NLSF_Q8, book->CB1_Wght_Q9, book->nVectors, book->order);
    return differ(e1, e2, book->nVectors * sizeof(opus_int32));
}

static double check_k2a(void) {
    float rc[24], a1[24], a2[24];
    int order = between(1, 24);
    for (int i = 0; i < order; i++) rc[i] = number(16) / 32768.f;
    silk_k2a_FLP(a1, rc, order);
    ref_silk_k2a_FLP(a2, rc, order);
    return differ(a1, a2, order * sizeof(float));
}

static double check_ltp_analysis(void) {
    float x[800], b[LTP_ORDER * MAX_NB_SUBFR], gain[MAX_NB_SUBFR], r1[400], r2[400];
    int lag[MAX_NB_SUBFR], khz = 8 + 4 * below(3), subframes = 2 + 2 * below(2), before = between(0, 16);
    fill(x, 800);
    fill(b, LTP_ORDER * MAX_NB_SUBFR);
    fill(gain, MAX_NB_SUBFR);
    for (int k = 0; k < subframes; k++) lag[k] = between(2 * khz, 18 * khz);
    silk_LTP_analysis_filter_FLP(r1, x + 300, b, lag, gain, 5 * khz, subframes, before);
    ref_silk_LTP_analysis_filter_FLP(r2, x + 300, b, lag, gain, 5 * khz, subframes, before);
    return differ(r1, r2, subframes * (5 * khz + before) * sizeof(float));
}

/* scaling.h, and the sum of squares that the voice activity detection takes. */
static double check_scaling(void) {
    opus_int32 x1[400], x2[400], gain = number(32);
    opus_int16 in[400];
    int n = between(0, 400), wrong = 0;
    fill32(x1, 400, 32);
    fill16(in, 400);
    for (int i = 0; i < n; i++) x2[i] = x1[i];
    their_scale(x2, n, gain);
    sidetone_scale(x1, n, gain);
    wrong += differ(x1, x2, n * sizeof(opus_int32));
    their_scale_samples(x2, in, n, gain);
    sidetone_scale_samples(x1, in, n, gain);
    wrong += differ(x1, x2, n * sizeof(opus_int32));
    return wrong + (sidetone_sum_squares(in, n) != their_sum_squares(in, n));
}

static double check_tonality(void) {
    static float f1[6][240], f2[6][240];
    bins s1 = {f1[0], f1[1], f1[2], f1[3], f1[4], f1[5]}, s2 = {f2[0], f2[1], f2[2], f2[3], f2[4], f2[5]};
    kiss_fft_cpx out[480];
    int n = 2 * between(4, 240);
    fill(&out[0].r, 960);
    for (int i = 0; i < 480; i++) if (below(16) == 0) out[i].r = out[i].i = 0;
    for (int i = 0; i < 240; i++) {
        s1.angle[i] = number(16) / 65536.f;
        s1.change[i] = number(16) / 32768.f;
        s1.steady[i] = below(1000) / 16000.f;
    }
    memcpy(f2, f1, sizeof f1);
    int done = sidetone_tonality(out, n, s1.angle, s1.change, s1.steady, s1.noisiness, s1.tonality, s1.tonality2);
    int wrong = done < 1 || n / 2 - done > 3 || done > n / 2;
    their_tonality(out, n, done, &s1);
    their_tonality(out, n, 1, &s2);
    for (int i = 1; i < n / 2; i++) {
        wrong += s1.angle[i] != s2.angle[i] || s1.change[i] != s2.change[i] || s1.steady[i] != s2.steady[i] ||
                 s1.noisiness[i] != s2.noisiness[i] || s1.tonality[i] != s2.tonality[i] || s1.tonality2[i] != s2.tonality2[i];
    }
    return wrong;
}

static double check_polynomials(void) {
    opus_int32 lsf[16], a[16], p1[9] = {0}, q1[9] = {0}, p2[9] = {0}, q2[9] = {0};
    int dd = below(2) ? 8 : 5, wrong = 0;
    for (int i = 0; i < 16; i++) lsf[i] = below(8) ? between(-131072, 131072) : below(2) ? 131072 : -131072;
    fill32(a, 16, 32);
    sidetone_find_polynomials(p1, q1, lsf, dd);
    their_find_poly(p2, lsf, dd);
    their_find_poly(q2, lsf + 1, dd);
    wrong += differ(p1, p2, sizeof p1) + differ(q1, q2, sizeof q1);

    sidetone_split_polynomials(a, p1, q1, dd);
    their_split(a, p2, q2, dd);
    return wrong + differ(p1, p2, (dd + 1) * sizeof *p1) + differ(q1, q2, (dd + 1) * sizeof *q1);
}

/* Line spectra as near to each other as they may be, and one nearer; coefficients about as large as fit. */
static double check_spectra(void) {
    const silk_NLSF_CB_struct *book = below(2) ? &silk_NLSF_CB_WB : &silk_NLSF_CB_NB_MB;
    opus_int16 f[MAX_LPC_ORDER], a1[MAX_LPC_ORDER] = {0}, a2[MAX_LPC_ORDER] = {0};
    opus_int32 a[MAX_LPC_ORDER], at = 0;
    const int order = book->order, shift = below(2) ? 5 : between(2, 12), far = below(3) ? 1 : 3000, near = below(order + 2);
    for (int i = 0; i < order; i++) {
        at += book->deltaMin_Q15[i] + below(far) - (i == near ? between(0, below(2) ? 1 : 200) : 0);
        f[i] = (opus_int16)silk_LIMIT(at, 0, 32767);
    }
    if (below(4) == 0) f[order - 1] = (opus_int16)(32768 - book->deltaMin_Q15[order] + below(3) - 1);
    for (int i = 0; i < order; i++) a[i] = (below(2) ? 1 : -1) * (below(32700) << shift);
    if (below(2)) a[below(order)] = (below(2) ? 1 : -1) * ((32767 << shift) + (1 << (shift - 1)) + between(-2, 1));
    int stable = sidetone_spectrum_stable(f, book->deltaMin_Q15, order), fits = sidetone_fit(a1, a, shift, order);
    int wrong = stable != their_stable(f, book->deltaMin_Q15, order) || fits != their_fit(a2, a, shift, order);
    return wrong + (fits && differ(a1, a2, sizeof a1));
}

static double check_shells(void) {
    opus_int8 pulses[20 * 16];
    opus_int sizes[20 * 16], sums[20], shifts[20];
    int blocks = between(1, 20), most = below(3) ? 2 : below(2) ? 8 : 128, wrong = 0;
    for (int i = 0; i < 16 * blocks; i++) pulses[i] = (opus_int8)(below(4) == 0 ? between(-most, most - 1) : 0);
    sidetone_pulse_sizes(pulses, sizes, blocks);
    for (int i = 0; i < 16 * blocks; i++) wrong += sizes[i] != silk_abs((opus_int)pulses[i]);
    for (int i = 0; i < blocks; i++) {
        opus_int ours = 0, theirs = 0;
        int over = sidetone_too_many_pulses(&sizes[16 * i], &ours);
        wrong += over != their_too_many(&sizes[16 * i], &theirs) || ours != theirs;
        shifts[i] = over;
        sums[i] = over ? 0 : ours;
    }
    const opus_uint8 *levels_Q5 = silk_rate_levels_BITS_Q5[below(2)];
    return wrong + (sidetone_rate_level(sums, shifts, blocks, levels_Q5) != their_rate_level(sums, shifts, blocks, levels_Q5));
}

double sidetone_check_silk(int kernel, opus_uint32 seed);
double sidetone_check_silk(int kernel, opus_uint32 seed) {
    seed_numbers(seed);
    switch (kernel) {
    case 0: return check_codebook();
    case 1: return check_k2a();
    case 2: return check_ltp_analysis();
    case 3: return check_scaling();
    case 4: return check_tonality();
    case 5: return check_polynomials();
    case 6: return check_shells();
    case 7: return check_spectra();
    default: return -1;
    }
}
