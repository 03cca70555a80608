/* What CELT keeps of the energies of its bands, and how it shares bits among them. Exact. Included by celt_kernels.h. */
#ifndef SIDETONE_BANDS_H
#define SIDETONE_BANDS_H

/* What the next frames are told of the energies of this one, for one channel, at the end of celt/celt_decoder.c and
 * celt/celt_encoder.c: of the frame itself and of the two before it, and nothing in the bands that are not from `start` to
 * `end` - 1. */
void sidetone_remember(float *energy, float *log1, float *log2, int bands, int start, int end, int transient);

/* The energies of the noise in the background, n of them, which rise by at most `increase` a frame: of celt/celt_decoder.c. */
void sidetone_remember_noise(float *noise, const float *energy, int n, float increase);

/* The share of `bits2` beside `bits1`, in 64ths, with which the bands from `start` to `end` - 1 take no more than `total`: the
 * bisection of interp_bits2pulses in celt/rate.c. */
int sidetone_allocation(const int *bits1, const int *bits2, const int *thresh, const int *cap, int start, int end, int total,
                        int least);

#endif
