/* Loops of libopus over samples, sixteen and more a turn: conversions, sums, gain, preemphasis and its opposite. Exact,
 * but for sums, which differ by rounding.
 *
 * Each turn of a loop looks at the deadline. Included by celt_kernels.h.
 */
#ifndef SIDETONE_SAMPLES_H
#define SIDETONE_SAMPLES_H

/* out[i] = in[i] * gain, of 16-bit samples. */
void sidetone_from_int16(const short *in, float *out, int n, float gain);

/* Nearest even, saturated. */
void sidetone_to_int16(const float *in, short *out, int n);

/* The greatest size of a sample; 0 where there is none. What is no number counts nothing. */
float sidetone_max_abs(const float *x, int n);

/* out[i] = in[i] * gain. The two may be the same. */
void sidetone_gain(const float *in, float *out, int n, float gain);

/* x[i] -= coef * x[i - 1], in place; `m` is coef times the sample before the first. Returns the next such `m`. */
float sidetone_preemphasis(float *x, int n, float coef, float m);

/* The two halves of `x` folded into each other under the window, four samples of each at a time. Nothing but the middle is
 * left to be done: returns how many samples of each half are. */
int sidetone_fold(float *x, const float *window, int overlap);

/* out[i] = in[i] + level or in[i] - level, by the bits of libopus's random numbers; returns the last of them. Exact. */
unsigned sidetone_add_noise(const float *in, float *out, int n, float level, unsigned seed);

/* The sum of x[i] * y[i]. */
float sidetone_inner_prod(const float *x, const float *y, int n);

/* The sum of (x[i] >> 3)^2, modulo 2^32. Exact. */
int sidetone_sum_squares(const short *x, int n);

/* The sum of the sizes of the samples. */
float sidetone_sum_abs(const float *x, int n);

/* As FLOAT2INT16, for samples in groups of eight: nearest even, saturated. Returns how many that were. Exact. */
int sidetone_float2int16(const float *in, short *out, int n);

/* No sample is above 1 or below -1; false where there are NaNs, too. */
int sidetone_within_one(const float *x, int n);

/* out[i] += sum of weights[j * stride + i] * x[j], for rows in groups of eight; how many rows that were. Exact: each
 * row is summed in libopus's order. */
int sidetone_gemm(float *out, const signed char *weights, int rows, int cols, int stride, const float *x);

/* y[j] = x[j] + coef * y[j - 1]; returns coef * y[n - 1]. Four samples together, so it differs by rounding. */
float sidetone_deemphasis(const float *x, float *y, int n, float coef, float m);

#endif
