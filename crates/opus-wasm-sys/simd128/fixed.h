/* Fixed-point arithmetic of SILK on four 32-bit lanes, exact to the last bit.
 *
 * libopus's SMULWB is (a * b) >> 16 with a of 32 bits and b of 16. Wasm has no such multiplication; its fastest
 * ones are of 16 bits (`i32x4.dot_i16x8_s`, one instruction on every machine). So a is taken as two halves,
 *     a = hi * 65536 + lo,   (a * b) >> 16 = hi * b + ((lo * b) >> 16),
 * where lo is unsigned. What is multiplied is lo - 32768, a signed number, which is a's lower half with its top
 * bit flipped; the 32768 * b that is missing is added before the shift.
 */
#ifndef SIDETONE_FIXED_H
#define SIDETONE_FIXED_H

#include <wasm_simd128.h>

/* A 16-bit factor as SMULWB needs it, the same or another in each lane. */
typedef struct {
    v128_t hi;   /* b in the upper half of each lane: meets a's upper half */
    v128_t lo;   /* b in the lower half: meets a's lower half              */
    v128_t bias; /* 32768 * b                                              */
} factor;

INLINE factor factor_splat(int b) {
    factor f;
    f.hi = wasm_i32x4_splat((int)((unsigned)b << 16));
    f.lo = wasm_i32x4_splat(b & 0xFFFF);
    f.bias = wasm_i32x4_splat((int)((unsigned)(short)b << 15));
    return f;
}

/* Makes the engine compute x here.
 *
 * Cranelift puts loads where the module has them and everything else where the next store or branch needs it. A long
 * sum over factors in memory thus becomes a hundred loads, most of them spilled, and then a hundred additions. A store
 * that nobody reads costs less. (The compiler, too, may not move loads over it.) */
#define SETTLE(x, scratch) do { wasm_v128_store(scratch, x); __asm__ volatile("" : : : "memory"); } while (0)

/* The same for several sums at once: after their stores to `scratch`. */
#define BARRIER(scratch) __asm__ volatile("" : : "r"(scratch) : "memory")

/* Keeps the compiler from seeing what x is made of: it would make long dependent chains of what is written as short ones. */
#define PIN(x) __asm__("" : "+r"(x))

/* Flips the top bit of each lower half: the form in which `mulwb_flipped` takes its operand. */
INLINE v128_t flip(v128_t a) { return wasm_v128_xor(a, wasm_i32x4_const_splat(0x8000)); }

INLINE v128_t mulwb_flipped(v128_t flipped, v128_t hi, v128_t lo, v128_t bias) {
    v128_t low = wasm_i32x4_shr(wasm_i32x4_add(wasm_i32x4_dot_i16x8(flipped, lo), bias), 16);
    return wasm_i32x4_add(wasm_i32x4_dot_i16x8(flipped, hi), low);
}

/* SMULWB: (a * b) >> 16. */
INLINE v128_t mulwb(v128_t a, factor b) { return mulwb_flipped(flip(a), b.hi, b.lo, b.bias); }

/* SMULWB of an a below 2^31 - 2^15, whose lower half is taken as it is, with its sign: so the other part of a is the upper
 * half of a + 32768, which is given beside a. Of the factor neither `bias` is needed nor a flipped bit. */
INLINE v128_t mulwb_parts(v128_t upper, v128_t a, v128_t hi, v128_t lo) {
    return wasm_i32x4_add(wasm_i32x4_dot_i16x8(upper, hi), wasm_i32x4_shr(wasm_i32x4_dot_i16x8(a, lo), 16));
}

INLINE v128_t mulwb_below(v128_t a, v128_t hi, v128_t lo) {
    return mulwb_parts(wasm_i32x4_add(a, wasm_i32x4_const_splat(32768)), a, hi, lo);
}

/* SMULWW: (a * b) >> 16 with both of 32 bits. */
INLINE v128_t mulww(v128_t a, v128_t b) {
    v128_t low = wasm_u64x2_shr(wasm_i64x2_extmul_low_i32x4(a, b), 16);
    v128_t high = wasm_u64x2_shr(wasm_i64x2_extmul_high_i32x4(a, b), 16);
    return wasm_i32x4_shuffle(low, high, 0, 2, 4, 6);
}

/* RSHIFT_ROUND for shifts of two and more: as libopus writes it, without overflow. */
#define shr_round(a, shift) wasm_i32x4_shr(wasm_i32x4_add(wasm_i32x4_shr(a, (shift)-1), wasm_i32x4_const_splat(1)), 1)

/* What the lanes of a sum to, of b, of c and of d. */
INLINE v128_t sums(v128_t a, v128_t b, v128_t c, v128_t d) {
    v128_t ab = wasm_i32x4_add(wasm_i32x4_shuffle(a, b, 0, 1, 4, 5), wasm_i32x4_shuffle(a, b, 2, 3, 6, 7));
    v128_t cd = wasm_i32x4_add(wasm_i32x4_shuffle(c, d, 0, 1, 4, 5), wasm_i32x4_shuffle(c, d, 2, 3, 6, 7));
    return wasm_i32x4_add(wasm_i32x4_shuffle(ab, cd, 0, 2, 4, 6), wasm_i32x4_shuffle(ab, cd, 1, 3, 5, 7));
}

/* ADD_SAT32 and SUB_SAT32. What is added or taken away is the later of the two: only three instructions wait for it. */
INLINE v128_t add_sat(v128_t a, v128_t late) {
    const v128_t most = wasm_i32x4_const_splat(0x7FFFFFFF), least = wasm_i32x4_const_splat((int)0x80000000);
    const v128_t none = wasm_i32x4_const_splat(0);
    v128_t low = wasm_i32x4_sub(least, wasm_i32x4_min(a, none)), high = wasm_i32x4_sub(most, wasm_i32x4_max(a, none));
    return wasm_i32x4_add(a, wasm_i32x4_min(wasm_i32x4_max(late, low), high));
}

INLINE v128_t sub_sat(v128_t a, v128_t late) {
    const v128_t most = wasm_i32x4_const_splat(0x7FFFFFFF), least = wasm_i32x4_const_splat((int)0x80000000);
    const v128_t below = wasm_i32x4_const_splat(-1);
    v128_t low = wasm_i32x4_sub(wasm_i32x4_max(a, below), most), high = wasm_i32x4_sub(wasm_i32x4_min(a, below), least);
    return wasm_i32x4_sub(a, wasm_i32x4_min(wasm_i32x4_max(late, low), high));
}

/* a where `sign` is zero, -a where it is -1. */
INLINE v128_t negate_if(v128_t a, v128_t sign) { return wasm_i32x4_sub(wasm_v128_xor(a, sign), sign); }

#endif
