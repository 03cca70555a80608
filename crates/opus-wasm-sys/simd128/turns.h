/* Loops over samples with few turns: each looks at the deadline. */
#ifndef SIDETONE_TURNS_H
#define SIDETONE_TURNS_H

/* FOUR(at) does the four samples from i + at on: 32 a turn, and what is left of them without a loop. Fewer than four remain,
 * from i to n - 1. */
#define IN_FOURS(i, n, FOUR)       \
    for (; i + 32 <= (n); i += 32) { \
        THIRTY_TWO_BY(FOUR, 0)     \
    }                              \
    LESS_THAN_32(i, n, FOUR)

#define THIRTY_TWO_BY(FOUR, at)    \
    FOUR(at);                      \
    FOUR(at + 4);                  \
    FOUR(at + 8);                  \
    FOUR(at + 12);                 \
    FOUR(at + 16);                 \
    FOUR(at + 20);                 \
    FOUR(at + 24);                 \
    FOUR(at + 28);

/* The same of fewer than 128 samples, or 64, without a loop. */
#define LESS_THAN_128(i, n, FOUR)  \
    if (i + 64 <= (n)) {           \
        THIRTY_TWO_BY(FOUR, 0)     \
        THIRTY_TWO_BY(FOUR, 32)    \
        i += 64;                   \
    }                              \
    LESS_THAN_64(i, n, FOUR)

#define LESS_THAN_64(i, n, FOUR)   \
    if (i + 32 <= (n)) {           \
        THIRTY_TWO_BY(FOUR, 0)     \
        i += 32;                   \
    }                              \
    LESS_THAN_32(i, n, FOUR)

#define LESS_THAN_32(i, n, FOUR)   \
    if (i + 16 <= (n)) {           \
        FOUR(0);                   \
        FOUR(4);                   \
        FOUR(8);                   \
        FOUR(12);                  \
        i += 16;                   \
    }                              \
    if (i + 8 <= (n)) {            \
        FOUR(0);                   \
        FOUR(4);                   \
        i += 8;                    \
    }                              \
    if (i + 4 <= (n)) {            \
        FOUR(0);                   \
        i += 4;                    \
    }

/* ONE(at) does the sample i + at: sixteen a turn, and what is left without a loop. `i` and `n` may be pointers. */
#define IN_ONES(i, n, ONE)           \
    for (; i + 16 <= (n); i += 16) { \
        EIGHT_OF(ONE, 0)             \
        EIGHT_OF(ONE, 8)             \
    }                                \
    if (i + 8 <= (n)) {              \
        EIGHT_OF(ONE, 0)             \
        i += 8;                      \
    }                                \
    if (i + 4 <= (n)) {              \
        ONE(0);                      \
        ONE(1);                      \
        ONE(2);                      \
        ONE(3);                      \
        i += 4;                      \
    }                                \
    LESS_THAN_4(i, n, ONE)

#define LESS_THAN_4(i, n, ONE)       \
    if (i + 2 <= (n)) {              \
        ONE(0);                      \
        ONE(1);                      \
        i += 2;                      \
    }                                \
    if (i < (n)) {                   \
        ONE(0);                      \
        i++;                         \
    }

#define EIGHT_OF(ONE, at) \
    ONE(at);              \
    ONE(at + 1);          \
    ONE(at + 2);          \
    ONE(at + 3);          \
    ONE(at + 4);          \
    ONE(at + 5);          \
    ONE(at + 6);          \
    ONE(at + 7);

#endif
