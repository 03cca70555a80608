/* Trellis quantizer of line spectral frequencies: replaces silk/NLSF_del_dec_quant.c. Exact.
 *
 * Its four states are the lanes of one vector. Where libopus copies a state's indices over another's, here each step
 * notes which state a state came from, and the winner's way is walked back at the end. What libopus looks up in tables
 * is computed: a level is its distance from zero less a tenth, its rate beyond three is 2.5 + 1.34 a level.
 */
#include "main.h"
#include "fixed.h"

#define STATES NLSF_QUANT_DEL_DEC_STATES
#define OUTSIDE NLSF_QUANT_MAX_AMPLITUDE

INLINE v128_t splat(opus_int32 a) { return wasm_i32x4_splat(a); }
INLINE v128_t low16(v128_t a) { return wasm_v128_and(a, splat(0xFFFF)); }
INLINE v128_t wrap16(v128_t a) { return wasm_i32x4_shr(wasm_i32x4_shl(a, 16), 16); }

/* The first lane that equals the least (greatest) of them all; lane 0 where none does. */
INLINE int lane_of(v128_t a, v128_t extreme) {
    return __builtin_ctz(wasm_i32x4_bitmask(wasm_i32x4_eq(a, extreme)) | 1 << STATES) & (STATES - 1);
}
INLINE v128_t least(v128_t a) {
    a = wasm_i32x4_min(a, wasm_i32x4_shuffle(a, a, 2, 3, 0, 1));
    return wasm_i32x4_min(a, wasm_i32x4_shuffle(a, a, 1, 0, 3, 2));
}
INLINE v128_t greatest(v128_t a) {
    a = wasm_i32x4_max(a, wasm_i32x4_shuffle(a, a, 2, 3, 0, 1));
    return wasm_i32x4_max(a, wasm_i32x4_shuffle(a, a, 1, 0, 3, 2));
}

INLINE v128_t lane_mask(int lane) { return wasm_i32x4_eq(wasm_i32x4_const(0, 1, 2, 3), splat(lane)); }
INLINE v128_t lane_to_all(v128_t a, int lane) {
    return wasm_i8x16_swizzle(a, splat((opus_int32)(0x03020100u + 0x04040404u * (opus_uint32)lane)));
}

/* What a level stands for, and its rate. */
INLINE v128_t output(v128_t level, v128_t step) {
    v128_t adjust = splat(SILK_FIX_CONST(NLSF_QUANT_LEVEL_ADJ, 10));
    v128_t zero = splat(0), x = wasm_i32x4_shl(level, 10);
    x = wasm_i32x4_sub(x, wasm_v128_and(adjust, wasm_i32x4_gt(level, zero)));
    x = wasm_i32x4_add(x, wasm_v128_and(adjust, wasm_i32x4_lt(level, zero)));
    return wasm_i32x4_shr(wasm_i32x4_dot_i16x8(low16(x), step), 16);
}

INLINE v128_t rate(v128_t level, v128_t rates) {
    v128_t size = wasm_i32x4_abs(level);
    v128_t index = wasm_v128_or(wasm_i32x4_add(level, splat(OUTSIDE)), splat((opus_int32)0xFFFFFF00u));
    v128_t beyond = wasm_i32x4_add(splat(280 - 43 * OUTSIDE), wasm_i32x4_mul(size, splat(43)));
    return wasm_v128_bitselect(beyond, wasm_i8x16_swizzle(rates, index), wasm_i32x4_ge(size, splat(OUTSIDE)));
}

opus_int32 silk_NLSF_del_dec_quant(opus_int8 indices[], const opus_int16 x_Q10[], const opus_int16 w_Q5[],
                                   const opus_uint8 pred_coef_Q8[], const opus_int16 ec_ix[],
                                   const opus_uint8 ec_rates_Q5[], const opus_int quant_step_size_Q16,
                                   const opus_int16 inv_quant_step_size_Q6, const opus_int32 mu_Q20,
                                   const opus_int16 order) {
    opus_int32 level_of[MAX_LPC_ORDER][STATES], from[MAX_LPC_ORDER][STATES];
    const v128_t step = splat(quant_step_size_Q16 & 0xFFFF), inverse = splat(inv_quant_step_size_Q6 & 0xFFFF);
    const v128_t mu = splat(mu_Q20 & 0xFFFF), identity = wasm_i32x4_const(0, 1, 2, 3);
    v128_t out = splat(0), rd = splat(0), rd_other = splat(0);
    int states = 1;

    celt_assert(order >= 3 && order <= MAX_LPC_ORDER);
#pragma clang loop unroll_count(2)
    for (int i = order - 1; i >= 0; i--) {
        v128_t rates = wasm_v128_load64_zero(&ec_rates_Q5[ec_ix[i]]), in = splat(x_Q10[i]), weight = splat(w_Q5[i]);
        v128_t predicted = wasm_i32x4_shr(wasm_i32x4_dot_i16x8(low16(out), splat(pred_coef_Q8[i])), 8);
        v128_t rest = wasm_i32x4_sub(in, predicted);
        v128_t level = wasm_i32x4_shr(wasm_i32x4_dot_i16x8(low16(rest), inverse), 16);
        level = wasm_i32x4_max(level, splat(-NLSF_QUANT_MAX_AMPLITUDE_EXT));
        level = wasm_i32x4_min(level, splat(NLSF_QUANT_MAX_AMPLITUDE_EXT - 1));
        v128_t next = wasm_i32x4_add(level, splat(1));

        v128_t out0 = wrap16(wasm_i32x4_add(output(level, step), predicted));
        v128_t out1 = wrap16(wasm_i32x4_add(output(next, step), predicted));
        v128_t error0 = low16(wasm_i32x4_sub(in, out0)), error1 = low16(wasm_i32x4_sub(in, out1));
        v128_t rd0 = wasm_i32x4_add(rd, wasm_i32x4_mul(wasm_i32x4_dot_i16x8(error0, error0), weight));
        v128_t rd1 = wasm_i32x4_add(rd, wasm_i32x4_mul(wasm_i32x4_dot_i16x8(error1, error1), weight));
        rd0 = wasm_i32x4_add(rd0, wasm_i32x4_dot_i16x8(low16(rate(level, rates)), mu));
        rd1 = wasm_i32x4_add(rd1, wasm_i32x4_dot_i16x8(low16(rate(next, rates)), mu));

        v128_t origin = identity;
        if (states < STATES) {
            /* Both levels are kept: twice as many states. */
            if (states == 1) {
                out = wasm_i32x4_shuffle(out0, out1, 0, 4, 0, 4);
                rd = wasm_i32x4_shuffle(rd0, rd1, 0, 4, 0, 4);
                level = wasm_i32x4_add(level, wasm_i32x4_const(0, 1, 0, 1));
                origin = splat(0);
            } else {
                out = wasm_i32x4_shuffle(out0, out1, 0, 1, 4, 5);
                rd = wasm_i32x4_shuffle(rd0, rd1, 0, 1, 4, 5);
                level = wasm_i32x4_shuffle(level, next, 0, 1, 4, 5);
                origin = wasm_i32x4_const(0, 1, 0, 1);
            }
            states *= 2;
        } else {
            v128_t swap = wasm_i32x4_gt(rd0, rd1);
            v128_t low = wasm_i32x4_min(rd0, rd1), high = wasm_i32x4_max(rd0, rd1);
            v128_t out_other = wasm_v128_bitselect(out0, out1, swap);
            v128_t upper = wasm_v128_and(swap, splat(1));
            out = wasm_v128_bitselect(out1, out0, swap);
            rd = low;
            rd_other = high;
            /* The best of the others takes the place of the worst, while it is better. */
#pragma clang loop unroll(full)
            for (int turn = 0; turn < STATES; turn++) {
                v128_t best = least(high), worst = wasm_i32x4_max(greatest(low), splat(0));
                if (wasm_i32x4_extract_lane(best, 0) >= wasm_i32x4_extract_lane(worst, 0)) {
                    break;
                }
                int source = lane_of(high, best), place = lane_of(low, worst);
                v128_t there = lane_mask(place);
                upper = wasm_v128_bitselect(wasm_v128_xor(lane_to_all(upper, source), splat(1)), upper, there);
                rd = wasm_v128_bitselect(lane_to_all(rd_other, source), rd, there);
                out = wasm_v128_bitselect(lane_to_all(out_other, source), out, there);
                origin = wasm_v128_bitselect(lane_to_all(origin, source), origin, there);
                level = wasm_v128_bitselect(lane_to_all(level, source), level, there);
                low = wasm_v128_andnot(low, there);
                high = wasm_v128_bitselect(splat(silk_int32_MAX), high, lane_mask(source));
            }
            level = wasm_i32x4_add(level, upper);
        }
        wasm_v128_store(level_of[i], level);
        wasm_v128_store(from[i], origin);
    }

    v128_t best = least(rd), best_other = least(rd_other);
    int state = lane_of(rd, best), more = 0;
    opus_int32 cost = wasm_i32x4_extract_lane(best, 0);
    if (wasm_i32x4_extract_lane(best_other, 0) < cost) {
        cost = wasm_i32x4_extract_lane(best_other, 0);
        state = lane_of(rd_other, best_other);
        more = 1;
    }
#pragma clang loop unroll_count(4)
    for (int i = 0; i < order; i++) {
        indices[i] = (opus_int8)level_of[i][state];
        state = from[i][state];
    }
    indices[0] += more;
    return cost;
}
