/* ec_enc_icdf of celt/entenc.c, inline: for the encoder of SILK's pulses. A call looks at the deadline. Exact. */
#ifndef SIDETONE_RANGE_ENCODER_H
#define SIDETONE_RANGE_ENCODER_H

#include "entenc.h"
#include "mfrngcod.h"

/* As in celt/entenc.c, where it is static before our patch. */
void ec_enc_normalize(ec_enc *enc);

static inline __attribute__((always_inline)) void sidetone_enc_icdf(ec_enc *enc, int symbol, const unsigned char *icdf,
                                                                    unsigned bits) {
    opus_uint32 r = enc->rng >> bits, below = r * icdf[symbol];
    if (symbol > 0) {
        opus_uint32 above = r * icdf[symbol - 1];
        enc->val += enc->rng - above;
        enc->rng = above - below;
    } else {
        enc->rng -= below;
    }
    if (enc->rng <= EC_CODE_BOT) {
        ec_enc_normalize(enc);
    }
}

#define ec_enc_icdf(enc, symbol, icdf, bits) sidetone_enc_icdf(enc, symbol, icdf, bits)

#endif
