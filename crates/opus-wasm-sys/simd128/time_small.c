/* Timings of the smaller kernels: see time.c, of which this is a part. */
#include "theirs.h"
#include "polynomials.h"
#include "scaling.h"
#include "shells.h"
#include "tonality.h"

#define SAMPLES 960

static struct {
    float x[2 * SAMPLES], y[2 * SAMPLES], z[2 * SAMPLES], bins[6][240], rc[24];
    opus_int32 wide[400], out[400], poly[2][9], lsf[16], a[16];
    opus_int16 narrow[400], spectrum[16], coded[16];
    opus_int8 signed_pulses[320];
    int pulses[SIDETONE_BAND], sizes[320], sums[20], shifts[20], bits1[21], bits2[21], thresh[21], cap[21];
    unsigned char packet[SAMPLES];
    volatile int bands, start, end, order; /* known to callers only, as in libopus */
    volatile double sink;
    int prepared;
} d;

static void prepare(void) {
    seed_numbers(3);
    size = 0;
    fill(d.x, 2 * SAMPLES);
    fill(d.y, 2 * SAMPLES);
    fill(d.z, 2 * SAMPLES);
    fill32(d.wide, 400, 24);
    fill16(d.narrow, 400);
    fill32(d.a, 16, 18);
    d.bands = 21;
    d.start = 17;
    d.end = 19;
    d.order = 16;
    for (int i = 0; i < 24; i++) d.rc[i] = number(16) / 65536.f;
    for (int i = 0; i < 16; i++) {
        d.lsf[i] = 131072 - 16384 * i;
        d.spectrum[i] = (opus_int16)(1900 * (i + 1));
    }
    for (int i = 0; i < SIDETONE_BAND; i++) d.pulses[i] = below(8) ? 0 : between(-2, 2);
    for (int i = 0; i < 320; i++) d.signed_pulses[i] = (opus_int8)(below(4) ? 0 : between(-2, 2));
    for (int i = 0; i < 21; i++) {
        d.bits1[i] = 40;
        d.bits2[i] = 200 + 20 * i;
        d.thresh[i] = 24;
        d.cap[i] = 800;
    }
    for (int i = 0; i < SAMPLES; i++) d.packet[i] = (unsigned char)bits();
    d.prepared = 1;
}

static void rotation(int ours, int stride) {
    if (ours) sidetone_rotation(d.z, 96, stride, .8f, .6f);
    else their_rotation(d.z, 96, stride, .8f, .6f);
}

/* A rotation's angle, and the stride of its second pass, for bands of 16 to 31. */
static void angles(int ours) {
    for (int len = 16; len < 32; len++) {
        float theta = .5f * len / (len + 40), c, s;
        if (ours) sidetone_angle(theta, &c, &s);
        else their_angle(theta, &c, &s);
        d.sink = c + s + (ours ? sidetone_second_stride(len, 1) : their_second_stride(len, 1));
    }
}

static void remember(int ours) {
    (ours ? sidetone_remember : their_memory)(d.x, d.y, d.z, d.bands, d.start, d.end, 0);
}

static void polynomials(int ours) {
    if (ours) {
        sidetone_find_polynomials(d.poly[0], d.poly[1], d.lsf, 8);
    } else {
        their_find_poly(d.poly[0], d.lsf, 8);
        their_find_poly(d.poly[1], d.lsf + 1, 8);
    }
}

static void codebook(int ours) {
    const silk_NLSF_CB_struct *book = &silk_NLSF_CB_WB;
    (ours ? silk_NLSF_VQ : ref_silk_NLSF_VQ)(d.out, d.spectrum, book->CB1_NLSF_Q8, book->CB1_Wght_Q9, book->nVectors, 16);
}

static void long_term(int ours) {
    const float b[LTP_ORDER * MAX_NB_SUBFR] = {.1f, .2f, .3f, .2f, .1f}, gain[MAX_NB_SUBFR] = {1, 1, 1, 1};
    const int lag[MAX_NB_SUBFR] = {100, 102, 104, 106};
    (ours ? silk_LTP_analysis_filter_FLP : ref_silk_LTP_analysis_filter_FLP)(d.y, d.x + 300, b, lag, gain, 80, 4, 16);
}

static void shells(int ours) {
    if (ours) sidetone_pulse_sizes(d.signed_pulses, d.sizes, 20);
    else for (int i = 0; i < 320; i++) d.sizes[i] = silk_abs((opus_int)d.signed_pulses[i]);
    for (int i = 0; i < 20; i++) d.sink = (ours ? sidetone_too_many_pulses : their_too_many)(d.sizes + 16 * i, d.sums + i);
}

static void tonality(int ours) {
    const kiss_fft_cpx *out = (const kiss_fft_cpx *)d.x;
    bins b = {d.bins[0], d.bins[1], d.bins[2], d.bins[3], d.bins[4], d.bins[5]};
    if (ours) sidetone_tonality(out, 480, b.angle, b.change, b.steady, b.noisiness, b.tonality, b.tonality2);
    else their_tonality(out, 480, 1, &b);
}

static void signs(int ours, int encoder) {
    static const opus_uint8 even[2] = {128, 0};
    opus_int16 pulses[16];
    ec_ctx coder;
    if (encoder) ec_enc_init(&coder, d.packet, SAMPLES);
    else ec_dec_init(&coder, d.packet, SAMPLES);
    for (int i = 0; i < 20; i++) {
        if (encoder) {
            if (ours) sidetone_enc_signs(&coder, d.signed_pulses + 16 * i, even[0]);
            else their_enc_signs(&coder, d.signed_pulses + 16 * i, even);
            continue;
        }
        for (int k = 0; k < 16; k++) pulses[k] = d.signed_pulses[16 * i + k] != 0;
        if (ours) sidetone_dec_signs(&coder, pulses, even[0]);
        else their_dec_signs(&coder, pulses, even);
    }
}

static int allocate(int ours) {
    return (ours ? sidetone_allocation : their_allocation)(d.bits1, d.bits2, d.thresh, d.cap, d.start, d.end, 400, 8);
}

/* One round; how many samples (bins, coefficients, bytes) that is, or -1 where there is no such kernel. */
int sidetone_time_small(int kernel, int ours);
int sidetone_time_small(int kernel, int ours) {
    if (!d.prepared) {
        prepare();
    }
    switch (kernel) {
    case 0: rotation(ours, 1); return 96;
    case 1: rotation(ours, 10); return 96;
    case 2: angles(ours); return 16;
    case 3: (ours ? sidetone_scale_pulses : their_scaled_pulses)(d.pulses, d.z, 96, .1f); return 96;
    case 4: d.sink = (ours ? sidetone_collapse_mask : their_collapse_mask)(d.pulses, 96, 8); return 96;
    case 5: d.sink = (ours ? sidetone_add_noise : their_noise)(d.x, d.z, 96, .01f, 1); return 96;
    case 6: remember(ours); return 21;
    case 7: (ours ? sidetone_remember_noise : their_background)(d.y, d.x, 42, .001f); return 42;
    case 8: d.sink = allocate(ours); return 2;
    case 9: (ours ? sidetone_transient_high_pass : their_transient_high_pass)(d.x, d.z, SAMPLES); return SAMPLES;
    case 10:
        silk_memcpy(d.z, d.x, sizeof d.z);
        d.sink = (ours ? sidetone_forward_masking : their_forward_masking)(d.z, SAMPLES / 2, .0625f);
        return SAMPLES / 2;
    case 11:
        silk_memcpy(d.z, d.x, sizeof d.z);
        d.sink = (ours ? sidetone_backward_masking : their_backward_masking)(d.z, SAMPLES / 2);
        return SAMPLES / 2;
    case 12: d.sink = ours ? sidetone_inner_prod(d.x, d.y, SAMPLES) : celt_inner_prod_c(d.x, d.y, SAMPLES); return SAMPLES;
    case 13: polynomials(ours); return 16;
    case 14: (ours ? sidetone_split_polynomials : their_split)(d.a, d.poly[0], d.poly[1], 8); return 16;
    case 15: d.sink = (ours ? sidetone_spectrum_stable : their_stable)(d.spectrum, silk_NLSF_CB_WB.deltaMin_Q15, 16); return 16;
    case 16: d.sink = (ours ? sidetone_fit : their_fit)(d.coded, d.a, 5, 16); return 16;
    case 17: codebook(ours); return 32 * 16;
    case 18: (ours ? silk_k2a_FLP : ref_silk_k2a_FLP)(d.z, d.rc, d.order); return 16;
    case 19: long_term(ours); return 4 * 96;
    case 20: (ours ? sidetone_scale : their_scale)(d.wide, 320, 65000); return 320;
    case 21: (ours ? sidetone_scale_samples : their_scale_samples)(d.out, d.narrow, 320, 65000); return 320;
    case 22: d.sink = (ours ? sidetone_sum_squares : their_sum_squares)(d.narrow, 320); return 320;
    case 23: shells(ours); return 320;
    case 24:
        d.sink = (ours ? sidetone_rate_level : their_rate_level)(d.sums, d.shifts, 20, silk_rate_levels_BITS_Q5[1]);
        return 20;
    case 25: tonality(ours); return 240;
    case 26: signs(ours, 0); return 320;
    case 27: signs(ours, 1); return 320;
    case 28:
        if (ours) d.sink = sidetone_float2int16(d.x, (short *)d.z, SAMPLES);
        else for (int i = 0; i < SAMPLES; i++) ((short *)d.z)[i] = FLOAT2INT16(d.x[i]);
        return SAMPLES;
    default: return -1;
    }
}
