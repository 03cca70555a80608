/* States of the quantizers when the gain changes: scaling.c. */
#ifndef SIDETONE_SCALING_H
#define SIDETONE_SCALING_H

/* x[i] = (gain * x[i]) >> 16. */
void sidetone_scale(opus_int32 *x, int count, opus_int32 gain_Q16);

/* out[i] = (gain * in[i]) >> 16. */
void sidetone_scale_samples(opus_int32 *out, const opus_int16 *in, int count, opus_int32 gain);

#endif
