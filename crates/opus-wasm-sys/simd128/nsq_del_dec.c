/* Noise shaping quantizer with delayed decision: replaces silk/NSQ_del_dec.c. Exact.
 *
 * The encoder's most expensive part: for each sample, two to four candidate states are filtered, quantized and
 * ranked. One candidate is one lane of an i32x4, so that a sample costs the same with two candidates as with four.
 *
 * Three things differ from libopus's order of doing it, not in its results:
 *  - The warped shaping filter is one long chain of dependent multiplications; `shape` says how it is shortened.
 *  - Where a candidate is overwritten by another, libopus moves its whole history. Here the delayed samples stay
 *    where they were written and only `origin`, one byte a sample and candidate, is moved.
 *  - What follows from a candidate's quantized value is computed after the survivors are known, so once, not twice.
 */
#include "main.h"
#include "scaling.h"
#include "stack_alloc.h"
#include "fixed.h"

#define STATES MAX_DEL_DEC_STATES

typedef union {
    v128_t all;
    opus_int32 lane[STATES];
} lanes;

/* What is kept of a sample until its decision falls. */
typedef struct {
    lanes rand_state, q_Q10, xq_Q14, pred_Q15, shape_Q14;
} delayed;

typedef struct {
    v128_t history[MAX_SUB_FRAME_LENGTH + NSQ_LPC_BUF_LENGTH]; /* sLPC_Q14, flipped */
    lanes ar[MAX_SHAPE_LPC_ORDER + 1];                         /* sAR2_Q14, and room to read one ahead */
    lanes lf_ar, diff, seed, seed_init, rd;
    delayed samples[DECISION_DELAY];
    union {
        v128_t all[DECISION_DELAY / 4];
        opus_uint8 lane[DECISION_DELAY][STATES]; /* in which lane of `samples` each state's past lies */
        opus_uint32 word[DECISION_DELAY];
    } origin;
    opus_int32 delayed_gain[DECISION_DELAY];
    v128_t scratch;
    v128_t active; /* -1 in the lanes in use */
} states;

/* Factors of one subframe. */
typedef struct {
    factor lpc[MAX_LPC_ORDER];
    factor ar[MAX_SHAPE_LPC_ORDER];
    factor tilt, lf_low, lf_high;
    v128_t warp_hi, warp_lo, warp_half;
} factors;

typedef struct {
    opus_int32 lpc_order, shape_order;
    opus_int32 signal_type, lag, harm_shape, gain_Q10, lambda_Q10, offset_Q10;
    opus_int32 length, subframe, delay, newest;
} subframe;

#define IDENTITY 0x03020100u

/* A selector of bytes that puts lane `from` into lane `to` and leaves the others: for lanes of 32 bits … */
#define LANE(n) 4 * (n), 4 * (n) + 1, 4 * (n) + 2, 4 * (n) + 3
#define MOVES(f) {{{LANE(f), LANE(1), LANE(2), LANE(3)}}, {{LANE(0), LANE(f), LANE(2), LANE(3)}}, \
                  {{LANE(0), LANE(1), LANE(f), LANE(3)}}, {{LANE(0), LANE(1), LANE(2), LANE(f)}}}
typedef union {
    opus_uint8 byte[16];
    v128_t all;
} selector;
static const selector move_lane[STATES][STATES] = {MOVES(0), MOVES(1), MOVES(2), MOVES(3)};

/* … and the same for the bytes of `origin`. */
#define GROUPS(a, b, c, d) {{a, b, c, d, 4 + a, 4 + b, 4 + c, 4 + d, 8 + a, 8 + b, 8 + c, 8 + d, 12 + a, 12 + b, 12 + c, 12 + d}}
#define BYTE_MOVES(f) {GROUPS(f, 1, 2, 3), GROUPS(0, f, 2, 3), GROUPS(0, 1, f, 3), GROUPS(0, 1, 2, f)}
static const selector move_byte[STATES][STATES] = {BYTE_MOVES(0), BYTE_MOVES(1), BYTE_MOVES(2), BYTE_MOVES(3)};

static const selector splat_lane[STATES] = {
    {{LANE(0), LANE(0), LANE(0), LANE(0)}}, {{LANE(1), LANE(1), LANE(1), LANE(1)}},
    {{LANE(2), LANE(2), LANE(2), LANE(2)}}, {{LANE(3), LANE(3), LANE(3), LANE(3)}}};

INLINE v128_t splat(opus_int32 a) { return wasm_i32x4_splat(a); }

/* The first lane that equals the least (greatest) of them all. */
INLINE int lane_of_min(v128_t a) {
    v128_t m = wasm_i32x4_min(a, wasm_i32x4_shuffle(a, a, 2, 3, 0, 1));
    m = wasm_i32x4_min(m, wasm_i32x4_shuffle(m, m, 1, 0, 3, 2));
    return __builtin_ctz(wasm_i32x4_bitmask(wasm_i32x4_eq(a, m)));
}

/* Selector of the bytes of `samples[at]` that belong to each state's own past. */
INLINE v128_t origin_selector(const states *s, int at) {
    v128_t byte = wasm_i8x16_shuffle(splat((opus_int32)s->origin.word[at]), splat(0), 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2,
                                     3, 3, 3, 3);
    return wasm_i32x4_add(wasm_i32x4_shl(byte, 2), splat(IDENTITY));
}

/* Short-term prediction from a history, oldest first; without the shift to Q14. Taps beyond the order have a factor of
 * zero. */
INLINE v128_t predict(const v128_t *history, const factor *f, opus_int32 order, v128_t *scratch) {
    v128_t sum = splat(order >> 1);
    PIN(history);
#pragma clang loop unroll(full)
    for (int k = MAX_LPC_ORDER - 1; k >= 0; k--) { /* the newest sample, which is late, comes last */
        sum = wasm_i32x4_add(sum, mulwb_flipped(history[NSQ_LPC_BUF_LENGTH - 1 - k], f[k].hi, f[k].lo, f[k].bias));
        SETTLE(sum, scratch);
    }
    return sum;
}

/* Warped shaping filter: an allpass section after the other,
 *     t[0] = diff + W(s[0]),   t[j + 1] = s[j] + W(s[j + 1] - t[j]),   W(d) = (d * warp) >> 16,
 * and the sum of t[j] * ar[j]. What the sections hand on is d[j] = s[j + 1] - t[j]:
 *     d[j + 1] = (s[j + 2] - s[j]) - W(d[j]),
 * three instructions from one to the next: a multiplication, a shift and a subtraction. For that, d - 32768, which has
 * d's lower half flipped, is computed beside d and not from it. The warp is even, so that in W (see fixed.h) half of it
 * is added after the shift instead of 32768 times the whole before. */
INLINE v128_t shape(states *s, const factors *f, int order) {
    const v128_t bias = wasm_i32x4_const_splat(0x8000);
    v128_t hi = f->warp_hi, lo = f->warp_lo, half = f->warp_half;
    v128_t sum = splat(order >> 1);
    v128_t now = s->ar[0].all, next = s->ar[1].all;
    v128_t flipped = flip(now);
    v128_t w = wasm_i32x4_add(wasm_i32x4_add(wasm_i32x4_dot_i16x8(flipped, hi), half),
                              wasm_i32x4_shr(wasm_i32x4_dot_i16x8(flipped, lo), 16));
    v128_t part = wasm_i32x4_sub(next, w);
    v128_t part_low = wasm_i32x4_sub(part, bias);
    PIN(part);
    PIN(part_low);
    v128_t diff = s->diff.all;
    v128_t d = wasm_i32x4_sub(part, diff), low = wasm_i32x4_sub(part_low, diff);
    v128_t t = wasm_i32x4_add(w, diff);
#pragma clang loop unroll(full)
    for (int j = 0; j < order; j++) {
        sum = wasm_i32x4_add(sum, mulwb_flipped(flip(t), f->ar[j].hi, f->ar[j].lo, f->ar[j].bias));
        SETTLE(sum, &s->scratch);
        s->ar[j].all = t;
        if (j + 1 < order) {
            v128_t after = s->ar[j + 2].all, high = wasm_i32x4_dot_i16x8(d, hi);
            part = wasm_i32x4_sub(wasm_i32x4_sub(after, now), half);
            part_low = wasm_i32x4_sub(part, bias);
            PIN(part);
            PIN(part_low);
            PIN(high);
            part = wasm_i32x4_sub(part, high);
            part_low = wasm_i32x4_sub(part_low, high);
            v128_t shifted = wasm_i32x4_shr(wasm_i32x4_dot_i16x8(low, lo), 16);
            PIN(part);
            PIN(part_low);
            PIN(shifted);
            d = wasm_i32x4_sub(part, shifted);
            low = wasm_i32x4_sub(part_low, shifted);
            PIN(d);
            PIN(low);
            t = wasm_i32x4_sub(after, d);
            now = next;
            next = after;
        }
    }
    return sum;
}

INLINE void move_rows(lanes *row, const int count, v128_t move) {
#pragma clang loop unroll(full)
    for (int k = 0; k < count; k++) {
        row[k].all = wasm_i8x16_swizzle(row[k].all, move);
    }
}

/* Copies state `from` over state `to`: all that later samples look at. */
static __attribute__((noinline)) void overwrite(states *s, v128_t *history, int shape_order, int from, int to) {
    v128_t move = move_lane[from][to].all;
#pragma clang loop unroll(full)
    for (int k = 0; k < NSQ_LPC_BUF_LENGTH; k++) {
        history[k] = wasm_i8x16_swizzle(history[k], move);
    }
    move_rows(s->ar, 16, move);
    if (shape_order > 16) { /* all rows beyond the order are alike */
        move_rows(s->ar + 16, MAX_SHAPE_LPC_ORDER - 16, move);
    }
    s->seed_init.all = wasm_i8x16_swizzle(s->seed_init.all, move);
    move = move_byte[from][to].all;
#pragma clang loop unroll(full)
    for (int k = 0; k < DECISION_DELAY / 4; k++) {
        s->origin.all[k] = wasm_i8x16_swizzle(s->origin.all[k], move);
    }
}

/* The decided sample `at` of state `winner`, to the output and the long-term shaping state. */
INLINE void put(const states *s, int winner, int at, opus_int32 gain, int shift, opus_int8 *pulse, opus_int16 *xq,
                opus_int32 *shape_Q14) {
    int lane = s->origin.lane[at][winner];
    const delayed *d = &s->samples[at];
    *pulse = (opus_int8)silk_RSHIFT_ROUND(d->q_Q10.lane[lane], 10);
    *xq = (opus_int16)silk_SAT16(silk_RSHIFT_ROUND(silk_SMULWW(d->xq_Q14.lane[lane], gain), shift));
    *shape_Q14 = d->shape_Q14.lane[lane];
}

INLINE void quantize(silk_nsq_state *NSQ, states *s, const factors *f, subframe *p, const opus_int32 *x_Q10,
                     opus_int8 *pulses, opus_int16 *xq, opus_int32 *sLTP_Q15, const opus_int16 *b_Q14, int shape_order) {
    const opus_int32 *shp_lag = &NSQ->sLTP_shp_Q14[NSQ->sLTP_shp_buf_idx - p->lag + HARM_SHAPE_FIR_TAPS / 2];
    const opus_int32 *pred_lag = &sLTP_Q15[NSQ->sLTP_buf_idx - p->lag + LTP_ORDER / 2];
    const v128_t offset = splat(p->offset_Q10), lambda = splat(p->lambda_Q10 & 0xFFFF);
    const v128_t expired = splat(silk_int32_MAX >> 4);
    int newest = p->newest;

    for (int i = 0; i < p->length; i++) {
        /* Long-term prediction and shaping: the same for all states. */
        opus_int32 ltp_pred = 0, n_ltp = 0;
        if (p->signal_type == TYPE_VOICED) {
            ltp_pred = 2;
            ltp_pred = silk_SMLAWB(ltp_pred, pred_lag[0], b_Q14[0]);
            ltp_pred = silk_SMLAWB(ltp_pred, pred_lag[-1], b_Q14[1]);
            ltp_pred = silk_SMLAWB(ltp_pred, pred_lag[-2], b_Q14[2]);
            ltp_pred = silk_SMLAWB(ltp_pred, pred_lag[-3], b_Q14[3]);
            ltp_pred = silk_SMLAWB(ltp_pred, pred_lag[-4], b_Q14[4]);
            ltp_pred = silk_LSHIFT(ltp_pred, 1);
            pred_lag++;
        }
        if (p->lag > 0) {
            n_ltp = silk_SMULWB(silk_ADD_SAT32(shp_lag[0], shp_lag[-2]), p->harm_shape);
            n_ltp = silk_SMLAWT(n_ltp, shp_lag[-1], p->harm_shape);
            n_ltp = silk_SUB_LSHIFT32(ltp_pred, n_ltp, 2);
            shp_lag++;
        }

        /* Dither. */
        v128_t seed = wasm_i32x4_add(wasm_i32x4_mul(s->seed.all, splat(RAND_MULTIPLIER)), splat(RAND_INCREMENT));

        v128_t lpc = wasm_i32x4_shl(predict(&s->history[i], f->lpc, p->lpc_order, &s->scratch), 4);
        v128_t lf_ar = flip(s->lf_ar.all);
        v128_t n_lf = wasm_i32x4_add(mulwb(s->samples[newest].shape_Q14.all, f->lf_low),
                                     mulwb_flipped(lf_ar, f->lf_high.hi, f->lf_high.lo, f->lf_high.bias));
        n_lf = wasm_i32x4_shl(n_lf, 2);
        v128_t n_ar = wasm_i32x4_shl(shape(s, f, shape_order), 1);
        n_ar = wasm_i32x4_add(n_ar, mulwb_flipped(lf_ar, f->tilt.hi, f->tilt.lo, f->tilt.bias));
        n_ar = wasm_i32x4_shl(n_ar, 2);

        /* Residual: input minus prediction plus noise feedback, negated where the dither says so. From here on it is
         * without the offset. */
        v128_t sign = wasm_i32x4_shr(seed, 31), adjust = splat(QUANT_LEVEL_ADJUST_Q10);
        v128_t feedback = wasm_i32x4_shr(sub_sat(wasm_i32x4_add(splat(n_ltp), lpc), add_sat(n_lf, n_ar)), 3);
        feedback = wasm_i32x4_add(feedback, splat(1)); /* rounded: twice the value */
        PIN(feedback);
        v128_t r = wasm_v128_xor(splat(x_Q10[i]), sign);
        PIN(r);
        r = wasm_i32x4_sub(r, wasm_v128_xor(wasm_i32x4_shr(feedback, 1), sign));
        r = wasm_i32x4_sub(wasm_i32x4_max(wasm_i32x4_min(r, splat(30 << 10)), splat(-(31 << 10))), offset);
        SETTLE(r, &s->scratch);

        /* The two quantization levels around it … */
        v128_t q = wasm_i32x4_shr(r, 10), above = wasm_v128_and(r, splat(1023));
        if (p->lambda_Q10 > 2048) {
            /* Aggressive rate-distortion optimization: levels are biased towards zero by more than a pulse. */
            v128_t bias = splat(p->lambda_Q10 / 2 - 512);
            v128_t minus = wasm_i32x4_shr(r, 31);
            v128_t less = wasm_i32x4_sub(wasm_i32x4_abs(r), bias);
            q = wasm_v128_bitselect(wasm_i32x4_shr(negate_if(less, minus), 10), minus, wasm_i32x4_gt(less, splat(0)));
            above = wasm_i32x4_sub(r, wasm_i32x4_shl(q, 10));
        }
        v128_t minus = wasm_i32x4_shr(q, 31);
        v128_t inner = wasm_i32x4_eq(q, minus); /* the level is 0 or -1: no adjustment in between */
        v128_t moved = wasm_i32x4_sub(wasm_v128_and(minus, adjust), wasm_v128_and(wasm_i32x4_gt(q, splat(0)), adjust));
        v128_t step = wasm_i32x4_sub(splat(1024), wasm_v128_and(inner, adjust));
        PIN(moved);
        PIN(step);
        v128_t q1 = wasm_i32x4_add(wasm_i32x4_add(wasm_i32x4_shl(q, 10), offset), moved), q2 = wasm_i32x4_add(q1, step);

        /* … and what they cost in bits and distortion. */
        v128_t low_half = splat(0xFFFF);
        v128_t rr1 = wasm_i32x4_sub(above, moved), rr2 = wasm_i32x4_sub(rr1, step);
        v128_t rd1 = wasm_i32x4_add(wasm_i32x4_dot_i16x8(wasm_i32x4_abs(q1), lambda),
                                    wasm_i32x4_dot_i16x8(rr1, wasm_v128_and(rr1, low_half)));
        v128_t rd2 = wasm_i32x4_add(wasm_i32x4_dot_i16x8(wasm_i32x4_abs(q2), lambda),
                                    wasm_i32x4_dot_i16x8(rr2, wasm_v128_and(rr2, low_half)));
        rd1 = wasm_i32x4_shr(rd1, 10);
        rd2 = wasm_i32x4_shr(rd2, 10);
        v128_t one_first = wasm_i32x4_lt(rd1, rd2);
        v128_t q_best = wasm_v128_bitselect(q1, q2, one_first);
        v128_t q_other = wasm_v128_bitselect(q2, q1, one_first);
        v128_t rd_best = wasm_i32x4_add(s->rd.all, wasm_i32x4_min(rd1, rd2));
        v128_t rd_other = wasm_i32x4_add(s->rd.all, wasm_i32x4_max(rd1, rd2));

        newest = newest == 0 ? DECISION_DELAY - 1 : newest - 1;
        int last = newest + p->delay;
        last = last >= DECISION_DELAY ? last - DECISION_DELAY : last;

        /* The winner decides the oldest sample; states that disagree with it about that sample are out. */
        v128_t never = splat(silk_int32_MAX);
        int winner = lane_of_min(wasm_v128_bitselect(rd_best, never, s->active));
        v128_t past = wasm_i8x16_swizzle(s->samples[last].rand_state.all, origin_selector(s, last));
        v128_t disagree = wasm_i32x4_ne(past, wasm_i8x16_swizzle(past, splat_lane[winner].all));
        disagree = wasm_v128_and(disagree, expired);
        rd_best = wasm_i32x4_add(rd_best, disagree);
        rd_other = wasm_i32x4_add(rd_other, disagree);

        int out = s->origin.lane[last][winner];

        /* The worst state gives way to the best second choice, if that is better. */
        lanes best, other;
        best.all = rd_best;
        other.all = rd_other;
        int worst = lane_of_min(wasm_v128_bitselect(wasm_v128_not(rd_best), never, s->active));
        int second = lane_of_min(wasm_v128_bitselect(rd_other, never, s->active));
        if (other.lane[second] < best.lane[worst]) {
            v128_t move = move_lane[second][worst].all;
            v128_t to = wasm_i8x16_eq(splat_lane[worst].all, wasm_i8x16_const(LANE(0), LANE(1), LANE(2), LANE(3)));
            q_best = wasm_v128_bitselect(wasm_i8x16_swizzle(q_other, move), q_best, to);
            rd_best = wasm_v128_bitselect(wasm_i8x16_swizzle(rd_other, move), rd_best, to);
            seed = wasm_i8x16_swizzle(seed, move);
            lpc = wasm_i8x16_swizzle(lpc, move);
            n_ar = wasm_i8x16_swizzle(n_ar, move);
            n_lf = wasm_i8x16_swizzle(n_lf, move);
            overwrite(s, &s->history[i], shape_order, second, worst);
        }

        /* The winner's sample to the output and the long-term states. */
        if (p->subframe > 0 || i >= p->delay) {
            const delayed *d = &s->samples[last];
            pulses[i - p->delay] = (opus_int8)silk_RSHIFT_ROUND(d->q_Q10.lane[out], 10);
            xq[i - p->delay] = (opus_int16)silk_SAT16(
                silk_RSHIFT_ROUND(silk_SMULWW(d->xq_Q14.lane[out], s->delayed_gain[last]), 8));
            NSQ->sLTP_shp_Q14[NSQ->sLTP_shp_buf_idx - p->delay] = d->shape_Q14.lane[out];
            sLTP_Q15[NSQ->sLTP_buf_idx - p->delay] = d->pred_Q15.lane[out];
        }
        NSQ->sLTP_shp_buf_idx++;
        NSQ->sLTP_buf_idx++;

        /* Excitation, signal and filter states of the survivors. */
        v128_t early = wasm_i32x4_sub(splat(ltp_pred), wasm_i32x4_shr(seed, 31));
        PIN(early);
        v128_t early_diff = wasm_i32x4_add(early, wasm_i32x4_sub(lpc, splat(silk_LSHIFT32(x_Q10[i], 4))));
        PIN(early_diff);
        v128_t exc = wasm_v128_xor(wasm_i32x4_shl(q_best, 4), wasm_i32x4_shr(seed, 31));
        v128_t lpc_exc = wasm_i32x4_add(exc, early);
        v128_t xq_Q14 = wasm_i32x4_add(lpc_exc, lpc);
        v128_t diff = wasm_i32x4_add(exc, early_diff);
        v128_t lf = wasm_i32x4_sub(diff, n_ar);
        seed = wasm_i32x4_add(seed, shr_round(q_best, 10));
        s->diff.all = diff;
        s->lf_ar.all = lf;
        s->history[NSQ_LPC_BUF_LENGTH + i] = flip(xq_Q14);
        s->seed.all = seed;
        s->rd.all = rd_best;
        delayed *d = &s->samples[newest];
        d->rand_state.all = seed;
        d->q_Q10.all = q_best;
        d->xq_Q14.all = xq_Q14;
        d->pred_Q15.all = wasm_i32x4_shl(lpc_exc, 1);
        d->shape_Q14.all = sub_sat(lf, n_lf);
        s->origin.word[newest] = IDENTITY;
        s->delayed_gain[newest] = p->gain_Q10;
    }
    p->newest = newest;
#pragma clang loop unroll(full)
    for (int k = 0; k < NSQ_LPC_BUF_LENGTH; k++) {
        s->history[k] = s->history[p->length + k];
    }
}

/* One specialized copy for each order that libopus sets with warping, one for all others. */
#define QUANTIZE(name, order)                                                                                       \
    static __attribute__((noinline)) void name(silk_nsq_state *NSQ, states *s, const factors *f, subframe *p,       \
                                               const opus_int32 *x_Q10, opus_int8 *pulses, opus_int16 *xq,          \
                                               opus_int32 *sLTP_Q15, const opus_int16 *b_Q14) {                     \
        quantize(NSQ, s, f, p, x_Q10, pulses, xq, sLTP_Q15, b_Q14, order);                                          \
    }
QUANTIZE(quantize_24, 24)
QUANTIZE(quantize_20, 20)
QUANTIZE(quantize_16, 16)
QUANTIZE(quantize_any, p->shape_order)

static void scale_states(const silk_encoder_state *psEncC, silk_nsq_state *NSQ, states *s, const opus_int16 *x16,
                         opus_int32 *x_sc_Q10, const opus_int16 *sLTP, opus_int32 *sLTP_Q15, int k,
                         opus_int LTP_scale_Q14, opus_int32 gain_Q16, int lag, int signal_type, int delay) {
    opus_int32 inv_gain_Q31 = silk_INVERSE32_varQ(silk_max(gain_Q16, 1), 47);
    v128_t inv_gain_Q26 = splat(silk_RSHIFT_ROUND(inv_gain_Q31, 5));
#pragma clang loop unroll_count(5)
    for (int i = 0; i < psEncC->subfr_length; i += 4) { /* a subframe is 40, 60 or 80 samples */
        wasm_v128_store(&x_sc_Q10[i], mulww(wasm_i32x4_load16x4(&x16[i]), inv_gain_Q26));
    }

    /* After rewhitening, the long-term state is not scaled yet. */
    if (NSQ->rewhite_flag) {
        if (k == 0) {
            inv_gain_Q31 = silk_LSHIFT(silk_SMULWB(inv_gain_Q31, LTP_scale_Q14), 2);
        }
        int start = NSQ->sLTP_buf_idx - lag - LTP_ORDER / 2;
        sidetone_scale_samples(&sLTP_Q15[start], &sLTP[start], NSQ->sLTP_buf_idx - start, inv_gain_Q31);
    }

    if (gain_Q16 == NSQ->prev_gain_Q16) {
        return;
    }
    opus_int32 adjust_Q16 = silk_DIV32_varQ(NSQ->prev_gain_Q16, gain_Q16, 16);
    v128_t adjust = splat(adjust_Q16);
    sidetone_scale(&NSQ->sLTP_shp_Q14[NSQ->sLTP_shp_buf_idx - psEncC->ltp_mem_length], psEncC->ltp_mem_length, adjust_Q16);
    if (signal_type == TYPE_VOICED && NSQ->rewhite_flag == 0) {
        int start = NSQ->sLTP_buf_idx - lag - LTP_ORDER / 2;
        sidetone_scale(&sLTP_Q15[start], NSQ->sLTP_buf_idx - delay - start, adjust_Q16);
    }
    s->lf_ar.all = mulww(s->lf_ar.all, adjust);
    s->diff.all = mulww(s->diff.all, adjust);
    for (int i = 0; i < NSQ_LPC_BUF_LENGTH; i++) {
        s->history[i] = flip(mulww(flip(s->history[i]), adjust));
    }
    for (int i = 0; i < MAX_SHAPE_LPC_ORDER; i++) {
        s->ar[i].all = mulww(s->ar[i].all, adjust);
    }
#pragma clang loop unroll_count(4)
    for (int i = 0; i < DECISION_DELAY; i++) {
        s->samples[i].pred_Q15.all = mulww(s->samples[i].pred_Q15.all, adjust);
        s->samples[i].shape_Q14.all = mulww(s->samples[i].shape_Q14.all, adjust);
    }
    NSQ->prev_gain_Q16 = gain_Q16;
}

static void set_factors(factors *f, const opus_int16 *a_Q12, int lpc_order, const opus_int16 *ar_Q13, int shape_order,
                        opus_int tilt_Q14, opus_int32 lf_shp_Q14, opus_int warping_Q16) {
#pragma clang loop unroll_count(4)
    for (int k = 0; k < MAX_LPC_ORDER; k++) {
        f->lpc[k] = factor_splat(k < lpc_order ? a_Q12[k] : 0);
    }
#pragma clang loop unroll_count(4)
    for (int k = 0; k < shape_order; k++) {
        f->ar[k] = factor_splat(ar_Q13[k]);
    }
    f->tilt = factor_splat(tilt_Q14);
    f->lf_low = factor_splat(lf_shp_Q14);
    f->lf_high = factor_splat(lf_shp_Q14 >> 16);
    f->warp_hi = splat((opus_int32)((opus_uint32)warping_Q16 << 16));
    f->warp_lo = splat(warping_Q16 & 0xFFFF);
    f->warp_half = splat(warping_Q16 >> 1);
}

static int winner_of(const states *s) {
    return lane_of_min(wasm_v128_bitselect(s->rd.all, splat(silk_int32_MAX), s->active));
}

void silk_NSQ_del_dec_c(const silk_encoder_state *psEncC, silk_nsq_state *NSQ, SideInfoIndices *psIndices,
                        const opus_int16 x16[], opus_int8 pulses[], const opus_int16 *PredCoef_Q12,
                        const opus_int16 LTPCoef_Q14[LTP_ORDER * MAX_NB_SUBFR],
                        const opus_int16 AR_Q13[MAX_NB_SUBFR * MAX_SHAPE_LPC_ORDER],
                        const opus_int HarmShapeGain_Q14[MAX_NB_SUBFR], const opus_int Tilt_Q14[MAX_NB_SUBFR],
                        const opus_int32 LF_shp_Q14[MAX_NB_SUBFR], const opus_int32 Gains_Q16[MAX_NB_SUBFR],
                        const opus_int pitchL[MAX_NB_SUBFR], const opus_int Lambda_Q10, const opus_int LTP_scale_Q14) {
    states all_states, *s = &all_states;
    factors f;
    subframe p;
    opus_int32 x_sc_Q10[MAX_SUB_FRAME_LENGTH];
    opus_int32 sLTP_Q15[2 * MAX_FRAME_LENGTH];
    opus_int16 sLTP[2 * MAX_FRAME_LENGTH];
    const int ltp_mem = psEncC->ltp_mem_length;
    const int voiced = psIndices->signalType == TYPE_VOICED;
    int lag = NSQ->lagPrev; /* where unvoiced, the previous one */

    celt_assert(psEncC->nStatesDelayedDecision > 0 && psEncC->nStatesDelayedDecision <= STATES);
    celt_assert((psEncC->warping_Q16 & 1) == 0);
    celt_assert((psEncC->shapingLPCOrder & 1) == 0);

    s->active = wasm_i32x4_lt(wasm_i32x4_const(0, 1, 2, 3), splat(psEncC->nStatesDelayedDecision));
    s->seed.all = wasm_v128_and(wasm_i32x4_add(wasm_i32x4_const(0, 1, 2, 3), splat(psIndices->Seed)), splat(3));
    s->seed_init.all = s->seed.all;
    s->rd.all = splat(0);
    s->lf_ar.all = splat(NSQ->sLF_AR_shp_Q14);
    s->diff.all = splat(NSQ->sDiff_shp_Q14);
    silk_memset(s->samples, 0, sizeof(s->samples));
    s->samples[0].shape_Q14.all = splat(NSQ->sLTP_shp_Q14[ltp_mem - 1]);
    for (int i = 0; i < DECISION_DELAY; i++) {
        s->origin.word[i] = IDENTITY;
    }
    for (int i = 0; i < NSQ_LPC_BUF_LENGTH; i++) {
        s->history[i] = flip(splat(NSQ->sLPC_Q14[i]));
    }
    for (int i = 0; i < MAX_SHAPE_LPC_ORDER; i++) {
        s->ar[i].all = splat(NSQ->sAR2_Q14[i]);
    }
    s->ar[MAX_SHAPE_LPC_ORDER].all = splat(0);

    p.lpc_order = psEncC->predictLPCOrder;
    p.shape_order = psEncC->shapingLPCOrder;
    p.signal_type = psIndices->signalType;
    p.lambda_Q10 = Lambda_Q10;
    p.offset_Q10 = silk_Quantization_Offsets_Q10[psIndices->signalType >> 1][psIndices->quantOffsetType];
    p.length = psEncC->subfr_length;
    p.subframe = 0;
    p.newest = 0;

    /* A sample is decided before the pitch lag needs it. */
    p.delay = silk_min_int(DECISION_DELAY, psEncC->subfr_length);
    if (voiced) {
        for (int k = 0; k < psEncC->nb_subfr; k++) {
            p.delay = silk_min_int(p.delay, pitchL[k] - LTP_ORDER / 2 - 1);
        }
    } else if (lag > 0) {
        p.delay = silk_min_int(p.delay, lag - LTP_ORDER / 2 - 1);
    }

    const int interpolated = psIndices->NLSFInterpCoef_Q2 != 4;
    opus_int16 *pxq = &NSQ->xq[ltp_mem];
    NSQ->sLTP_shp_buf_idx = ltp_mem;
    NSQ->sLTP_buf_idx = ltp_mem;

    for (int k = 0; k < psEncC->nb_subfr; k++) {
        const opus_int16 *A_Q12 = &PredCoef_Q12[((k >> 1) | (1 - interpolated)) * MAX_LPC_ORDER];

        NSQ->rewhite_flag = 0;
        if (voiced) {
            lag = pitchL[k];
            if ((k & (3 - 2 * interpolated)) == 0) {
                if (k == 2) {
                    /* New filter: all states start again from the winner. */
                    int winner = winner_of(s);
                    v128_t others = wasm_i32x4_ne(wasm_i32x4_const(0, 1, 2, 3), splat(winner));
                    s->rd.all = wasm_i32x4_add(s->rd.all, wasm_v128_and(others, splat(silk_int32_MAX >> 4)));
                    int at = p.newest + p.delay;
                    for (int i = 0; i < p.delay; i++) {
                        at = at % DECISION_DELAY == 0 ? DECISION_DELAY - 1 : at % DECISION_DELAY - 1;
                        put(s, winner, at, Gains_Q16[1], 14, &pulses[i - p.delay], &pxq[i - p.delay],
                            &NSQ->sLTP_shp_Q14[NSQ->sLTP_shp_buf_idx - p.delay + i]);
                    }
                    p.subframe = 0;
                }
                int start = ltp_mem - lag - psEncC->predictLPCOrder - LTP_ORDER / 2;
                celt_assert(start > 0);
                silk_LPC_analysis_filter(&sLTP[start], &NSQ->xq[start + k * psEncC->subfr_length], A_Q12,
                                         ltp_mem - start, psEncC->predictLPCOrder, psEncC->arch);
                NSQ->sLTP_buf_idx = ltp_mem;
                NSQ->rewhite_flag = 1;
            }
        }

        scale_states(psEncC, NSQ, s, x16, x_sc_Q10, sLTP, sLTP_Q15, k, LTP_scale_Q14, Gains_Q16[k], pitchL[k],
                     psIndices->signalType, p.delay);
        set_factors(&f, A_Q12, psEncC->predictLPCOrder, &AR_Q13[k * MAX_SHAPE_LPC_ORDER], psEncC->shapingLPCOrder,
                    Tilt_Q14[k], LF_shp_Q14[k], psEncC->warping_Q16);
        p.lag = lag;
        p.harm_shape = silk_RSHIFT(HarmShapeGain_Q14[k], 2);
        p.harm_shape |= silk_LSHIFT((opus_int32)silk_RSHIFT(HarmShapeGain_Q14[k], 1), 16);
        p.gain_Q10 = silk_RSHIFT(Gains_Q16[k], 6);

        const opus_int16 *b_Q14 = &LTPCoef_Q14[k * LTP_ORDER];
        switch (psEncC->shapingLPCOrder) {
        case 24: quantize_24(NSQ, s, &f, &p, x_sc_Q10, pulses, pxq, sLTP_Q15, b_Q14); break;
        case 20: quantize_20(NSQ, s, &f, &p, x_sc_Q10, pulses, pxq, sLTP_Q15, b_Q14); break;
        case 16: quantize_16(NSQ, s, &f, &p, x_sc_Q10, pulses, pxq, sLTP_Q15, b_Q14); break;
        default: quantize_any(NSQ, s, &f, &p, x_sc_Q10, pulses, pxq, sLTP_Q15, b_Q14); break;
        }
        p.subframe++;
        x16 += psEncC->subfr_length;
        pulses += psEncC->subfr_length;
        pxq += psEncC->subfr_length;
    }

    int winner = winner_of(s);
    psIndices->Seed = (opus_int8)s->seed_init.lane[winner];
    int at = p.newest + p.delay;
    for (int i = 0; i < p.delay; i++) {
        at = at % DECISION_DELAY == 0 ? DECISION_DELAY - 1 : at % DECISION_DELAY - 1;
        put(s, winner, at, silk_RSHIFT32(Gains_Q16[psEncC->nb_subfr - 1], 6), 8, &pulses[i - p.delay],
            &pxq[i - p.delay], &NSQ->sLTP_shp_Q14[NSQ->sLTP_shp_buf_idx - p.delay + i]);
    }
    for (int i = 0; i < NSQ_LPC_BUF_LENGTH; i++) {
        lanes history = {flip(s->history[i])};
        NSQ->sLPC_Q14[i] = history.lane[winner];
    }
    for (int i = 0; i < MAX_SHAPE_LPC_ORDER; i++) {
        NSQ->sAR2_Q14[i] = s->ar[i].lane[winner];
    }
    NSQ->sLF_AR_shp_Q14 = s->lf_ar.lane[winner];
    NSQ->sDiff_shp_Q14 = s->diff.lane[winner];
    NSQ->lagPrev = pitchL[psEncC->nb_subfr - 1];
    silk_memmove(NSQ->xq, &NSQ->xq[psEncC->frame_length], ltp_mem * sizeof(opus_int16));
    silk_memmove(NSQ->sLTP_shp_Q14, &NSQ->sLTP_shp_Q14[psEncC->frame_length], ltp_mem * sizeof(opus_int32));
}
