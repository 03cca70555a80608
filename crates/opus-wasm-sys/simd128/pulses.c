/* CELT's vectors of pulses: see pulses.h, which says what each does. */
#include "celt_kernels.h"
#include "turns.h"

/* What a band is searched in: sizes, and twice the pulses found; past the last dimension is none that could be the best. */
typedef struct {
    float x[SIDETONE_BAND + 4], y[SIDETONE_BAND + 4];
} band;

/* The best candidates so far, lane by lane. */
typedef struct {
    v128_t score, index;
} best;

/* Four candidates more: (xy + x[j])^2 / (yy + y[j]). The first of equal ones stays. */
INLINE void four(best *b, const band *d, int j, v128_t xy, v128_t yy) {
    v128_t to = wasm_f32x4_add(xy, wasm_v128_load(d->x + j));
    v128_t score = wasm_f32x4_div(wasm_f32x4_mul(to, to), wasm_f32x4_add(yy, wasm_v128_load(d->y + j)));
    v128_t index = wasm_i32x4_add(wasm_i32x4_splat(j), wasm_i32x4_const(0, 1, 2, 3));
    b->index = wasm_v128_bitselect(index, b->index, wasm_f32x4_gt(score, b->score));
    b->score = wasm_f32x4_pmax(b->score, score);
}

INLINE v128_t swap_pairs(v128_t a) { return wasm_i32x4_shuffle(a, a, 2, 3, 0, 1); }
INLINE v128_t swap_neighbours(v128_t a) { return wasm_i32x4_shuffle(a, a, 1, 0, 3, 2); }

static int best_dimension(const band *d, int n, float xy_, float yy_) {
    const v128_t xy = wasm_f32x4_splat(xy_), yy = wasm_f32x4_splat(yy_), none = wasm_i32x4_const_splat(0);
    best a = {none, none}, b = a;
    int j = 0;
    for (; j + 32 <= n; j += 32) {
#pragma clang loop unroll(full)
        for (int k = 0; k < 32; k += 8) {
            four(&a, d, j + k, xy, yy);
            four(&b, d, j + k + 4, xy, yy);
        }
    }
    if (j + 16 <= n) {
        four(&a, d, j, xy, yy);
        four(&b, d, j + 4, xy, yy);
        four(&a, d, j + 8, xy, yy);
        four(&b, d, j + 12, xy, yy);
        j += 16;
    }
    if (j + 8 <= n) {
        four(&a, d, j, xy, yy);
        four(&b, d, j + 4, xy, yy);
        j += 8;
    }
    if (j < n) {
        four(&a, d, j, xy, yy);
        j += 4;
    }
    if (j < n) {
        four(&b, d, j, xy, yy);
    }
    /* The first of those with the greatest score; where no score is above zero, the first of all. */
    v128_t most = wasm_f32x4_pmax(a.score, b.score);
    most = wasm_f32x4_pmax(most, swap_pairs(most));
    most = wasm_f32x4_pmax(most, swap_neighbours(most));
    const v128_t last = wasm_i32x4_const_splat(0x7FFFFFFF);
    v128_t first = wasm_i32x4_min(wasm_v128_bitselect(a.index, last, wasm_f32x4_eq(a.score, most)),
                                  wasm_v128_bitselect(b.index, last, wasm_f32x4_eq(b.score, most)));
    first = wasm_i32x4_min(first, swap_pairs(first));
    first = wasm_i32x4_min(first, swap_neighbours(first));
    return wasm_i32x4_extract_lane(first, 0);
}

/* The lanes of a vector that are dimensions: from j to n - 1. */
INLINE v128_t lanes(int j, int n) {
    return wasm_i32x4_lt(wasm_i32x4_const(0, 1, 2, 3), wasm_i32x4_splat(n - j));
}

/* The first pulses, by projection; what is missing yet. */
static int project(band *d, int *iy, int K, int n, float *xy_, float *yy_) {
    v128_t sums = wasm_f32x4_const_splat(0), xy = sums, yy = sums, used = sums;
#pragma clang loop unroll_count(4)
    for (int j = 0; j < n; j += 4) {
        sums = wasm_f32x4_add(sums, wasm_v128_load(d->x + j));
    }
    float sum = sidetone_sum(sums);
    if (!(sum > 1e-15f && sum < 64)) { /* silence, or no numbers: one pulse at the first */
        for (int j = 0; j < n; j += 4) {
            wasm_v128_store(d->x + j, wasm_f32x4_const_splat(0));
        }
        d->x[0] = sum = 1;
    }
    const v128_t gain = wasm_f32x4_splat((K + .8f) * (1.f / sum));
#pragma clang loop unroll_count(4)
    for (int j = 0; j < n; j += 4) {
        v128_t x = wasm_v128_load(d->x + j), pulses = wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_mul(gain, x));
        v128_t y = wasm_f32x4_convert_i32x4(pulses);
        wasm_v128_store(iy + j, pulses);
        wasm_v128_store(d->y + j, wasm_f32x4_add(y, y));
        yy = wasm_f32x4_add(yy, wasm_f32x4_mul(y, y));
        xy = wasm_f32x4_add(xy, wasm_f32x4_mul(x, y));
        used = wasm_i32x4_add(used, pulses);
    }
    *xy_ = sidetone_sum(xy);
    *yy_ = sidetone_sum(yy);
    used = wasm_i32x4_add(used, swap_pairs(used));
    return K - wasm_i32x4_extract_lane(used, 0) - wasm_i32x4_extract_lane(used, 1);
}

float sidetone_pvq_search(const float *x, int *iy, int K, int N) {
    const v128_t none = wasm_i32x4_const_splat(0);
    band d;
    float xy = 0, yy = 0;
    int left = K, j = 0;
    if (N > SIDETONE_BAND) {
        __builtin_trap();
    }
#pragma clang loop unroll_count(4)
    for (; j + 4 <= N; j += 4) {
        wasm_v128_store(d.x + j, wasm_f32x4_abs(wasm_v128_load(x + j)));
        wasm_v128_store(d.y + j, none);
        wasm_v128_store(iy + j, none);
    }
    const v128_t within = lanes(j, N);
    if (j < N) {
        v128_t rest = wasm_v128_and(wasm_v128_load(x + j), within); /* past the end lies other memory of the module */
        wasm_v128_store(d.x + j, wasm_f32x4_abs(rest));
        wasm_v128_store(d.y + j, none);
        wasm_v128_store(iy + j, none);
    }
    if (K > N / 2) {
        left = project(&d, iy, K, N, &xy, &yy);
    }
    if (left > N + 3) { /* where the numbers are none */
        yy += (float)left * left + left * d.y[0];
        iy[0] += left;
        left = 0;
    }
    if (j < N) {
        v128_t never = wasm_v128_bitselect(wasm_v128_load(d.y + j), wasm_f32x4_const_splat(__builtin_inff()), within);
        wasm_v128_store(d.y + j, never);
    }
    for (; left > 0; left--) {
        yy += 1;
        int at = best_dimension(&d, N, xy, yy);
        xy += d.x[at];
        yy += d.y[at];
        d.y[at] += 2;
        iy[at]++;
    }
#pragma clang loop unroll_count(4)
    for (j = 0; j < N; j += 4) {
        v128_t sign = wasm_f32x4_lt(wasm_v128_load(x + j), none);
        wasm_v128_store(iy + j, wasm_i32x4_sub(wasm_v128_xor(wasm_v128_load(iy + j), sign), sign));
    }
    return yy;
}

/* Both by their series, one a lane: to x^16 and x^17, which is a double's precision up to an eighth of a turn. */
void sidetone_angle(float theta, float *c, float *s) {
    static const double TERMS[][2] = {
        {-1. / 2, -1. / 6},
        {1. / 24, 1. / 120},
        {-1. / 720, -1. / 5040},
        {1. / 40320, 1. / 362880},
        {-1. / 3628800, -1. / 39916800},
        {1. / 479001600, 1. / 6227020800},
        {-1. / 87178291200, -1. / 1307674368000},
        {1. / 20922789888000, 1. / 355687428096000},
    };
    /* libopus has the cosine of 1 - theta, as a float, for the sine. */
    const v128_t x = wasm_f64x2_mul(wasm_f64x2_make(theta, 1 - (double)(1 - theta)), wasm_f64x2_const_splat(1.57079632679489661923));
    const v128_t square = wasm_f64x2_mul(x, x);
    v128_t sum = wasm_v128_load(TERMS[7]);
#pragma clang loop unroll(full)
    for (int k = 6; k >= 0; k--) {
        sum = wasm_f64x2_add(wasm_f64x2_mul(sum, square), wasm_v128_load(TERMS[k]));
    }
    sum = wasm_f64x2_add(wasm_f64x2_mul(sum, square), wasm_f64x2_const_splat(1));
    *c = (float)wasm_f64x2_extract_lane(sum, 0);
    *s = (float)(wasm_f64x2_extract_lane(x, 1) * wasm_f64x2_extract_lane(sum, 1));
}

/* The first n with (n^2 + n) * stride + stride / 4 >= len, of 1 to 17: one more than those for which it is not. */
int sidetone_second_stride(int len, int stride) {
    const v128_t limit = wasm_i16x8_splat((short)(len - (stride >> 2))), each = wasm_i16x8_splat((short)stride);
    v128_t low = wasm_i16x8_lt(wasm_i16x8_mul(each, wasm_i16x8_const(2, 6, 12, 20, 30, 42, 56, 72)), limit);
    v128_t high = wasm_i16x8_lt(wasm_i16x8_mul(each, wasm_i16x8_const(90, 110, 132, 156, 182, 210, 240, 272)), limit);
    return 1 + __builtin_popcount(wasm_i8x16_bitmask(wasm_i8x16_narrow_i16x8(low, high)));
}

/* One pair of a rotation. */
INLINE void rotate(float *x, int stride, float c, float s) {
    float a = x[0], b = x[stride];
    x[stride] = c * b + s * a;
    x[0] = c * a + -s * b;
}

INLINE void rotate4(float *x, int stride, v128_t c, v128_t s) {
    v128_t a = wasm_v128_load(x), b = wasm_v128_load(x + stride);
    wasm_v128_store(x + stride, wasm_f32x4_add(wasm_f32x4_mul(c, b), wasm_f32x4_mul(s, a)));
    wasm_v128_store(x, wasm_f32x4_sub(wasm_f32x4_mul(c, a), wasm_f32x4_mul(s, b)));
}

/* With a stride of one, each sample goes from pair to pair: it is kept at hand. */
static void rotate_neighbours(float *x, int len, float c, float s) {
    float at = x[0], other;
    float *up = x;
#define ONE(k)                       \
    other = up[(k) + 1];             \
    up[k] = c * at + -s * other;     \
    at = c * other + s * at
    IN_ONES(up, x + len - 1, ONE)
#undef ONE
    x[len - 1] = at;
    if (len < 3) {
        return;
    }
    at = x[len - 2];
    int i = 0;
    float *end = x + len - 3;
#define ONE(k)                               \
    other = end[-i - (k)];                   \
    end[1 - i - (k)] = c * at + s * other;   \
    at = c * other + -s * at
    IN_ONES(i, len - 2, ONE)
#undef ONE
    x[0] = at;
}

/* Pairs from x on, n of them, upwards where `way` is 1 and downwards where it is -1. */
INLINE void rotate_all(float *x, int n, int stride, float c_, float s_, const int way) {
    const v128_t c = wasm_f32x4_splat(c_), s = wasm_f32x4_splat(s_);
    const int first = way > 0 ? 0 : -3; /* where four begin */
    if (stride >= 4) {
#pragma clang loop unroll(disable)
        for (; n >= 16; n -= 16, x += 16 * way) {
            rotate4(x + first, stride, c, s);
            rotate4(x + first + 4 * way, stride, c, s);
            rotate4(x + first + 8 * way, stride, c, s);
            rotate4(x + first + 12 * way, stride, c, s);
        }
        if (n >= 8) {
            rotate4(x + first, stride, c, s);
            rotate4(x + first + 4 * way, stride, c, s);
            n -= 8;
            x += 8 * way;
        }
        if (n >= 4) {
            rotate4(x + first, stride, c, s);
            n -= 4;
            x += 4 * way;
        }
    }
#pragma clang loop unroll(disable)
    for (; n >= 3; n -= 3, x += 3 * way) {
        rotate(x, stride, c_, s_);
        rotate(x + way, stride, c_, s_);
        rotate(x + 2 * way, stride, c_, s_);
    }
    if (n >= 1) {
        rotate(x, stride, c_, s_);
    }
    if (n >= 2) {
        rotate(x + way, stride, c_, s_);
    }
}

void sidetone_rotation(float *x, int len, int stride, float c, float s) {
    if (stride == 1) {
        rotate_neighbours(x, len, c, s);
        return;
    }
    rotate_all(x, len - stride, stride, c, s, 1);
    rotate_all(x + len - 2 * stride - 1, len - 2 * stride, stride, c, s, -1);
}

/* As `long_gain` of samples.c. */
static OUT_OF_LINE int scale_many(const int *iy, float *x, int n, float gain) {
    const v128_t scale = wasm_f32x4_splat(gain);
    int i = 0;
#pragma clang loop unroll_count(16)
    for (; i + 4 <= n; i += 4) {
        wasm_v128_store(x + i, wasm_f32x4_mul(wasm_f32x4_convert_i32x4(wasm_v128_load(iy + i)), scale));
    }
    return i;
}

void sidetone_scale_pulses(const int *iy, float *x, int n, float gain) {
    int i = n < 64 ? 0 : scale_many(iy, x, n & ~63, gain);
    const v128_t scale = wasm_f32x4_splat(gain);
#define FOUR(at) wasm_v128_store(x + i + at, wasm_f32x4_mul(wasm_f32x4_convert_i32x4(wasm_v128_load(iy + i + at)), scale))
    LESS_THAN_64(i, n, FOUR)
#undef FOUR
#define ONE(at) x[i + at] = iy[i + at] * gain
    LESS_THAN_4(i, n, ONE)
#undef ONE
}

unsigned sidetone_collapse_mask(const int *iy, int n, int blocks) {
    if (blocks <= 1) {
        return 1;
    }
    const int each = (int)((unsigned)n / (unsigned)blocks);
    unsigned mask = 0;
#pragma clang loop unroll(disable)
    for (int i = 0; i < blocks; i++, iy += each) {
        v128_t any = wasm_i32x4_const_splat(0);
        int j = 0, some = 0;
#pragma clang loop unroll(disable)
        for (; j + 4 <= each; j += 4) {
            any = wasm_v128_or(any, wasm_v128_load(iy + j));
        }
        if (each & 2) {
            some = iy[j] | iy[j + 1];
            j += 2;
        }
        if (each & 1) {
            some |= iy[j];
        }
        mask |= (unsigned)(some != 0 || wasm_v128_any_true(any)) << i;
    }
    return mask;
}
