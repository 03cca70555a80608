/* Loops of CELT's detector of transients (transient_analysis), four samples at a time. They differ by rounding. Included by
 * celt_kernels.h. */
#ifndef SIDETONE_TRANSIENT_H
#define SIDETONE_TRANSIENT_H

/* Its high pass, from silence. */
void sidetone_transient_high_pass(const float *in, float *out, int n);

/* The energies of n pairs of samples, leaking forwards; returns their sum. */
float sidetone_forward_masking(float *tmp, int n, float decay);

/* What that left, leaking backwards; returns the greatest. */
float sidetone_backward_masking(float *tmp, int n);

#endif
