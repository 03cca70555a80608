/* CELT's kernels against libopus's C: see check.c, of which this is a part. */
#include "cwrs.h"
#include "theirs.h"

/* How near the pulses come to x: the square of the cosine of the angle between them. */
static double nearness(const float *x, const int *iy, int n) {
    double xy = 0, xx = 1e-30, yy = 0;
    for (int i = 0; i < n; i++) {
        xy += (double)x[i] * iy[i];
        xx += (double)x[i] * x[i];
        yy += (double)iy[i] * iy[i];
    }
    return xy * xy / xx / yy;
}

/* The search may choose otherwise where two pulses are as good but for rounding, and then goes on otherwise. */
static double check_search(void) {
    float x[SIDETONE_BAND], x1[SIDETONE_BAND], x2[SIDETONE_BAND];
    int y1[SIDETONE_BAND], y2[SIDETONE_BAND], n = between(2, 176), kind = below(8), sum = 0, wrong = 0, same = 1;
    int k = below(2) ? between(1, 8) : between(1, n < 20 ? 128 : n);
    double energy = 1e-15, yy = 0;
    fill(x, n);
    for (int i = 0; i < n; i++) {
        x[i] = kind == 0 ? 0 : kind == 1 ? (x[i] > 0 ? .1f : -.1f) : kind == 2 && below(4) ? 0 : x[i];
        energy += x[i] * x[i];
    }
    for (int i = 0; i < n; i++) x1[i] = x2[i] = x[i] *= (float)(1 / sqrt(energy));
    float e1 = sidetone_pvq_search(x1, y1, k, n), e2 = op_pvq_search_c(x2, y2, k, n, 0);
    for (int i = 0; i < n; i++) {
        sum += abs(y1[i]);
        yy += (double)y1[i] * y1[i];
        wrong += (x[i] < 0 && y1[i] > 0) || (x[i] > 0 && y1[i] < 0);
        same &= y1[i] == y2[i];
    }
    wrong += sum != k || fabs(yy - e1) > 1e-6 * yy || (same && e1 != e2);
    return wrong ? 1 : same ? 0 : fabs(nearness(x, y1, n) - nearness(x, y2, n)) + 1e-9;
}

static double check_pulses(void) {
    float x1[SIDETONE_BAND], x2[SIDETONE_BAND], c = number(16) / 32768.f, s = number(16) / 32768.f;
    int y[SIDETONE_BAND], n = between(2, 176), stride = between(1, n < 12 ? n : 12), blocks = 1 << below(4), wrong = 0;
    fill(x1, n);
    silk_memcpy(x2, x1, sizeof(x1));
    sidetone_rotation(x1, n, stride, c, s);
    their_rotation(x2, n, stride, c, s);
    wrong += differ(x1, x2, n * sizeof(float));
    for (int i = 0; i < n; i++) y[i] = below(3) ? 0 : number(8);
    sidetone_scale_pulses(y, x1, n, c);
    their_scaled_pulses(y, x2, n, c);
    wrong += differ(x1, x2, n * sizeof(float));
    n = blocks * between(1, 176 / blocks);
    for (int i = 0; i < n; i++) y[i] = below(n) ? 0 : number(8);
    return wrong + (sidetone_collapse_mask(y, n, blocks) != their_collapse_mask(y, n, blocks));
}

/* As exp_rotation asks for them: one length with all pulses, 2 K < len, and the three spreads. */
static double check_angle(void) {
    int wrong = 0, len = between(3, SIDETONE_BAND), stride = between(1, len / 8 > 0 ? len / 8 : 1);
    for (int spread = 5; spread <= 15; spread += 5) {
        for (int pulses = 1; 2 * pulses < len; pulses++) {
            float gain = (float)len / (len + spread * pulses), c1, s1, c2, s2;
            sidetone_angle(.5f * gain * gain, &c1, &s1);
            their_angle(.5f * gain * gain, &c2, &s2);
            wrong += c1 != c2 || s1 != s2;
        }
    }
    return wrong + (sidetone_second_stride(len, stride) != their_second_stride(len, stride));
}

/* Raw bits, also past the beginning of the packet. */
static int wrong_raw_bits(void) {
    unsigned char packet[16];
    ec_dec dec;
    int length = between(1, 16), wrong = 0;
    for (int i = 0; i < 16; i++) packet[i] = (unsigned char)bits();
    ec_dec_init(&dec, packet, length);
    for (int at = 0; at < 200;) {
        int width = between(1, 25);
        opus_uint32 expected = 0;
        for (int i = 0; i < width; i++, at++) {
            if (at / 8 < length) expected |= (opus_uint32)(packet[length - 1 - at / 8] >> at % 8 & 1) << i;
        }
        wrong += ec_dec_bits(&dec, width) != expected;
    }
    return wrong;
}

/* Pulses as libopus's encoder writes them, between raw bits, for sizes that bands are split to and as many pulses as an index
 * of 32 bits has room for. */
static double check_index(void) {
    static const opus_int16 most_n[14] = {176, 176, 176, 176, 176, 109, 60, 40, 29, 24, 20, 18, 16, 14};
    static const opus_int16 most_k[14] = {128, 128, 128, 128, 128, 128, 95, 53, 36, 27, 22, 18, 16, 15};
    static const unsigned char sizes[] = {2, 3, 4, 6, 8, 9, 11, 12, 16, 18, 22, 24, 32, 36, 44, 48, 64, 72, 88, 96, 144, 176};
    unsigned char packet[256];
    int y1[8][176], y2[8][179], n[8], k[8], width[8], wrong = wrong_raw_bits();
    opus_uint32 raw[8];
    ec_enc enc;
    ec_dec dec;
    ec_enc_init(&enc, packet, 256);
    for (int turn = 0; turn < 8; turn++) {
        n[turn] = sizes[below(sizeof sizes)];
        k[turn] = n[turn] < 14 ? between(1, most_k[n[turn]]) : between(1, 13);
        while (n[turn] >= 14 && n[turn] > most_n[k[turn]]) k[turn]--;
        for (int i = 0; i < n[turn]; i++) y1[turn][i] = 0;
        for (int left = k[turn]; left > 0; left--) {
            int *at = &y1[turn][below(n[turn])];
            *at += *at != 0 ? (*at > 0 ? 1 : -1) : below(2) ? 1 : -1;
        }
        encode_pulses(y1[turn], n[turn], k[turn], &enc);
        width[turn] = between(1, 25);
        raw[turn] = bits() & ((1u << width[turn]) - 1);
        ec_enc_bits(&enc, raw[turn], width[turn]);
    }
    ec_enc_done(&enc);
    ec_dec_init(&dec, packet, 256);
    for (int turn = 0; turn < 8; turn++) {
        float energy = 0, told = decode_pulses(y2[turn], n[turn], k[turn], &dec);
        for (int i = 0; i < n[turn]; i++) energy += (float)y1[turn][i] * y1[turn][i];
        wrong += differ(y1[turn], y2[turn], n[turn] * sizeof(int)) || told != energy;
        wrong += ec_dec_bits(&dec, width[turn]) != raw[turn];
    }
    return enc.error ? 1 : wrong + dec.error;
}

/* Bands of the modes, and more. */
static double check_bands(void) {
    float e1[40], e2[40], a1[40], a2[40], b1[40], b2[40];
    int bands = below(3) ? 21 : between(1, 40), start = below(bands + 1), end = between(start, bands), transient = below(2);
    fill(e1, 40);
    fill(a1, 40);
    fill(b1, 40);
    for (int i = 0; i < 40; i++) e2[i] = e1[i], a2[i] = a1[i], b2[i] = b1[i];
    sidetone_remember(e1, a1, b1, bands, start, end, transient);
    their_memory(e2, a2, b2, bands, start, end, transient);
    int wrong = differ(e1, e2, sizeof e1) + differ(a1, a2, sizeof a1) + differ(b1, b2, sizeof b1);
    float more = below(160) * .001f;
    sidetone_remember_noise(a1, e1, bands, more);
    their_background(a2, e2, bands, more);
    wrong += differ(a1, a2, sizeof a1);
    int bits1[40], bits2[40], thresh[40], cap[40], total = below(4000), least = 8 << below(2);
    for (int i = 0; i < bands; i++) {
        bits1[i] = below(3) ? below(400) : 0;
        bits2[i] = below(600);
        thresh[i] = below(below(2) ? 100 : 600);
        cap[i] = below(800);
    }
    return wrong + (sidetone_allocation(bits1, bits2, thresh, cap, start, end, total, least) !=
                    their_allocation(bits1, bits2, thresh, cap, start, end, total, least));
}

/* Every size of the static modes, one block or several interleaved. */
static double check_mdct(void) {
    const CELTMode *mode = opus_custom_mode_create(48000, 960, NULL);
    static float in[8 * 1080], x1[8 * 1080], x2[8 * 1080];
    int shift = below(4), stride = below(2) ? 1 : 1 << below(4), n = 960 >> shift, wrong = 0;
    fill(in, 8 * 1080);
    for (int i = 0; i < 8 * 1080; i++) x1[i] = x2[i] = in[i];
    clt_mdct_forward(&mode->mdct, in, x1, mode->window, 120, shift, stride, 0);
    ref_clt_mdct_forward_c(&mode->mdct, in, x2, mode->window, 120, shift, stride, 0);
    for (int i = 0; i < 8 * 1080; i++) wrong += x1[i] != x2[i];
    clt_mdct_backward(&mode->mdct, in, x1, mode->window, 120, shift, stride, 0);
    ref_clt_mdct_backward_c(&mode->mdct, in, x2, mode->window, 120, shift, stride, 0);
    for (int i = 0; i < 8 * 1080; i++) wrong += x1[i] != x2[i];
    return wrong + (n != mode->mdct.n >> shift >> 1);
}

/* The greatest difference, relative to the greatest number. */
static double distance(const float *a, const float *b, int n) {
    double most = 1e-9, worst = 0;
    for (int i = 0; i < n; i++) {
        most = fabs(b[i]) > most ? fabs(b[i]) : most;
        worst = fabs((double)a[i] - b[i]) > worst ? fabs((double)a[i] - b[i]) : worst;
    }
    return worst / most;
}

static double check_filters(void) {
    static float x[1920], y1[1921], y2[1921];
    const float coef = .8500061035f, gain = 1 / 32768.f;
    int n = between(1, 960), clip = below(2), add = below(2);
    float m = number(16) / 4.f, m1, m2 = m, zero = 0;
    fill(x, 1920);
    for (int i = 0; i < n; i++) y2[2 * i + 1] = zero, y2[2 * i] = x[i] * 32768;
    for (int i = 0; i < n && clip; i++) y2[2 * i] = y2[2 * i] > 65536 ? 65536 : y2[2 * i] < -65536 ? -65536 : y2[2 * i];
    for (int i = 0; i < 2 * n; i++) {
        float now = y2[i];
        y2[i] = now - m2;
        m2 = coef * now;
    }
    m1 = sidetone_preemphasis_of_half(x, y1, n, clip, coef, m);
    if (m1 != m2 || differ(y1, y2, 2 * n * sizeof(float))) return 1;
    m2 = m;
    for (int i = 0; i < n; i++) y1[i] = y2[i] = number(16) * gain;
    for (int i = 0; i < 2 * n; i++) {
        float now = x[i] + 1e-30f + m2;
        if (i % 2 == 0) y2[i / 2] = add ? y2[i / 2] + gain * now : gain * now;
        m2 = coef * now;
    }
    y2[n] = m2;
    y1[n] = sidetone_deemphasis_half(x, y1, n, coef, m, add, gain);
    y1[n] *= gain;
    y2[n] *= gain;
    double worst = distance(y1, y2, n + 1);
    /* As the high pass has them: poles just inside of the circle. */
    float f = between(50, 400) / 10000.f, r = 1 - .92f * f, b[3] = {r, -2 * r, r}, a[2] = {r * (f * f - 2), r * r}, s1[2], s2[2];
    for (int i = 0; i < 2; i++) s1[i] = s2[i] = number(16) / 16.f;
    sidetone_biquad(x, y1, n, b, a, s1);
    for (int k = 0; k < n; k++) {
        y2[k] = s2[0] + b[0] * x[k];
        s2[0] = s2[1] - y2[k] * a[0] + b[1] * x[k];
        s2[1] = -y2[k] * a[1] + b[2] * x[k] + 1e-30f;
    }
    for (int i = 0; i < 2; i++) {
        y1[n + i] = s1[i];
        y2[n + i] = s2[i];
    }
    double other = distance(y1, y2, n);
    return other / 100 > worst ? other / 100 : worst;
}

static double check_transient(void) {
    static float x[1080], y1[1080], y2[1080];
    int n = between(1, 1080), n2 = n / 2;
    float decay = below(2) ? .0625f : .03125f;
    fill(x, n);
    sidetone_transient_high_pass(x, y1, n);
    their_transient_high_pass(x, y2, n);
    double worst = distance(y1, y2, n);
    for (int i = 0; i < n; i++) y1[i] = y2[i];
    float sum = sidetone_forward_masking(y1, n2, decay), mean = their_forward_masking(y2, n2, decay);
    double d = distance(y1, y2, n2), s = fabs(sum - mean) / (mean + 1e-9) / 100;
    worst = d > worst ? d : worst;
    worst = s > worst ? s : worst;
    for (int i = 0; i < n2; i++) y1[i] = y2[i];
    float greatest = sidetone_backward_masking(y1, n2), most = their_backward_masking(y2, n2);
    d = distance(y1, y2, n2);
    worst = d > worst ? d : worst;
    return fabs(greatest - most) > 1e-6 * most ? 1 : worst;
}

double sidetone_check_celt(int kernel, opus_uint32 seed) {
    seed_numbers(seed);
    switch (kernel) {
    case 0: return check_search();
    case 1: return check_pulses();
    case 2: return check_mdct();
    case 3: return check_filters();
    case 4: return check_transient();
    case 5: return check_angle();
    case 6: return check_index();
    case 7: return check_bands();
    default: return -1;
    }
}
