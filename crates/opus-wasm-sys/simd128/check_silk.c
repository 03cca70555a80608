/* SILK's smaller kernels, and that of the encoder's analysis, against libopus's C: see check.c, of which this is a part. */
#define ANALYSIS_C /* for fast_atan2f of mathops.h */
#include "reference.h"
#include "mathops.h"
#include "scaling.h"
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

double sidetone_check_silk(int kernel, opus_uint32 seed);
double sidetone_check_silk(int kernel, opus_uint32 seed) {
    seed_numbers(seed);
    switch (kernel) {
    case 0: return check_codebook();
    case 1: return check_k2a();
    case 2: return check_ltp_analysis();
    case 3: return check_scaling();
    case 4: return check_tonality();
    default: return -1;
    }
}
