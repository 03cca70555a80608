/* ec_enc_icdf of celt/entenc.c, inline: for the encoder of SILK's pulses. A call looks at the deadline. Exact. */
#ifndef SIDETONE_RANGE_ENCODER_H
#define SIDETONE_RANGE_ENCODER_H

#include <wasm_simd128.h>
#include "entenc.h"
#include "mfrngcod.h"

/* As in celt/entenc.c, where it is static before our patch. */
void ec_enc_normalize(ec_enc *enc);

static inline __attribute__((always_inline)) void sidetone_enc_icdf(ec_enc *enc, int symbol, const unsigned char *icdf,
                                                                    unsigned bits) {
    opus_uint32 r = enc->rng >> bits, below = r * icdf[symbol];
    /* Without a branch, for it would be mispredicted; and without a look before the table. */
    opus_uint32 above = r * icdf[symbol - (symbol > 0)];
    above = symbol > 0 ? above : enc->rng;
    enc->val += enc->rng - above;
    enc->rng = above - below;
    if (enc->rng <= EC_CODE_BOT) {
        ec_enc_normalize(enc);
    }
}

/* Signs of the 16 pulses that are not 0: silk_encode_signs of silk/code_signs.c for one block. As sidetone_dec_signs. */
static inline __attribute__((always_inline)) void sidetone_enc_signs(ec_enc *enc, const signed char *pulses,
                                                                     unsigned icdf) {
    const v128_t all = wasm_v128_load(pulses), none = wasm_i8x16_const_splat(0);
    unsigned left = wasm_i8x16_bitmask(wasm_i8x16_ne(all, none)), plus = wasm_i8x16_bitmask(wasm_i8x16_gt(all, none));
#pragma clang loop unroll_count(4)
    while (left) {
        opus_uint32 range = enc->rng, below = (range >> 8) * icdf;
        unsigned is_plus = -(plus >> __builtin_ctz(left) & 1);
        left &= left - 1;
        enc->val += (range - below) & is_plus;
        range = is_plus ? below : range - below;
        enc->rng = range;
        if (range <= EC_CODE_BOT) {
            ec_enc_normalize(enc);
        }
    }
}

#define ec_enc_icdf(enc, symbol, icdf, bits) sidetone_enc_icdf(enc, symbol, icdf, bits)

#endif
