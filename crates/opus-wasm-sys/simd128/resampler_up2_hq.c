/* Twice the sampling rate: replaces silk/resampler_private_up2_HQ.c. Exact.
 *
 * Three allpass sections, one after the other, give the samples of even number, three others those of odd number. In a
 * section, what one sample leaves is needed by the next: that chain is all there is to wait for, if the sections work on
 * different samples at the same time. `first` holds the first two sections of either branch, the second of them two
 * samples behind; `last` holds the third ones, as far behind.
 *
 * All numbers stay below 2^29, the sixteenfold of the input, which has 26 bits (the sums of the sizes of the sections'
 * impulse responses: at most 15.9).
 */
#include "SigProc_FIX.h"
#include "fixed.h"
#include "resampler_private.h"

/* Factors as `mulwb_parts` takes them. */
typedef struct {
    v128_t hi, lo;
} coefs;

#define COEFS(a, b, c, d)                                                   \
    {wasm_i32x4_make((a) * 65536, (b) * 65536, (c) * 65536, (d) * 65536),    \
     wasm_i32x4_make((a) & 65535, (b) & 65535, (c) & 65535, (d) & 65535)}

typedef struct {
    v128_t first, last;         /* states */
    v128_t before, before_that; /* what the first sections put out one step ago, and two */
} upsampler;

/* One step of all sections of a vector: what libopus calls X is y * b, and y + y * b in a third section. */
INLINE v128_t sections(v128_t *state, v128_t in, const coefs *b, const int third) {
    v128_t y = wasm_i32x4_sub(in, *state);
    v128_t upper = wasm_i32x4_sub(wasm_i32x4_add(in, wasm_i32x4_const_splat(32768)), *state);
    v128_t early = wasm_i32x4_add(third ? wasm_i32x4_add(in, y) : in, wasm_i32x4_dot_i16x8(upper, b->hi));
    *state = wasm_i32x4_add(early, wasm_i32x4_shr(wasm_i32x4_dot_i16x8(y, b->lo), 16)); /* in + X */
    return wasm_i32x4_sub(*state, y);                                                   /* the state there was + X */
}

void silk_resampler_private_up2_HQ(opus_int32 *S, opus_int16 *out, const opus_int16 *in, opus_int32 len) {
    const opus_int16 *even = silk_resampler_up2_hq_0, *odd = silk_resampler_up2_hq_1;
    const coefs two = COEFS(even[0], odd[0], even[1], odd[1]), three = COEFS(even[2], odd[2], even[2], odd[2]);
    const v128_t start = wasm_i32x4_make(S[0], S[3], S[1], S[4]), none = wasm_i32x4_const_splat(0);
    upsampler u = {start, wasm_i32x4_make(S[2], S[5], S[2], S[5]), none, none};
    v128_t x, end;
    if (len == 0) { /* what libopus asks for after the first of one millisecond */
        return;
    }
    celt_assert(len > 0 && len % 4 == 0); /* rates are so many kHz, blocks whole milliseconds */

/* Sample k of x enters; what leaves entered two steps ago. */
#define ENTER(k) ({                                                                             \
    v128_t got = sections(&u.first, wasm_i32x4_shuffle(x, u.before_that, k, k, 4, 5), &two, 0); \
    u.before_that = u.before;                                                                   \
    u.before = got;                                                                             \
    got;                                                                                        \
})
#define STEP(k) ({                                                                              \
    v128_t got_first = ENTER(k);                                                                \
    sections(&u.last, wasm_i32x4_shuffle(got_first, got_first, 2, 3, 2, 3), &three, 1);         \
})
#define LOAD(load) x = wasm_i32x4_shl(wasm_i32x4_extend_low_i16x8(load(in)), 10)
/* Four leave. Of the last that enter two are past the end, other memory of the module: `end` is without them. */
#define FOUR do {                                                                               \
        LOAD(wasm_v128_load64_zero);                                                            \
        v128_t o0 = STEP(0), o1 = STEP(1);                                                      \
        end = u.first;                                                                          \
        v128_t o2 = STEP(2), o3 = STEP(3);                                                      \
        v128_t low = shr_round(wasm_i32x4_shuffle(o0, o1, 0, 1, 4, 5), 10);                     \
        v128_t high = shr_round(wasm_i32x4_shuffle(o2, o3, 0, 1, 4, 5), 10);                    \
        wasm_v128_store(out, wasm_i16x8_narrow_i32x4(low, high));                               \
        in += 4;                                                                                \
        out += 8;                                                                               \
    } while (0)

    LOAD(wasm_v128_load32_zero);
    ENTER(0);
    ENTER(1);
    u.first = wasm_i32x4_shuffle(u.first, start, 0, 1, 6, 7); /* nothing has reached the second sections */
    in += 2;
    int left = len / 4;
    for (; left >= 4; left -= 4) {
        FOUR;
        FOUR;
        FOUR;
        FOUR;
    }
    for (; left > 0; left--) {
        FOUR;
    }
#undef FOUR
#undef LOAD
#undef STEP
#undef ENTER
    S[0] = wasm_i32x4_extract_lane(end, 0);
    S[3] = wasm_i32x4_extract_lane(end, 1);
    S[1] = wasm_i32x4_extract_lane(u.first, 2);
    S[4] = wasm_i32x4_extract_lane(u.first, 3);
    S[2] = wasm_i32x4_extract_lane(u.last, 0);
    S[5] = wasm_i32x4_extract_lane(u.last, 1);
}

void silk_resampler_private_up2_HQ_wrapper(void *SS, opus_int16 *out, const opus_int16 *in, opus_int32 len) {
    silk_resampler_private_up2_HQ(((silk_resampler_state_struct *)SS)->sIIR, out, in, len);
}
