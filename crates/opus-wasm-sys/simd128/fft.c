/* Complex FFT: replaces celt/kiss_fft.c. Exact: every result is the same sum of the same products.
 *
 * Two neighbouring complex numbers are one f32x4. In the static modes all strides but the first are multiples of four.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "arch.h"
#include "kiss_fft.h"
#include "_kiss_fft_guts.h"
#include "os_support.h"
#include <wasm_simd128.h>

INLINE v128_t load(const kiss_fft_cpx *p) { return wasm_v128_load(p); }
INLINE void store(kiss_fft_cpx *p, v128_t v) { wasm_v128_store(p, v); }

/* Real and imaginary parts exchanged. */
INLINE v128_t swap(v128_t a) { return wasm_i32x4_shuffle(a, a, 1, 0, 3, 2); }

INLINE v128_t negate_real(v128_t a) {
    return wasm_v128_xor(a, wasm_i32x4_const((int)0x80000000, 0, (int)0x80000000, 0));
}

INLINE v128_t negate_imaginary(v128_t a) {
    return wasm_v128_xor(a, wasm_i32x4_const(0, (int)0x80000000, 0, (int)0x80000000));
}

INLINE v128_t times(v128_t a, float b) { return wasm_f32x4_mul(a, wasm_f32x4_splat(b)); }

/* Twiddles of two neighbours, as `rotate` needs them: real parts twice, and imaginary parts with their signs. */
typedef struct {
    v128_t real, imaginary;
} twiddles;

INLINE twiddles load_twiddles(const kiss_twiddle_cpx *t, size_t stride) {
    v128_t w = wasm_v128_load64_lane(t + stride, wasm_v128_load64_zero(t), 1);
    twiddles both = {wasm_i32x4_shuffle(w, w, 0, 0, 2, 2), negate_real(wasm_i32x4_shuffle(w, w, 1, 1, 3, 3))};
    return both;
}

INLINE v128_t rotate(v128_t a, twiddles w) {
    return wasm_f32x4_add(wasm_f32x4_mul(a, w.real), wasm_f32x4_mul(swap(a), w.imaginary));
}

/* Radix 4 without twiddles: four numbers in two vectors. */
INLINE void four(v128_t *a, v128_t *b) {
    v128_t sum = wasm_f32x4_add(*a, *b), difference = wasm_f32x4_sub(*a, *b);
    v128_t even = wasm_i32x4_shuffle(sum, difference, 0, 1, 4, 5);
    v128_t odd = wasm_i32x4_shuffle(sum, difference, 2, 3, 7, 6);
    odd = wasm_v128_xor(odd, wasm_i32x4_const(0, 0, 0, (int)0x80000000));
    *a = wasm_f32x4_add(even, odd);
    *b = wasm_f32x4_sub(even, odd);
}

/* Blocks are done five a turn: the counts are multiples of five. */
#define BLOCKS(count)                            \
    for (int five = 0; five < (count); five += 5) \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < 5; i++)

/* The first radix 4 alone. */
static void butterfly4_first(kiss_fft_cpx *f, int count) {
    BLOCKS(count) {
        v128_t a = load(f), b = load(f + 2);
        four(&a, &b);
        store(f, a);
        store(f + 2, b);
        f += 4;
    }
}

/* The first radix 4 and radix 2 after it: eight numbers at a time. */
static void butterfly8_first(kiss_fft_cpx *f, int count) {
    const float r = 0.7071067812f;
    BLOCKS(count) {
        v128_t a0 = load(f), a2 = load(f + 2), b0 = load(f + 4), b2 = load(f + 6);
        four(&a0, &a2);
        four(&b0, &b2);
        v128_t t0 = wasm_f32x4_mul(wasm_i32x4_shuffle(b0, b0, 0, 1, 3, 2), wasm_f32x4_const(0, 0, 1, -1));
        t0 = wasm_f32x4_mul(wasm_f32x4_add(b0, t0), wasm_f32x4_const(1, 1, r, r));
        v128_t t2 = wasm_f32x4_mul(b2, wasm_f32x4_const(0, 0, -1, -1));
        t2 = wasm_f32x4_mul(wasm_f32x4_add(negate_imaginary(swap(b2)), t2), wasm_f32x4_const(1, 1, r, r));
        store(f + 4, wasm_f32x4_sub(a0, t0));
        store(f, wasm_f32x4_add(a0, t0));
        store(f + 6, wasm_f32x4_sub(a2, t2));
        store(f + 2, wasm_f32x4_add(a2, t2));
        f += 8;
    }
}

/* Each radix in a function of its own: with several loops in one, a look at the deadline moves more through memory.
 *
 * Radix 4 and 3: the same two columns of all blocks, whose twiddles are the same. */
static OUT_OF_LINE void butterfly4(kiss_fft_cpx *f, size_t fstride, const kiss_fft_state *st, int m, int count, int mm) {
    const kiss_twiddle_cpx *t = st->twiddles;
    for (int j = 0; j < m; j += 2) {
        const twiddles w1 = load_twiddles(t + j * fstride, fstride), w2 = load_twiddles(t + 2 * j * fstride, 2 * fstride),
                       w3 = load_twiddles(t + 3 * j * fstride, 3 * fstride);
        kiss_fft_cpx *g = f + j;
        BLOCKS(count) {
            v128_t s0 = rotate(load(g + m), w1), s1 = rotate(load(g + 2 * m), w2), s2 = rotate(load(g + 3 * m), w3);
            v128_t a = load(g);
            v128_t s5 = wasm_f32x4_sub(a, s1), s3 = wasm_f32x4_add(s0, s2);
            v128_t s4 = negate_imaginary(swap(wasm_f32x4_sub(s0, s2)));
            a = wasm_f32x4_add(a, s1);
            store(g, wasm_f32x4_add(a, s3));
            store(g + 2 * m, wasm_f32x4_sub(a, s3));
            store(g + m, wasm_f32x4_add(s5, s4));
            store(g + 3 * m, wasm_f32x4_sub(s5, s4));
            g += mm;
        }
    }
}

/* There are five blocks in all modes. */
static OUT_OF_LINE void butterfly3(kiss_fft_cpx *f, size_t fstride, const kiss_fft_state *st, int m, int mm) {
    const kiss_twiddle_cpx *t = st->twiddles;
    const float e = t[fstride * m].i;
    for (int j = 0; j < m; j += 2) {
        const twiddles w1 = load_twiddles(t + j * fstride, fstride), w2 = load_twiddles(t + 2 * j * fstride, 2 * fstride);
        kiss_fft_cpx *g = f + j;
#pragma clang loop unroll(full)
        for (int i = 0; i < 5; i++) {
            v128_t s1 = rotate(load(g + m), w1), s2 = rotate(load(g + 2 * m), w2);
            v128_t a = load(g);
            v128_t s3 = wasm_f32x4_add(s1, s2);
            v128_t s0 = negate_imaginary(swap(times(wasm_f32x4_sub(s1, s2), e)));
            v128_t b = wasm_f32x4_sub(a, times(s3, .5f));
            store(g, wasm_f32x4_add(a, s3));
            store(g + 2 * m, wasm_f32x4_add(b, s0));
            store(g + m, wasm_f32x4_sub(b, s0));
            g += mm;
        }
    }
}

/* The last stage: one block. */
static OUT_OF_LINE void butterfly5(kiss_fft_cpx *f, size_t fstride, const kiss_fft_state *st, int m, int count, int mm) {
    const kiss_twiddle_cpx ya = st->twiddles[fstride * m], yb = st->twiddles[fstride * 2 * m];
    for (int i = 0; i < count; i++, f += mm) {
        const kiss_twiddle_cpx *t1 = st->twiddles, *t2 = t1, *t3 = t1, *t4 = t1;
        for (int j = 0; j < m; j += 6) {
#pragma clang loop unroll(full)
            for (int k = 0; k < 6; k += 2) {
                kiss_fft_cpx *g = f + j + k;
                v128_t s1 = rotate(load(g + m), load_twiddles(t1, fstride));
                v128_t s4 = rotate(load(g + 4 * m), load_twiddles(t4, 4 * fstride));
                v128_t s2 = rotate(load(g + 2 * m), load_twiddles(t2, 2 * fstride));
                v128_t s3 = rotate(load(g + 3 * m), load_twiddles(t3, 3 * fstride));
                v128_t s0 = load(g);
                v128_t s7 = wasm_f32x4_add(s1, s4), s10 = wasm_f32x4_sub(s1, s4);
                v128_t s8 = wasm_f32x4_add(s2, s3), s9 = wasm_f32x4_sub(s2, s3);
                store(g, wasm_f32x4_add(s0, wasm_f32x4_add(s7, s8)));
                v128_t s5 = wasm_f32x4_add(s0, wasm_f32x4_add(times(s7, ya.r), times(s8, yb.r)));
                v128_t s6 = wasm_f32x4_add(times(s10, ya.i), times(s9, yb.i));
                s6 = negate_imaginary(swap(s6));
                store(g + m, wasm_f32x4_sub(s5, s6));
                store(g + 4 * m, wasm_f32x4_add(s5, s6));
                v128_t s11 = wasm_f32x4_add(s0, wasm_f32x4_add(times(s7, yb.r), times(s8, ya.r)));
                v128_t s12 = negate_imaginary(swap(wasm_f32x4_sub(times(s9, ya.i), times(s10, yb.i))));
                store(g + 2 * m, wasm_f32x4_add(s11, s12));
                store(g + 3 * m, wasm_f32x4_sub(s11, s12));
                t1 += 2 * fstride;
                t2 += 4 * fstride;
                t3 += 6 * fstride;
                t4 += 8 * fstride;
            }
        }
    }
}

void opus_fft_impl(const kiss_fft_state *st, kiss_fft_cpx *fout) {
    int fstride[MAXFACTORS], stages = 0, m, shift = st->shift > 0 ? st->shift : 0;
    fstride[0] = 1;
#pragma clang loop unroll_count(5)
    do {
        fstride[stages + 1] = fstride[stages] * st->factors[2 * stages];
        m = st->factors[2 * stages + 1];
        stages++;
    } while (m != 1);
    for (int i = stages - 1; i >= 0; i--) {
        if (m == 1 && i > 0 && st->factors[2 * i] == 4 && st->factors[2 * i - 2] == 2) {
            celt_assert(fstride[i - 1] % 5 == 0);
            butterfly8_first(fout, fstride[--i]);
            m = i != 0 ? st->factors[2 * i - 1] : 1;
            continue;
        }
        int m2 = i != 0 ? st->factors[2 * i - 1] : 1;
        size_t stride = (size_t)fstride[i] << shift;
        celt_assert(fstride[i] % 5 == 0 ? m == 1 || m % 2 == 0 : st->factors[2 * i] == 5 && m % 6 == 0);
        switch (st->factors[2 * i]) {
        case 4:
            if (m == 1) {
                butterfly4_first(fout, fstride[i]);
            } else {
                butterfly4(fout, stride, st, m, fstride[i], m2);
            }
            break;
        case 3:
            celt_assert(fstride[i] == 5);
            butterfly3(fout, stride, st, m, m2);
            break;
        case 5: butterfly5(fout, stride, st, m, fstride[i], m2); break;
        default: celt_assert(0);
        }
        m = m2;
    }
}

void opus_fft_c(const kiss_fft_state *st, const kiss_fft_cpx *fin, kiss_fft_cpx *fout) {
    celt_assert2(fin != fout, "In-place FFT not supported");
    const v128_t scale = wasm_f32x4_splat(st->scale);
    int i = 0;
#pragma clang loop unroll_count(4)
    for (; i + 2 <= st->nfft; i += 2) { /* all sizes are even */
        v128_t two = wasm_f32x4_mul(load(&fin[i]), scale);
        wasm_v128_store64_lane(&fout[st->bitrev[i]], two, 0);
        wasm_v128_store64_lane(&fout[st->bitrev[i + 1]], two, 1);
    }
    opus_fft_impl(st, fout);
}

void opus_ifft_c(const kiss_fft_state *st, const kiss_fft_cpx *fin, kiss_fft_cpx *fout) {
    celt_assert2(fin != fout, "In-place FFT not supported");
    for (int i = 0; i < st->nfft; i++) {
        fout[st->bitrev[i]].r = fin[i].r;
        fout[st->bitrev[i]].i = -fin[i].i;
    }
    opus_fft_impl(st, fout);
    for (int i = 0; i < st->nfft; i++) {
        fout[i].i = -fout[i].i;
    }
}
