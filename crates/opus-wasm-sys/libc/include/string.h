/* What libopus uses of <string.h>. Few bytes, as many as the compiler knows of, are moved in place; more are moved by
 * simd128/memory.c. What the compiler itself copies calls Rust's compiler_builtins. */
#ifndef SIDETONE_STRING_H
#define SIDETONE_STRING_H

#include <stddef.h>

void *sidetone_copy(void *, const void *, size_t);
void *sidetone_move(void *, const void *, size_t);
void *sidetone_fill(void *, int, size_t);

#define SIDETONE_FEW(n) (__builtin_constant_p(n) && (n) <= 64)
#define memcpy(to, from, n) (SIDETONE_FEW(n) ? __builtin_memcpy(to, from, n) : sidetone_copy(to, from, n))
#define memmove(to, from, n) (SIDETONE_FEW(n) ? __builtin_memmove(to, from, n) : sidetone_move(to, from, n))
#define memset(to, value, n) (SIDETONE_FEW(n) ? __builtin_memset(to, value, n) : sidetone_fill(to, value, n))

int memcmp(const void *, const void *, size_t);
size_t strlen(const char *);

#endif
