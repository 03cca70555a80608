/* SILK's smaller kernels, and that of the encoder's analysis, against libopus's C: see check.c, of which this is a part. */
#define ANALYSIS_C /* for fast_atan2f of mathops.h */
#include "reference.h"
#include "mathops.h"
#include "polynomials.h"
#include "scaling.h"
#include "shells.h"
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
    opus_int32 x1[400], x2[400], gain = number(32), sum = 0;
    opus_int16 in[400];
    int n = between(0, 400), wrong = 0;
    fill32(x1, 400, 32);
    fill16(in, 400);
    for (int i = 0; i < n; i++) x2[i] = silk_SMULWW(gain, x1[i]);
    sidetone_scale(x1, n, gain);
    wrong += differ(x1, x2, n * sizeof(opus_int32));
    for (int i = 0; i < n; i++) x2[i] = silk_SMULWB(gain, in[i]);
    sidetone_scale_samples(x1, in, n, gain);
    wrong += differ(x1, x2, n * sizeof(opus_int32));
    for (int i = 0; i < n; i++) sum = (opus_int32)((opus_uint32)sum + (opus_uint32)((in[i] >> 3) * (in[i] >> 3)));
    return wrong + (sidetone_sum_squares(in, n) != sum);
}

typedef struct {
    float angle[240], change[240], steady[240], noisiness[240], tonality[240], tonality2[240];
} bins;

/* The loop of run_analysis as libopus has it. */
static void their_tonality(const kiss_fft_cpx *out, int n, int from, bins *s) {
    const float pi4 = (float)(M_PI * M_PI * M_PI * M_PI);
    for (int i = from; i < n / 2; i++) {
        float X1r = out[i].r + out[n - i].r, X1i = out[i].i - out[n - i].i;
        float X2r = out[i].i + out[n - i].i, X2i = out[n - i].r - out[i].r;
        float angle = (float)(.5f / M_PI) * fast_atan2f(X1i, X1r);
        float d_angle = angle - s->angle[i], d2_angle = d_angle - s->change[i];
        float angle2 = (float)(.5f / M_PI) * fast_atan2f(X2i, X2r);
        float d_angle2 = angle2 - angle, d2_angle2 = d_angle2 - d_angle;
        float mod1 = d2_angle - (float)float2int(d2_angle);
        s->noisiness[i] = ABS16(mod1);
        mod1 *= mod1;
        mod1 *= mod1;
        float mod2 = d2_angle2 - (float)float2int(d2_angle2);
        s->noisiness[i] += ABS16(mod2);
        mod2 *= mod2;
        mod2 *= mod2;
        float avg_mod = .25f * (s->steady[i] + mod1 + 2 * mod2);
        s->tonality[i] = 1.f / (1.f + 40.f * 16.f * pi4 * avg_mod) - .015f;
        s->tonality2[i] = 1.f / (1.f + 40.f * 16.f * pi4 * mod2) - .015f;
        s->angle[i] = angle2;
        s->change[i] = d_angle2;
        s->steady[i] = mod2;
    }
}

static double check_tonality(void) {
    static bins s1, s2;
    kiss_fft_cpx out[480];
    int n = 2 * between(4, 240);
    fill(&out[0].r, 960);
    for (int i = 0; i < 480; i++) if (below(16) == 0) out[i].r = out[i].i = 0;
    for (int i = 0; i < 240; i++) {
        s1.angle[i] = number(16) / 65536.f;
        s1.change[i] = number(16) / 32768.f;
        s1.steady[i] = below(1000) / 16000.f;
    }
    s2 = s1;
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

/* silk_NLSF2A_find_poly as libopus has it. */
static void their_find_poly(opus_int32 *out, const opus_int32 *cLSF, int dd) {
    out[0] = 1 << 16;
    out[1] = -cLSF[0];
    for (int k = 1; k < dd; k++) {
        opus_int32 ftmp = cLSF[2 * k];
        out[k + 1] = silk_LSHIFT(out[k - 1], 1) - (opus_int32)silk_RSHIFT_ROUND64(silk_SMULL(ftmp, out[k]), 16);
        for (int n = k; n > 1; n--) out[n] += out[n - 2] - (opus_int32)silk_RSHIFT_ROUND64(silk_SMULL(ftmp, out[n - 1]), 16);
        out[1] -= ftmp;
    }
}

/* silk_A2NLSF_trans_poly as libopus has it, modulo 2^32. */
static void their_trans_poly(opus_uint32 *p, int dd) {
    for (int k = 2; k <= dd; k++) {
        for (int n = dd; n > k; n--) p[n - 2] -= p[n];
        p[k - 2] -= p[k] << 1;
    }
}

static double check_polynomials(void) {
    opus_int32 lsf[16], a[16], p1[9] = {0}, q1[9] = {0}, p2[9] = {0}, q2[9] = {0};
    opus_uint32 p3[9] = {0}, q3[9] = {0};
    int dd = below(2) ? 8 : 5, wrong = 0;
    for (int i = 0; i < 16; i++) lsf[i] = below(8) ? between(-131072, 131072) : below(2) ? 131072 : -131072;
    fill32(a, 16, 32);
    sidetone_find_polynomials(p1, q1, lsf, dd);
    their_find_poly(p2, lsf, dd);
    their_find_poly(q2, lsf + 1, dd);
    wrong += differ(p1, p2, sizeof p1) + differ(q1, q2, sizeof q1);

    sidetone_split_polynomials(a, p1, q1, dd);
    p3[dd] = q3[dd] = 1 << 16;
    for (int k = 0; k < dd; k++) {
        p3[k] = -(opus_uint32)a[dd - k - 1] - (opus_uint32)a[dd + k];
        q3[k] = -(opus_uint32)a[dd - k - 1] + (opus_uint32)a[dd + k];
    }
    for (int k = dd; k > 0; k--) {
        p3[k - 1] -= p3[k];
        q3[k - 1] += q3[k];
    }
    their_trans_poly(p3, dd);
    their_trans_poly(q3, dd);
    return wrong + differ(p1, p3, (dd + 1) * sizeof *p1) + differ(q1, q3, (dd + 1) * sizeof *q1);
}

/* combine_and_check of silk_encode_pulses, for all four sizes. */
static int their_too_many(const opus_int *sizes, opus_int *sum) {
    opus_int now[16];
    int over = 0;
    memcpy(now, sizes, sizeof now);
    for (int n = 8, level = 0; n > 0; n /= 2, level++) {
        for (int k = 0; k < n; k++) {
            now[k] = now[2 * k] + now[2 * k + 1];
            over |= now[k] > silk_max_pulses_table[level];
        }
    }
    *sum = now[0];
    return over;
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
    int voiced = below(2), level = 0;
    opus_int32 least = silk_int32_MAX;
    for (int k = 0; k < N_RATE_LEVELS - 1; k++) {
        opus_int32 bits_Q5 = silk_rate_levels_BITS_Q5[voiced][k];
        for (int i = 0; i < blocks; i++) {
            bits_Q5 += silk_pulses_per_block_BITS_Q5[k][shifts[i] > 0 ? SILK_MAX_PULSES + 1 : sums[i]];
        }
        if (bits_Q5 < least) {
            least = bits_Q5;
            level = k;
        }
    }
    return wrong + (sidetone_rate_level(sums, shifts, blocks, silk_rate_levels_BITS_Q5[voiced]) != level);
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
    default: return -1;
    }
}
