/* CELT's kernels against libopus's C: see check.c, of which this is a part. */
#include "reference.h"
#include "vq.h"

static int differ(const void *a, const void *b, int n) { return memcmp(a, b, n) != 0; }

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

double sidetone_check_celt(int kernel, opus_uint32 seed) {
    seed_numbers(seed);
    switch (kernel) {
    case 0: return check_search();
    case 1: return check_pulses();
    default: return -1;
    }
}
