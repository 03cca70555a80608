/* Recursive filters over samples: emphasis where the codec runs at twice the rate, and the high pass. Included by
 * celt_kernels.h. They differ by rounding, but for the preemphasis. */
#ifndef SIDETONE_FILTERS_H
#define SIDETONE_FILTERS_H

/* CELT's input at twice the rate of pcm: 2 * n samples, every second of them zero, with preemphasis. Samples are limited to
 * twice the full scale where `clip` is set. `m` as in sidetone_preemphasis. Exact. */
float sidetone_preemphasis_of_half(const float *pcm, float *x, int n, int clip, float coef, float m);

/* Every second sample, n of them, of the deemphasis of x times `gain`, to y (added to it where `add` is
 * set). Those between are not computed: four at a time. Returns what sidetone_deemphasis does. */
float sidetone_deemphasis_half(const float *x, float *y, int n, float coef, float m, int add, float gain);

/* A filter of second order, as silk_biquad_res for one channel; what the next sample waits for is two operations. */
void sidetone_biquad(const float *in, float *out, int n, const float b[3], const float a[2], float state[2]);

#endif
