/* memcpy, memmove and memset for the libopus of this target (libc/include/string.h): what is short without a loop, what is
 * longer by the engine.
 *
 * Those of Rust's compiler_builtins take a few bytes a turn, each of which looks at the deadline; copying was a tenth of
 * encoding at complexity 0. `memory.copy` and `memory.fill` are calls out of the guest, of some 3 ns.
 */
#include <stddef.h>
#include <wasm_simd128.h>

typedef unsigned char byte;

/* In one place, and not turned into calls of what they stand for. */
#define OUT_OF_LINE __attribute__((noinline, no_builtin))

/* From how many bytes on the engine is faster. */
#define LONG 256

/* Fewer than 16 bytes. All is read before anything is written. */
static inline void few(byte *to, const byte *from, size_t n) {
    if (n >= 8) {
        v128_t first = wasm_v128_load64_zero(from), last = wasm_v128_load64_zero(from + n - 8);
        wasm_v128_store64_lane(to, first, 0);
        wasm_v128_store64_lane(to + n - 8, last, 0);
    } else if (n >= 4) {
        v128_t first = wasm_v128_load32_zero(from), last = wasm_v128_load32_zero(from + n - 4);
        wasm_v128_store32_lane(to, first, 0);
        wasm_v128_store32_lane(to + n - 4, last, 0);
    } else if (n > 0) {
        byte first = from[0], middle = from[n / 2], last = from[n - 1];
        to[0] = first;
        to[n / 2] = middle;
        to[n - 1] = last;
    }
}

/* Right also where `to` lies before `from` and they overlap. */
OUT_OF_LINE void *sidetone_copy(void *destination, const void *source, size_t n) {
    byte *to = destination;
    const byte *from = source;
    if (n < 16) {
        few(to, from, n);
        return destination;
    }
    if (n >= LONG) {
        return __builtin_memmove(destination, source, n);
    }
    v128_t last = wasm_v128_load(from + n - 16);
    byte *end = to + n - 16;
#define COPY(at)                                                                                             \
    do {                                                                                                     \
        v128_t a = wasm_v128_load(from + at), b = wasm_v128_load(from + at + 16),                            \
               c = wasm_v128_load(from + at + 32), d = wasm_v128_load(from + at + 48);                       \
        wasm_v128_store(to + at, a);                                                                         \
        wasm_v128_store(to + at + 16, b);                                                                    \
        wasm_v128_store(to + at + 32, c);                                                                    \
        wasm_v128_store(to + at + 48, d);                                                                    \
    } while (0)
    if (n >= 128) {
        COPY(0);
        COPY(64);
        to += 128;
        from += 128;
        n -= 128;
    }
    if (n >= 64) {
        COPY(0);
        to += 64;
        from += 64;
        n -= 64;
    }
#undef COPY
    if (n > 16) {
        v128_t a = wasm_v128_load(from), b = n > 32 ? wasm_v128_load(from + 16) : a,
               c = n > 48 ? wasm_v128_load(from + 32) : a;
        wasm_v128_store(to, a);
        if (n > 32) {
            wasm_v128_store(to + 16, b);
        }
        if (n > 48) {
            wasm_v128_store(to + 32, c);
        }
    }
    wasm_v128_store(end, last);
    return destination;
}

OUT_OF_LINE void *sidetone_move(void *destination, const void *source, size_t n) {
    byte *to = destination;
    const byte *from = source;
    if ((size_t)to - (size_t)from >= n || n < 16 || n >= LONG) {
        return sidetone_copy(destination, source, n);
    }
    v128_t first = wasm_v128_load(from);
    for (; n >= 64; n -= 64) {
        v128_t a = wasm_v128_load(from + n - 16), b = wasm_v128_load(from + n - 32), c = wasm_v128_load(from + n - 48),
               d = wasm_v128_load(from + n - 64);
        wasm_v128_store(to + n - 16, a);
        wasm_v128_store(to + n - 32, b);
        wasm_v128_store(to + n - 48, c);
        wasm_v128_store(to + n - 64, d);
    }
    for (; n > 16; n -= 16) {
        wasm_v128_store(to + n - 16, wasm_v128_load(from + n - 16));
    }
    wasm_v128_store(destination, first);
    return destination;
}

OUT_OF_LINE void *sidetone_fill(void *destination, int value, size_t n) {
    byte *to = destination;
    v128_t all = wasm_i8x16_splat((signed char)value);
    if (n < 16) {
        byte bytes[16];
        wasm_v128_store(bytes, all);
        few(to, bytes, n);
        return destination;
    }
    if (n >= LONG) {
        return __builtin_memset(destination, value, n);
    }
    byte *end = to + n - 16;
#define FILL(bytes)                         \
    _Pragma("clang loop unroll(full)")      \
    for (int i = 0; i < bytes; i += 16) {   \
        wasm_v128_store(to + i, all);       \
    }                                       \
    to += bytes;                            \
    n -= bytes
    if (n >= 128) {
        FILL(128);
    }
    if (n >= 64) {
        FILL(64);
    }
    if (n > 32) {
        FILL(32);
    }
#undef FILL
    if (n > 16) {
        wasm_v128_store(to, all);
    }
    wasm_v128_store(end, all);
    return destination;
}
