/* The MDCT and its inverse: replaces celt/mdct.c. Exact: every result is the same sum of the same products.
 *
 * Four complex numbers at a time, whose real and imaginary parts are two vectors. In the static modes there are always
 * multiples of four.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "mdct.h"
#include "kiss_fft.h"
#include "_kiss_fft_guts.h"
#include "os_support.h"
#include "stack_alloc.h"
#include <wasm_simd128.h>

/* Four numbers: real parts, imaginary parts. */
typedef struct {
    v128_t r, i;
} complex4;

INLINE v128_t add(v128_t a, v128_t b) { return wasm_f32x4_add(a, b); }
INLINE v128_t sub(v128_t a, v128_t b) { return wasm_f32x4_sub(a, b); }
INLINE v128_t mul(v128_t a, v128_t b) { return wasm_f32x4_mul(a, b); }

INLINE v128_t reverse(v128_t a) { return wasm_i32x4_shuffle(a, a, 3, 2, 1, 0); }

/* p[0], p[2], p[4], p[6]. */
INLINE v128_t upwards(const float *p) { return wasm_i32x4_shuffle(wasm_v128_load(p), wasm_v128_load(p + 4), 0, 2, 4, 6); }

/* p[0], p[-2], p[-4], p[-6]. */
INLINE v128_t downwards(const float *p) {
    return wasm_i32x4_shuffle(wasm_v128_load(p - 3), wasm_v128_load(p - 7), 3, 1, 7, 5);
}

/* Every `step`-th of four. */
INLINE v128_t gather(const float *p, int step) {
    v128_t v = wasm_v128_load32_lane(p + step, wasm_v128_load32_zero(p), 1);
    return wasm_v128_load32_lane(p + 3 * step, wasm_v128_load32_lane(p + 2 * step, v, 2), 3);
}

INLINE void scatter(float *p, int step, v128_t v) {
    wasm_v128_store32_lane(p, v, 0);
    wasm_v128_store32_lane(p + step, v, 1);
    wasm_v128_store32_lane(p + 2 * step, v, 2);
    wasm_v128_store32_lane(p + 3 * step, v, 3);
}

/* a and b in turns, eight floats. */
INLINE void interleave(float *p, v128_t a, v128_t b) {
    wasm_v128_store(p, wasm_i32x4_shuffle(a, b, 0, 4, 1, 5));
    wasm_v128_store(p + 4, wasm_i32x4_shuffle(a, b, 2, 6, 3, 7));
}

/* The same, but each pair at its place for the FFT. */
INLINE void interleave_at(float *p, const opus_int16 *places, v128_t a, v128_t b) {
    v128_t low = wasm_i32x4_shuffle(a, b, 0, 4, 1, 5), high = wasm_i32x4_shuffle(a, b, 2, 6, 3, 7);
    wasm_v128_store64_lane(p + 2 * places[0], low, 0);
    wasm_v128_store64_lane(p + 2 * places[1], low, 1);
    wasm_v128_store64_lane(p + 2 * places[2], high, 0);
    wasm_v128_store64_lane(p + 2 * places[3], high, 1);
}

/* Size and twiddles of a transform. */
typedef struct {
    const kiss_fft_state *fft;
    const float *cosines, *sines;
    int half, quarter;
} transform;

static transform of_size(const mdct_lookup *l, int shift) {
    const float *trig = l->trig;
    int n = l->n;
    for (int i = 0; i < shift; i++) {
        n >>= 1;
        trig += n;
    }
    celt_assert(n % 16 == 0);
    transform t = {l->kfft[shift], trig, trig + n / 4, n / 2, n / 4};
    return t;
}

/* The numbers from i on, turned and scaled, go to their places for the FFT. */
INLINE void turn(const transform *t, float *f, int i, complex4 x) {
    v128_t c = wasm_v128_load(t->cosines + i), s = wasm_v128_load(t->sines + i), scale = wasm_f32x4_splat(t->fft->scale);
    v128_t r = mul(sub(mul(x.r, c), mul(x.i, s)), scale), im = mul(add(mul(x.i, c), mul(x.r, s)), scale);
    interleave_at(f, t->fft->bitrev + i, r, im);
}

/* Window and fold. `in` is four parts, a b c d; where the window begins and ends they meet. The last four of a part that is
 * no multiple of four are partly done twice. */
static void fold(const transform *t, const float *in, float *f, const float *window, int overlap) {
    const int half = t->half, quarter = t->quarter, part = (overlap + 3) >> 2;
    const float *first = in + overlap / 2, *last = in + half - 1 + overlap / 2;
    celt_assert(part >= 4 && (quarter - 2 * part) % 4 == 0);
#pragma clang loop unroll_count(2)
    for (int k = 0; k < part; k += 4) {
        int i = k + 4 > part ? part - 4 : k;
        const float *x1 = first + 2 * i, *x2 = last - 2 * i;
        v128_t w1 = upwards(window + overlap / 2 + 2 * i), w2 = downwards(window + overlap / 2 - 1 - 2 * i);
        complex4 x = {add(mul(upwards(x1 + half), w2), mul(downwards(x2), w1)),
                      sub(mul(upwards(x1), w1), mul(downwards(x2 - half), w2))};
        turn(t, f, i, x);
    }
#pragma clang loop unroll_count(3)
    for (int i = part; i < quarter - part; i += 4) {
        complex4 x = {downwards(last - 2 * i), upwards(first + 2 * i)};
        turn(t, f, i, x);
    }
#pragma clang loop unroll_count(2)
    for (int k = 0; k < part; k += 4) {
        int at = k + 4 > part ? part - 4 : k, i = quarter - part + at;
        const float *x1 = first + 2 * i, *x2 = last - 2 * i;
        v128_t w1 = upwards(window + 2 * at), w2 = downwards(window + overlap - 1 - 2 * at);
        complex4 x = {sub(mul(downwards(x2), w2), mul(upwards(x1 - half), w1)),
                      add(mul(upwards(x1), w2), mul(downwards(x2 + half), w1))};
        turn(t, f, i, x);
    }
}

INLINE complex4 load_complex(const float *p) {
    complex4 x = {upwards(p), wasm_i32x4_shuffle(wasm_v128_load(p), wasm_v128_load(p + 4), 1, 3, 5, 7)};
    return x;
}

/* The result of the FFT, turned again: the coefficients are the real parts from the front and the imaginary from the back. */
INLINE complex4 forth(const transform *t, const float *f, int i) {
    v128_t c = wasm_v128_load(t->cosines + i), s = wasm_v128_load(t->sines + i);
    complex4 x = load_complex(f + 2 * i);
    complex4 y = {sub(mul(x.i, s), mul(x.r, c)), add(mul(x.r, s), mul(x.i, c))};
    return y;
}

void clt_mdct_forward_c(const mdct_lookup *l, float *in, float *OPUS_RESTRICT out, const celt_coef *window, int overlap,
                        int shift, int stride, int arch) {
    const transform t = of_size(l, shift);
    VARDECL(kiss_fft_cpx, f2);
    SAVE_STACK;
    (void)arch;
    ALLOC(f2, t.quarter, kiss_fft_cpx);
    float *f = &f2[0].r;
    fold(&t, in, f, window, overlap);
    opus_fft_impl(t.fft, f2);
    if (stride == 1) {
#pragma clang loop unroll_count(2)
        for (int i = 0, j = t.quarter - 4; i <= j; i += 4, j -= 4) {
            complex4 a = forth(&t, f, i), b = forth(&t, f, j);
            interleave(out + 2 * i, a.r, reverse(b.i));
            interleave(out + 2 * j, b.r, reverse(a.i));
        }
    } else {
        for (int i = 0; i < t.quarter; i += 4) {
            complex4 a = forth(&t, f, i);
            scatter(out + 2 * stride * i, 2 * stride, a.r);
            scatter(out + stride * (t.half - 1 - 2 * i), -2 * stride, a.i);
        }
    }
    RESTORE_STACK;
}

/* Coefficients from the front and from the back become the numbers from i on, at their places. Real and imaginary parts are
 * exchanged, as the FFT is not the inverse one. */
INLINE void back(const transform *t, float *f, int i, v128_t x1, v128_t x2) {
    v128_t c = wasm_v128_load(t->cosines + i), s = wasm_v128_load(t->sines + i);
    interleave_at(f, t->fft->bitrev + i, sub(mul(x1, c), mul(x2, s)), add(mul(x2, c), mul(x1, s)));
}

INLINE complex4 turn_back(const transform *t, const float *f, int i) {
    v128_t c = wasm_v128_load(t->cosines + i), s = wasm_v128_load(t->sines + i);
    complex4 x = load_complex(f + 2 * i);
    complex4 y = {add(mul(x.i, c), mul(x.r, s)), sub(mul(x.i, s), mul(x.r, c))};
    return y;
}

void clt_mdct_backward_c(const mdct_lookup *l, float *in, float *OPUS_RESTRICT out, const celt_coef *OPUS_RESTRICT window,
                         int overlap, int shift, int stride, int arch) {
    const transform t = of_size(l, shift);
    float *f = out + overlap / 2;
    (void)arch;
    celt_assert(overlap % 8 == 0);
    if (stride == 1) {
#pragma clang loop unroll_count(2)
        for (int i = 0, j = t.quarter - 4; i <= j; i += 4, j -= 4) {
            complex4 a = load_complex(in + 2 * i), b = load_complex(in + 2 * j);
            back(&t, f, i, a.r, reverse(b.i));
            back(&t, f, j, b.r, reverse(a.i));
        }
    } else {
        for (int i = 0; i < t.quarter; i += 4) {
            back(&t, f, i, gather(in + 2 * stride * i, 2 * stride),
                 gather(in + stride * (t.half - 1 - 2 * i), -2 * stride));
        }
    }
    opus_fft_impl(t.fft, (kiss_fft_cpx *)f);
#pragma clang loop unroll_count(2)
    for (int i = 0, j = t.quarter - 4; i <= j; i += 4, j -= 4) {
        complex4 a = turn_back(&t, f, i), b = turn_back(&t, f, j);
        interleave(f + 2 * i, a.r, reverse(b.i));
        interleave(f + 2 * j, b.r, reverse(a.i));
    }
    /* What aliases in time, at both ends. */
    sidetone_fold(out, window, overlap);
}
