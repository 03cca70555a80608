/* Reflection to prediction coefficients: replaces silk/float/k2a_FLP.c. Exact.
 *
 * Rows in blocks of eight, whole: zeros before the coefficients make what is too much add nothing.
 */
#include "SigProc_FLP.h"
#include "fixed.h"

#define BLOCK 8
#define MOST 24

/* p[0], p[-1], p[-2] and p[-3]. */
INLINE v128_t load_down(const silk_float *p) {
    v128_t v = wasm_v128_load(p - 3);
    return wasm_i32x4_shuffle(v, v, 3, 2, 1, 0);
}

void silk_k2a_FLP(silk_float *A, const silk_float *rc, opus_int32 order) {
    silk_float row[MOST + 2 * BLOCK + MOST] = {0}, *a = &row[MOST + BLOCK];
    celt_assert(order <= MOST);
    for (int k = 0; k < order; k++) {
        v128_t scale = wasm_v128_load32_splat(&rc[k]), added[MOST / 4];
#define IN_BLOCKS(body)                              \
    { const int n = 0; body }                        \
    if (k > BLOCK) { const int n = BLOCK; body }     \
    if (k > 2 * BLOCK) { const int n = 2 * BLOCK; body }
        IN_BLOCKS(added[n / 4] = wasm_f32x4_mul(load_down(&a[k - 1 - n]), scale);
                  added[n / 4 + 1] = wasm_f32x4_mul(load_down(&a[k - 5 - n]), scale);)
        IN_BLOCKS(wasm_v128_store(&a[n], wasm_f32x4_add(wasm_v128_load(&a[n]), added[n / 4]));
                  wasm_v128_store(&a[n + 4], wasm_f32x4_add(wasm_v128_load(&a[n + 4]), added[n / 4 + 1]));)
#undef IN_BLOCKS
        a[k] = -rc[k];
    }
    silk_memcpy(A, a, order * sizeof(silk_float));
}
