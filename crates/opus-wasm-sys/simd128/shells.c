/* Blocks of 16 pulses: see shells.h. */
#include "main.h"
#include "fixed.h"
#include "shells.h"

#define LEVELS (N_RATE_LEVELS - 1)

void sidetone_pulse_sizes(const opus_int8 *pulses, opus_int *sizes, int blocks) {
#pragma clang loop unroll_count(4)
    for (int i = 0; i < blocks * SHELL_CODEC_FRAME_LENGTH; i += SHELL_CODEC_FRAME_LENGTH) {
        v128_t all = wasm_i8x16_abs(wasm_v128_load(&pulses[i]));
        v128_t low = wasm_u16x8_extend_low_u8x16(all), high = wasm_u16x8_extend_high_u8x16(all);
        wasm_v128_store(&sizes[i], wasm_u32x4_extend_low_u16x8(low));
        wasm_v128_store(&sizes[i + 4], wasm_u32x4_extend_high_u16x8(low));
        wasm_v128_store(&sizes[i + 8], wasm_u32x4_extend_low_u16x8(high));
        wasm_v128_store(&sizes[i + 12], wasm_u32x4_extend_high_u16x8(high));
    }
}

/* Sums of neighbours: a[0] + a[1], a[2] + a[3], b[0] + b[1], b[2] + b[3]. */
INLINE v128_t in_pairs(v128_t a, v128_t b) {
    return wasm_i32x4_add(wasm_i32x4_shuffle(a, b, 0, 2, 4, 6), wasm_i32x4_shuffle(a, b, 1, 3, 5, 7));
}

int sidetone_too_many_pulses(const opus_int *sizes, opus_int *sum) {
    v128_t low = in_pairs(wasm_v128_load(sizes), wasm_v128_load(sizes + 4));
    v128_t high = in_pairs(wasm_v128_load(sizes + 8), wasm_v128_load(sizes + 12));
    v128_t fours = in_pairs(low, high), eights = in_pairs(fours, fours);
    opus_int all = wasm_i32x4_extract_lane(eights, 0) + wasm_i32x4_extract_lane(eights, 1);
    v128_t over = wasm_i32x4_gt(wasm_i32x4_max(low, high), wasm_i32x4_splat(silk_max_pulses_table[0]));
    over = wasm_v128_or(over, wasm_i32x4_gt(fours, wasm_i32x4_splat(silk_max_pulses_table[1])));
    over = wasm_v128_or(over, wasm_i32x4_gt(eights, wasm_i32x4_splat(silk_max_pulses_table[2])));
    *sum = all;
    return all > silk_max_pulses_table[3] || wasm_v128_any_true(over);
}

int sidetone_rate_level(const opus_int *sums, const opus_int *shifts, int blocks, const opus_uint8 *bits_Q5) {
    opus_int32 bits[LEVELS];
#pragma clang loop unroll(full)
    for (int k = 0; k < LEVELS; k++) {
        bits[k] = bits_Q5[k];
    }
#pragma clang loop unroll_count(2)
    for (int i = 0; i < blocks; i++) {
        const opus_uint8 *table = &silk_pulses_per_block_BITS_Q5[0][shifts[i] > 0 ? SILK_MAX_PULSES + 1 : sums[i]];
#pragma clang loop unroll(full)
        for (int k = 0; k < LEVELS; k++) {
            bits[k] += table[k * (SILK_MAX_PULSES + 2)];
        }
    }
    int level = 0;
#pragma clang loop unroll(full)
    for (int k = 1; k < LEVELS; k++) {
        level = bits[k] < bits[level] ? k : level;
    }
    return level;
}
