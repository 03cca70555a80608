/* Loops of libopus that have no name of their own, or a static one, as it has them: for tests and timings of what stands in
 * their place. */
#ifndef SIDETONE_THEIRS_H
#define SIDETONE_THEIRS_H

#define ANALYSIS_C /* for fast_atan2f of mathops.h */
#include "mathops.h"
#include "reference.h"

/* celt/vq.c: exp_rotation1. */
static void their_rotation(float *x, int len, int stride, float c, float s) {
    float ms = -s;
    for (int i = 0; i < len - stride; i++) {
        float x1 = x[i], x2 = x[i + stride];
        x[i + stride] = c * x2 + s * x1;
        x[i] = c * x1 + ms * x2;
    }
    for (int i = len - 2 * stride - 1; i >= 0; i--) {
        float x1 = x[i], x2 = x[i + stride];
        x[i + stride] = c * x2 + s * x1;
        x[i] = c * x1 + ms * x2;
    }
}

/* celt/vq.c: exp_rotation's angle, and the stride of its second rotation. (SILK's headers have another PI than CELT's.) */
static void their_angle(float theta, float *c, float *s) {
    *c = (float)cos(.5f * 3.1415926535897931 * theta);
    *s = (float)cos(.5f * 3.1415926535897931 * (Q15ONE - theta));
}
static int their_second_stride(int len, int stride) {
    int stride2 = 1;
    while ((stride2 * stride2 + stride2) * stride + (stride >> 2) < len) stride2++;
    return stride2;
}

static void their_scaled_pulses(const int *y, float *x, int n, float gain) {
    for (int i = 0; i < n; i++) x[i] = y[i] * gain;
}

static unsigned their_collapse_mask(const int *y, int n, int blocks) {
    unsigned mask = 0;
    if (blocks <= 1) return 1;
    for (int i = 0; i < n; i++) mask |= (unsigned)(y[i] != 0) << i / (n / blocks);
    return mask;
}

/* celt/bands.c: quant_partition's folded spectrum. */
static unsigned their_noise(const float *in, float *out, int n, float level, unsigned seed) {
    for (int i = 0; i < n; i++) {
        seed = 1664525 * seed + 1013904223;
        out[i] = in[i] + (seed & 0x8000 ? level : -level);
    }
    return seed;
}

/* The end of celt/celt_decoder.c. */
static void their_memory(float *energy, float *log1, float *log2, int bands, int start, int end, int transient) {
    if (!transient) {
        for (int i = 0; i < bands; i++) log2[i] = log1[i];
        for (int i = 0; i < bands; i++) log1[i] = energy[i];
    } else {
        for (int i = 0; i < bands; i++) log1[i] = MING(log1[i], energy[i]);
    }
    for (int i = 0; i < start; i++) {
        energy[i] = 0;
        log1[i] = log2[i] = -GCONST(28.f);
    }
    for (int i = end; i < bands; i++) {
        energy[i] = 0;
        log1[i] = log2[i] = -GCONST(28.f);
    }
}
static void their_background(float *noise, const float *energy, int n, float increase) {
    for (int i = 0; i < n; i++) noise[i] = MING(noise[i] + increase, energy[i]);
}

/* celt/rate.c: interp_bits2pulses. */
static int their_allocation(const int *bits1, const int *bits2, const int *thresh, const int *cap, int start, int end,
                            int total, int least) {
    int lo = 0, hi = 64;
    for (int i = 0; i < 6; i++) {
        int mid = (lo + hi) >> 1, sum = 0, done = 0;
        for (int j = end; j-- > start;) {
            int bits = bits1[j] + (mid * bits2[j] >> 6);
            if (bits >= thresh[j] || done) {
                done = 1;
                sum += IMIN(bits, cap[j]);
            } else if (bits >= least) {
                sum += least;
            }
        }
        if (sum > total) hi = mid;
        else lo = mid;
    }
    return lo;
}

/* celt/celt_encoder.c: transient_analysis. */
static void their_transient_high_pass(const float *in, float *out, int n) {
    float mem0 = 0, mem1 = 0;
    for (int i = 0; i < n; i++) {
        float mem00 = mem0;
        out[i] = mem0 + in[i];
        mem0 = mem0 - in[i] + .5f * mem1;
        mem1 = in[i] - mem00;
    }
}
static float their_forward_masking(float *tmp, int n, float decay) {
    float mem0 = 0, mean = 0;
    for (int i = 0; i < n; i++) {
        float e = tmp[2 * i] * tmp[2 * i] + tmp[2 * i + 1] * tmp[2 * i + 1];
        mean += e;
        mem0 = e + (1 - decay) * mem0;
        tmp[i] = decay * mem0;
    }
    return mean;
}
static float their_backward_masking(float *tmp, int n) {
    float mem0 = 0, most = 0;
    for (int i = n - 1; i >= 0; i--) {
        mem0 = tmp[i] + .875f * mem0;
        tmp[i] = .125f * mem0;
        most = tmp[i] > most ? tmp[i] : most;
    }
    return most;
}

/* src/analysis.c: run_analysis, A, dA and d2A of the frame before, and what they make of the spectrum. */
typedef struct {
    float *angle, *change, *steady, *noisiness, *tonality, *tonality2;
} bins;
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

/* silk/NLSF2A.c: silk_NLSF2A_find_poly. */
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

/* silk/A2NLSF.c: silk_A2NLSF_init and silk_A2NLSF_trans_poly, modulo 2^32. */
static void their_trans_poly(opus_uint32 *p, int dd) {
    for (int k = 2; k <= dd; k++) {
        for (int n = dd; n > k; n--) p[n - 2] -= p[n];
        p[k - 2] -= p[k] << 1;
    }
}
static void their_split(const opus_int32 *a, opus_int32 *P, opus_int32 *Q, int dd) {
    opus_uint32 *p = (opus_uint32 *)P, *q = (opus_uint32 *)Q;
    p[dd] = q[dd] = 1 << 16;
    for (int k = 0; k < dd; k++) {
        p[k] = -(opus_uint32)a[dd - k - 1] - (opus_uint32)a[dd + k];
        q[k] = -(opus_uint32)a[dd - k - 1] + (opus_uint32)a[dd + k];
    }
    for (int k = dd; k > 0; k--) {
        p[k - 1] -= p[k];
        q[k - 1] += q[k];
    }
    their_trans_poly(p, dd);
    their_trans_poly(q, dd);
}

/* silk/NLSF_stabilize.c: the search for the smallest distance. */
static int their_stable(const opus_int16 *f, const opus_int16 *least, int order) {
    opus_int32 smallest = f[0] - least[0];
    for (int i = 1; i <= order - 1; i++) smallest = silk_min(smallest, f[i] - (f[i - 1] + least[i]));
    return silk_min(smallest, (1 << 15) - (f[order - 1] + least[order])) >= 0;
}

/* silk/LPC_fit.c, for coefficients that need no limit. */
static int their_fit(opus_int16 *out, const opus_int32 *a, int shift, int order) {
    opus_int32 most = 0;
    for (int k = 0; k < order; k++) most = silk_abs(a[k]) > most ? silk_abs(a[k]) : most;
    for (int k = 0; k < order; k++) out[k] = (opus_int16)silk_RSHIFT_ROUND(a[k], shift);
    return silk_RSHIFT_ROUND(most, shift) <= silk_int16_MAX;
}

/* silk/encode_pulses.c: combine_and_check for all four sizes, and the choice of a level. */
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
static int their_rate_level(const opus_int *sums, const opus_int *shifts, int blocks, const opus_uint8 *levels_Q5) {
    int level = 0;
    opus_int32 least = silk_int32_MAX;
    for (int k = 0; k < N_RATE_LEVELS - 1; k++) {
        opus_int32 bits_Q5 = levels_Q5[k];
        for (int i = 0; i < blocks; i++) {
            bits_Q5 += silk_pulses_per_block_BITS_Q5[k][shifts[i] > 0 ? SILK_MAX_PULSES + 1 : sums[i]];
        }
        if (bits_Q5 < least) {
            least = bits_Q5;
            level = k;
        }
    }
    return level;
}

/* silk/code_signs.c, for one block. */
static void their_dec_signs(ec_dec *dec, opus_int16 *pulses, const opus_uint8 *icdf) {
    for (int i = 0; i < 16; i++) {
        if (pulses[i] > 0) pulses[i] *= (opus_int16)(2 * ec_dec_icdf(dec, icdf, 8) - 1);
    }
}
static void their_enc_signs(ec_enc *enc, const opus_int8 *pulses, const opus_uint8 *icdf) {
    for (int i = 0; i < 16; i++) {
        if (pulses[i] != 0) ec_enc_icdf(enc, pulses[i] > 0, icdf, 8);
    }
}

/* silk/NSQ.c and silk/VAD.c. */
static void their_scale(opus_int32 *x, int n, opus_int32 gain) {
    for (int i = 0; i < n; i++) x[i] = silk_SMULWW(gain, x[i]);
}
static void their_scale_samples(opus_int32 *out, const opus_int16 *in, int n, opus_int32 gain) {
    for (int i = 0; i < n; i++) out[i] = silk_SMULWB(gain, in[i]);
}
static opus_int32 their_sum_squares(const opus_int16 *x, int n) {
    opus_uint32 sum = 0;
    for (int i = 0; i < n; i++) sum += (opus_uint32)((x[i] >> 3) * (x[i] >> 3));
    return (opus_int32)sum;
}

#endif
