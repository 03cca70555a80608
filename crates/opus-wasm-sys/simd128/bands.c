/* What CELT keeps of its bands, and their share of the bits: see bands.h. */
#include "celt_kernels.h"
#include "turns.h"

/* What is kept of a frame, four bands of it. */
typedef struct {
    v128_t energy, log1, log2;
} memory;

INLINE memory remember(memory now, int i, int start, int end, int transient) {
    const v128_t none = wasm_f32x4_const_splat(0), silence = wasm_f32x4_const_splat(-28), lane = wasm_i32x4_const(0, 1, 2, 3);
    v128_t within = wasm_v128_and(wasm_i32x4_ge(lane, wasm_i32x4_splat(start - i)), wasm_i32x4_lt(lane, wasm_i32x4_splat(end - i)));
    v128_t log1 = transient ? wasm_f32x4_pmin(now.energy, now.log1) : now.energy;
    v128_t log2 = transient ? now.log2 : now.log1;
    memory next = {wasm_v128_bitselect(now.energy, none, within), wasm_v128_bitselect(log1, silence, within),
                   wasm_v128_bitselect(log2, silence, within)};
    return next;
}

OUT_OF_LINE void sidetone_remember(float *energy, float *log1, float *log2, int bands, int start, int end, int transient) {
    int i = 0;
#pragma clang loop unroll_count(5)
    for (; i + 4 <= bands; i += 4) { /* libopus's modes have 21 bands */
        memory now = {wasm_v128_load(energy + i), wasm_v128_load(log1 + i), wasm_v128_load(log2 + i)};
        now = remember(now, i, start, end, transient);
        wasm_v128_store(energy + i, now.energy);
        wasm_v128_store(log1 + i, now.log1);
        wasm_v128_store(log2 + i, now.log2);
    }
    for (; i < bands; i++) {
        memory now = {wasm_v128_load32_zero(energy + i), wasm_v128_load32_zero(log1 + i), wasm_v128_load32_zero(log2 + i)};
        now = remember(now, i, start, end, transient);
        wasm_v128_store32_lane(energy + i, now.energy, 0);
        wasm_v128_store32_lane(log1 + i, now.log1, 0);
        wasm_v128_store32_lane(log2 + i, now.log2, 0);
    }
}

OUT_OF_LINE void sidetone_remember_noise(float *noise, const float *energy, int n, float increase) {
    const v128_t more = wasm_f32x4_splat(increase);
    int i = 0;
#define FOUR(at)                                                                         \
    wasm_v128_store(noise + i + at, wasm_f32x4_pmin(wasm_v128_load(energy + i + at),     \
                                                    wasm_f32x4_add(wasm_v128_load(noise + i + at), more)))
    IN_FOURS(i, n, FOUR)
#undef FOUR
    for (; i < n; i++) {
        float risen = noise[i] + increase;
        noise[i] = risen < energy[i] ? risen : energy[i];
    }
}

int sidetone_allocation(const int *bits1, const int *bits2, const int *thresh, const int *cap, int start, int end, int total,
                        int least_) {
    const v128_t least = wasm_i32x4_splat(least_);
    int share = 0;
    /* Two steps at a time: the middle, and the middles of both halves. */
#pragma clang loop unroll(full)
    for (int quarter = 16; quarter > 0; quarter /= 4) {
        const v128_t shares = wasm_i32x4_add(wasm_i32x4_splat(share), wasm_i32x4_make(quarter, 2 * quarter, 3 * quarter, 0));
        v128_t sum = wasm_i32x4_const_splat(0), coded = sum;
#pragma clang loop unroll_count(2)
        for (int j = end - 1; j >= start; j--) { /* two bands beside SILK's */
            v128_t bits = wasm_i32x4_shr(wasm_i32x4_mul(shares, wasm_i32x4_splat(bits2[j])), 6);
            bits = wasm_i32x4_add(bits, wasm_i32x4_splat(bits1[j]));
            coded = wasm_v128_or(coded, wasm_i32x4_ge(bits, wasm_i32x4_splat(thresh[j])));
            v128_t few = wasm_v128_and(least, wasm_i32x4_ge(bits, least));
            sum = wasm_i32x4_add(sum, wasm_v128_bitselect(wasm_i32x4_min(bits, wasm_i32x4_splat(cap[j])), few, coded));
        }
        const unsigned within = 7u & ~wasm_i32x4_bitmask(wasm_i32x4_gt(sum, wasm_i32x4_splat(total)));
        share += within & 2 ? (within & 4 ? 3 * quarter : 2 * quarter) : (within & 1 ? quarter : 0);
    }
    return share;
}
