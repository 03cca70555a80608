/* CELT's kernels against libopus's C: see check.c, of which this is a part. */
#include "reference.h"

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

/* exp_rotation1 as libopus has it. */
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

static double check_pulses(void) {
    float x1[SIDETONE_BAND], x2[SIDETONE_BAND], c = number(16) / 32768.f, s = number(16) / 32768.f;
    int y[SIDETONE_BAND], n = between(2, 176), stride = between(1, n < 12 ? n : 12), blocks = 1 << below(4), wrong = 0;
    unsigned mask = 0;
    fill(x1, n);
    silk_memcpy(x2, x1, sizeof(x1));
    sidetone_rotation(x1, n, stride, c, s);
    their_rotation(x2, n, stride, c, s);
    wrong += differ(x1, x2, n * sizeof(float));
    for (int i = 0; i < n; i++) y[i] = below(3) ? 0 : number(8);
    sidetone_scale_pulses(y, x1, n, c);
    for (int i = 0; i < n; i++) x2[i] = y[i] * c;
    wrong += differ(x1, x2, n * sizeof(float));
    n = blocks * between(1, 176 / blocks);
    for (int i = 0; i < n; i++) y[i] = below(n) ? 0 : number(8);
    for (int i = 0; i < n; i++) mask |= (unsigned)(y[i] != 0) << i / (n / blocks);
    return wrong + (sidetone_collapse_mask(y, n, blocks) != (blocks == 1 ? 1 : mask));
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

/* The loops of transient_analysis as libopus has them. */
static double check_transient(void) {
    static float x[1080], y1[1080], y2[1080];
    int n = between(1, 1080), n2 = n / 2;
    float mem0 = 0, mem1 = 0, mean = 0, most = 0, decay = below(2) ? .0625f : .03125f;
    fill(x, n);
    sidetone_transient_high_pass(x, y1, n);
    for (int i = 0; i < n; i++) {
        float mem00 = mem0;
        y2[i] = mem0 + x[i];
        mem0 = mem0 - x[i] + .5f * mem1;
        mem1 = x[i] - mem00;
    }
    double worst = distance(y1, y2, n);
    for (int i = 0; i < n; i++) y1[i] = y2[i];
    float sum = sidetone_forward_masking(y1, n2, decay);
    mem0 = 0;
    for (int i = 0; i < n2; i++) {
        float e = y2[2 * i] * y2[2 * i] + y2[2 * i + 1] * y2[2 * i + 1];
        mean += e;
        mem0 = e + (1 - decay) * mem0;
        y2[i] = decay * mem0;
    }
    double d = distance(y1, y2, n2), s = fabs(sum - mean) / (mean + 1e-9) / 100;
    worst = d > worst ? d : worst;
    worst = s > worst ? s : worst;
    for (int i = 0; i < n2; i++) y1[i] = y2[i];
    float greatest = sidetone_backward_masking(y1, n2);
    mem0 = 0;
    for (int i = n2 - 1; i >= 0; i--) {
        mem0 = y2[i] + .875f * mem0;
        y2[i] = .125f * mem0;
        most = y2[i] > most ? y2[i] : most;
    }
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
    default: return -1;
    }
}
