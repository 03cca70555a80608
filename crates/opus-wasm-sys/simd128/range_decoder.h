/* ec_dec_icdf of celt/entdec.c, inline: for the decoder of SILK's pulses, most of whose time is symbols. Exact.
 *
 * A call looks at the deadline, and so does each turn of a loop. The first four symbols, the most frequent, are tried
 * without either; the next eight are a call, those after them another with a loop, and the reading of a byte is one, too.
 */
#ifndef SIDETONE_RANGE_DECODER_H
#define SIDETONE_RANGE_DECODER_H

#include <wasm_simd128.h>
#include "entdec.h"
#include "mfrngcod.h"

/* As in celt/entdec.c, where it is static before our patch. */
void ec_dec_normalize(ec_dec *dec);

static __attribute__((noinline)) int sidetone_latest_symbol(const unsigned char *icdf, opus_uint32 r, opus_uint32 value,
                                                            int symbol) {
#pragma clang loop unroll_count(4)
    while (value < r * icdf[symbol]) {
        symbol++;
    }
    return symbol;
}

static __attribute__((noinline)) int sidetone_late_symbol(const unsigned char *icdf, opus_uint32 r, opus_uint32 value,
                                                          int symbol) {
#define TRY                           \
    if (value >= r * icdf[symbol]) {  \
        return symbol;                \
    }                                 \
    symbol++
    TRY;
    TRY;
    TRY;
    TRY;
    TRY;
    TRY;
    TRY;
    TRY;
#undef TRY
    return sidetone_latest_symbol(icdf, r, value, symbol);
}

static inline __attribute__((always_inline)) int sidetone_dec_icdf(ec_dec *dec, const unsigned char *icdf,
                                                                   unsigned bits) {
    opus_uint32 value = dec->val, above = dec->rng, r = above >> bits, below = r * icdf[0];
    int symbol = 0;
    if (value < below) {
        above = below;
        below = r * icdf[++symbol];
        if (value < below) {
            above = below;
            below = r * icdf[++symbol];
            if (value < below) {
                above = below;
                below = r * icdf[++symbol];
                if (value < below) {
                    symbol = sidetone_late_symbol(icdf, r, value, symbol + 1);
                    above = r * icdf[symbol - 1];
                    below = r * icdf[symbol];
                }
            }
        }
    }
    dec->val = value - below;
    dec->rng = above - below;
    if (above - below <= EC_CODE_BOT) {
        ec_dec_normalize(dec);
    }
    return symbol;
}

/* The sign of the first of the pulses `left`; those after it. */
static inline __attribute__((always_inline)) unsigned sidetone_dec_sign(ec_dec *dec, short *pulses, unsigned icdf,
                                                                        unsigned left) {
    short *pulse = pulses + __builtin_ctz(left);
    opus_uint32 value = dec->val, range = dec->rng, below = (range >> 8) * icdf;
    opus_uint32 minus = (opus_uint32)(value < below) - 1;
    *pulse = (short)((*pulse ^ (int)minus) - (int)minus);
    range = value < below ? below : range - below;
    dec->val = value - (below & minus);
    dec->rng = range;
    if (range <= EC_CODE_BOT) {
        ec_dec_normalize(dec);
    }
    return left & (left - 1);
}

/* Signs of the 16 pulses that are not 0: silk_decode_signs of silk/code_signs.c for one block. Which pulses have one is
 * asked of all at once, and a sign is no branch: half of them would be mispredicted. */
static inline __attribute__((always_inline)) void sidetone_dec_signs(ec_dec *dec, short *pulses, unsigned icdf) {
    const v128_t none = wasm_i16x8_const_splat(0);
    v128_t first = wasm_i16x8_gt(wasm_v128_load(pulses), none), second = wasm_i16x8_gt(wasm_v128_load(pulses + 8), none);
    unsigned left = wasm_i8x16_bitmask(wasm_i8x16_narrow_i16x8(first, second));
    /* The first three without a look. */
    if (left) {
        left = sidetone_dec_sign(dec, pulses, icdf, left);
    }
    if (left) {
        left = sidetone_dec_sign(dec, pulses, icdf, left);
    }
    if (left) {
        left = sidetone_dec_sign(dec, pulses, icdf, left);
    }
#pragma clang loop unroll_count(3)
    while (left) {
        left = sidetone_dec_sign(dec, pulses, icdf, left);
    }
}

#define ec_dec_icdf(dec, icdf, bits) sidetone_dec_icdf(dec, icdf, bits)

#endif
