/* libopus has its own assertions (celt_assert, silk_assert); <assert.h> is only included. */
#ifndef SIDETONE_ASSERT_H
#define SIDETONE_ASSERT_H
#define assert(x) ((void)0)
#endif
