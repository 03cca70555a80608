/* How tonal the bins of the analysis's spectrum are: tonality.c. */
#ifndef SIDETONE_TONALITY_H
#define SIDETONE_TONALITY_H

#include "kiss_fft.h"

/* The loop over bins 1 … n/2 - 1 of run_analysis in src/analysis.c, four at a time, on a spectrum of n bins. `angle`,
 * `change` and `steady` (libopus's A, dA, d2A) are of the frame before, and become this one's. Returns the first bin that
 * is left to be done. Exact. */
int sidetone_tonality(const kiss_fft_cpx *out, int n, float *angle, float *change, float *steady, float *noisiness,
                      float *tonality, float *tonality2);

#endif
