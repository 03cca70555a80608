/* The two polynomials of line spectral frequencies, together: two lanes of a vector. Exact. Orders of 10 and 16. */
#ifndef SIDETONE_POLYNOMIALS_H
#define SIDETONE_POLYNOMIALS_H

#include "typedef.h"

/* From 2 cos(LSF), which of both lie in turns, Q16: P[0 … dd] and Q[0 … dd], Q16. Twice silk_NLSF2A_find_poly of
 * silk/NLSF2A.c. */
void sidetone_find_polynomials(opus_int32 *P, opus_int32 *Q, const opus_int32 *cLSF, int dd);

/* From prediction coefficients, Q16: P[0 … dd] and Q[0 … dd] in powers of the cosine, Q16. silk_A2NLSF_init of silk/A2NLSF.c. */
void sidetone_split_polynomials(const opus_int32 *a_Q16, opus_int32 *P, opus_int32 *Q, int dd);

/* No two line spectral frequencies (0 to 32767) are nearer to each other, or to the ends, than `least` allows: there is nothing for
 * silk_NLSF_stabilize to do. Exact. */
int sidetone_spectrum_stable(const opus_int16 *NLSF_Q15, const opus_int16 *least_Q15, int order);

/* Rounds `order` coefficients, 8 to 16 and none of them -2^31, by a shift of two or more; whether they all fit in 16 bits, otherwise `out` is of no
 * use. silk_LPC_fit where there is nothing to limit. Exact. */
int sidetone_fit(opus_int16 *out, const opus_int32 *a, int shift, int order);

#endif
