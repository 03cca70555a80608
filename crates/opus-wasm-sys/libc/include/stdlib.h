/* What libopus uses of <stdlib.h>. */
#ifndef SIDETONE_STDLIB_H
#define SIDETONE_STDLIB_H

#include <stddef.h>

void *malloc(size_t);
void free(void *);

/* Declared because libopus names it in an inline function that nothing calls. */
void *realloc(void *, size_t);

static inline int abs(int x) { return x < 0 ? -x : x; }

/* There is nobody to tell: stop the instance. */
_Noreturn static inline void abort(void) { __builtin_trap(); }

#endif
