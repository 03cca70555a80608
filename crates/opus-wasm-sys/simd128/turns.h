/* Loops over samples with few turns: each looks at the deadline. */
#ifndef SIDETONE_TURNS_H
#define SIDETONE_TURNS_H

/* FOUR(at) does the four samples from i + at on: 32 a turn, and what is left of them without a loop. Fewer than four remain,
 * from i to n - 1. */
#define IN_FOURS(i, n, FOUR)       \
    for (; i + 32 <= (n); i += 32) { \
        FOUR(0);                   \
        FOUR(4);                   \
        FOUR(8);                   \
        FOUR(12);                  \
        FOUR(16);                  \
        FOUR(20);                  \
        FOUR(24);                  \
        FOUR(28);                  \
    }                              \
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
