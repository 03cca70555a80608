/* What libopus uses of <string.h>; the definitions are in Rust's compiler_builtins. */
#ifndef SIDETONE_STRING_H
#define SIDETONE_STRING_H

#include <stddef.h>

void *memcpy(void *restrict, const void *restrict, size_t);
void *memmove(void *, const void *, size_t);
void *memset(void *, int, size_t);
int memcmp(const void *, const void *, size_t);
size_t strlen(const char *);

#endif
