/* CELT's vectors of pulses: search, rotation, scaling. Included by celt_kernels.h. */
#ifndef SIDETONE_PULSES_H
#define SIDETONE_PULSES_H

/* The most dimensions a band has. */
#define SIDETONE_BAND 208

/* op_pvq_search: K pulses in N dimensions, near in direction to x; returns their squared length. Four candidates at a time.
 * iy has room up to the next multiple of four. Where two are as good as each other but for rounding, it may be the other. */
float sidetone_pvq_search(const float *x, int *iy, int K, int N);

/* The cosine and the sine of `theta` quarters of a turn, 0 to a half: of exp_rotation. */
void sidetone_angle(float theta, float *c, float *s);

/* The stride of exp_rotation's second rotation: sqrt(len / stride), rounded. Exact for bands. */
int sidetone_second_stride(int len, int stride);

/* exp_rotation1. Exact. */
void sidetone_rotation(float *x, int len, int stride, float c, float s);

/* x[i] = iy[i] * gain. Exact. */
void sidetone_scale_pulses(const int *iy, float *x, int n, float gain);

/* Bit i is set where the i-th of `blocks` parts of iy has a pulse. */
unsigned sidetone_collapse_mask(const int *iy, int n, int blocks);

#endif
