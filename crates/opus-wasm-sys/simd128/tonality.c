/* Four bins of the spectrum a turn: see tonality.h. */
#include "tonality.h"
#include "fixed.h"

#define SPLAT wasm_f32x4_const_splat
#define PI 3.1415926535897931f

/* fast_atan2f of celt/mathops.h, times 1 / (2 pi). */
INLINE v128_t turns(v128_t y, v128_t x) {
    const v128_t zero = SPLAT(0), right = SPLAT(PI / 2), left = SPLAT(-(PI / 2));
    v128_t x2 = wasm_f32x4_mul(x, x), y2 = wasm_f32x4_mul(y, y), product = wasm_f32x4_mul(x, y);
    v128_t steep = wasm_f32x4_lt(x2, y2);
    v128_t most = wasm_v128_bitselect(y2, x2, steep), least = wasm_v128_bitselect(x2, y2, steep);
    v128_t below = wasm_f32x4_mul(wasm_f32x4_add(most, wasm_f32x4_mul(SPLAT(.67848403f), least)),
                                  wasm_f32x4_add(most, wasm_f32x4_mul(SPLAT(.08595542f), least)));
    v128_t above = wasm_v128_bitselect(wasm_f32x4_neg(product), product, steep);
    above = wasm_f32x4_mul(above, wasm_f32x4_add(most, wasm_f32x4_mul(SPLAT(.43157974f), least)));
    v128_t up = wasm_v128_bitselect(left, right, wasm_f32x4_lt(y, zero));
    v128_t same = wasm_v128_bitselect(left, right, wasm_f32x4_lt(product, zero));
    v128_t angle = wasm_f32x4_add(wasm_f32x4_div(above, below), up);
    angle = wasm_v128_bitselect(angle, wasm_f32x4_sub(angle, same), steep);
    v128_t tiny = wasm_f32x4_lt(wasm_f32x4_add(x2, y2), SPLAT(1e-18f));
    return wasm_f32x4_mul(SPLAT(.5f / 3.14159265358979323846), wasm_v128_andnot(angle, tiny));
}

/* What is left of x when the nearest whole number is taken away. */
INLINE v128_t fraction(v128_t x) { return wasm_f32x4_sub(x, wasm_f32x4_nearest(x)); }

INLINE v128_t fourth_power(v128_t x) {
    x = wasm_f32x4_mul(x, x);
    return wasm_f32x4_mul(x, x);
}

INLINE v128_t tonal(v128_t x) {
    const double pi = 3.14159265358979323846;
    x = wasm_f32x4_mul(SPLAT(40.f * 16.f * (float)(pi * pi * pi * pi)), x);
    return wasm_f32x4_sub(wasm_f32x4_div(SPLAT(1), wasm_f32x4_add(SPLAT(1), x)), SPLAT(.015f));
}

int sidetone_tonality(const kiss_fft_cpx *out, int n, float *angle, float *change, float *steady, float *noisiness,
                      float *tonality, float *tonality2) {
    int i = 1;
    for (; i + 4 <= n / 2; i += 4) {
        v128_t a = wasm_v128_load(&out[i]), b = wasm_v128_load(&out[i + 2]);
        v128_t c = wasm_v128_load(&out[n - i - 1]), d = wasm_v128_load(&out[n - i - 3]);
        v128_t r = wasm_i32x4_shuffle(a, b, 0, 2, 4, 6), im = wasm_i32x4_shuffle(a, b, 1, 3, 5, 7);
        v128_t mirrored_r = wasm_i32x4_shuffle(c, d, 2, 0, 6, 4), mirrored_i = wasm_i32x4_shuffle(c, d, 3, 1, 7, 5);

        v128_t first = turns(wasm_f32x4_sub(im, mirrored_i), wasm_f32x4_add(r, mirrored_r));
        v128_t difference = wasm_f32x4_sub(first, wasm_v128_load(&angle[i]));
        v128_t mod1 = fraction(wasm_f32x4_sub(difference, wasm_v128_load(&change[i])));

        v128_t second = turns(wasm_f32x4_sub(mirrored_r, r), wasm_f32x4_add(im, mirrored_i));
        v128_t difference2 = wasm_f32x4_sub(second, first);
        v128_t mod2 = fraction(wasm_f32x4_sub(difference2, difference));
        wasm_v128_store(&noisiness[i], wasm_f32x4_add(wasm_f32x4_abs(mod1), wasm_f32x4_abs(mod2)));

        mod1 = fourth_power(mod1);
        mod2 = fourth_power(mod2);
        v128_t mean = wasm_f32x4_add(wasm_f32x4_add(wasm_v128_load(&steady[i]), mod1), wasm_f32x4_mul(SPLAT(2), mod2));
        wasm_v128_store(&tonality[i], tonal(wasm_f32x4_mul(SPLAT(.25f), mean)));
        wasm_v128_store(&tonality2[i], tonal(mod2));
        wasm_v128_store(&angle[i], second);
        wasm_v128_store(&change[i], difference2);
        wasm_v128_store(&steady[i], mod2);
    }
    return i;
}
