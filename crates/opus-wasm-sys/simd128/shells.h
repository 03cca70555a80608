/* What SILK's encoder asks of its shells, blocks of 16 pulses, before it codes them: parts of silk_encode_pulses. Exact. */
#ifndef SIDETONE_SHELLS_H
#define SIDETONE_SHELLS_H

#include "typedef.h"

/* The sizes of `blocks` times 16 pulses. */
void sidetone_pulse_sizes(const opus_int8 *pulses, opus_int *sizes, int blocks);

/* Whether a block, or a part of it, has more pulses than its table codes; if not, `sum` is how many there are. */
int sidetone_too_many_pulses(const opus_int *sizes, opus_int *sum);

/* The level whose table codes the sums in fewest bits. A block that was shifted codes one pulse more than there can be;
 * `bits_Q5` are those of the level itself. */
int sidetone_rate_level(const opus_int *sums, const opus_int *shifts, int blocks, const opus_uint8 *bits_Q5);

#endif
