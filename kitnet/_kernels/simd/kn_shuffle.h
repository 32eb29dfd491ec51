/* Shuffles of the vocabulary: the lists of lanes, by the number of lanes, and what is built from them. */

#if KN_VBYTES / KN_SIZE == 16
#define KN_IOTA 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
#define KN_LIST(at, u) \
    at(0, u), at(1, u), at(2, u), at(3, u), at(4, u), at(5, u), at(6, u), at(7, u), \
    at(8, u), at(9, u), at(10, u), at(11, u), at(12, u), at(13, u), at(14, u), at(15, u)
#define KN_EVEN 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define KN_ODD 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#define KN_EVEN_OVERLAP 0, 2, 4, 6, 8, 10, 12, 14, 17, 19, 21, 23, 25, 27, 29, 31
#define KN_ZIP_LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define KN_ZIP_HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#define KN_SLIDE 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
#define KN_SLIDE_UP 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
#define KN_SLIDE_DOWN 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
#elif KN_VBYTES / KN_SIZE == 8
#define KN_IOTA 0, 1, 2, 3, 4, 5, 6, 7
#define KN_LIST(at, u) at(0, u), at(1, u), at(2, u), at(3, u), at(4, u), at(5, u), at(6, u), at(7, u)
#define KN_EVEN 0, 2, 4, 6, 8, 10, 12, 14
#define KN_ODD 1, 3, 5, 7, 9, 11, 13, 15
#define KN_EVEN_OVERLAP 0, 2, 4, 6, 9, 11, 13, 15
#define KN_ZIP_LOW 0, 8, 1, 9, 2, 10, 3, 11
#define KN_ZIP_HIGH 4, 12, 5, 13, 6, 14, 7, 15
#define KN_SLIDE 7, 8, 9, 10, 11, 12, 13, 14
#define KN_SLIDE_UP 8, 0, 1, 2, 3, 4, 5, 6
#define KN_SLIDE_DOWN 1, 2, 3, 4, 5, 6, 7, 8
#elif KN_VBYTES / KN_SIZE == 4
#define KN_IOTA 0, 1, 2, 3
#define KN_LIST(at, u) at(0, u), at(1, u), at(2, u), at(3, u)
#define KN_EVEN 0, 2, 4, 6
#define KN_ODD 1, 3, 5, 7
#define KN_EVEN_OVERLAP 0, 2, 5, 7
#define KN_ZIP_LOW 0, 4, 1, 5
#define KN_ZIP_HIGH 2, 6, 3, 7
#define KN_SLIDE 3, 4, 5, 6
#define KN_SLIDE_UP 4, 0, 1, 2
#define KN_SLIDE_DOWN 1, 2, 3, 4
#elif KN_VBYTES / KN_SIZE == 2
#define KN_IOTA 0, 1
#define KN_EVEN 0, 2
#define KN_ODD 1, 3
#define KN_EVEN_OVERLAP 0, 3
#define KN_ZIP_LOW 0, 2
#define KN_ZIP_HIGH 1, 3
#define KN_SLIDE 1, 2
#define KN_SLIDE_UP 2, 0
#define KN_SLIDE_DOWN 1, 2
#endif

/* The same zip in each quarter, of 16 bytes. */
#if KN_VBYTES == 64 && KN_SIZE == 4
#define KN_QUARTERS_LOW 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29
#define KN_QUARTERS_HIGH 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31
#elif KN_VBYTES == 64
#define KN_QUARTERS_LOW 0, 8, 2, 10, 4, 12, 6, 14
#define KN_QUARTERS_HIGH 1, 9, 3, 11, 5, 13, 7, 15
#elif KN_VBYTES == 32 && KN_SIZE == 4
#define KN_QUARTERS_LOW 0, 8, 1, 9, 4, 12, 5, 13
#define KN_QUARTERS_HIGH 2, 10, 3, 11, 6, 14, 7, 15
#elif KN_VBYTES == 32
#define KN_QUARTERS_LOW 0, 4, 2, 6
#define KN_QUARTERS_HIGH 1, 5, 3, 7
#else
#define KN_QUARTERS_LOW KN_ZIP_LOW
#define KN_QUARTERS_HIGH KN_ZIP_HIGH
#endif

/* Every second element of the pair (a, b), from the first or the second on; a0 b0 a1 b1 ..., its two halves. */
static inline V KN(even)(V a, V b) { return __builtin_shufflevector(a, b, KN_EVEN); }
static inline V KN(odd)(V a, V b) { return __builtin_shufflevector(a, b, KN_ODD); }
/* a0 a2 ... of 2 KN_LANES - 1 consecutive elements; b begins at the last one of a, so that nothing more is read. */
static inline V KN(even_overlap)(V a, V b) { return __builtin_shufflevector(a, b, KN_EVEN_OVERLAP); }
static inline V KN(zip_low)(V a, V b) { return __builtin_shufflevector(a, b, KN_ZIP_LOW); }
static inline V KN(zip_high)(V a, V b) { return __builtin_shufflevector(a, b, KN_ZIP_HIGH); }
static inline V KN(quarters_low)(V a, V b) { return __builtin_shufflevector(a, b, KN_QUARTERS_LOW); }
static inline V KN(quarters_high)(V a, V b) { return __builtin_shufflevector(a, b, KN_QUARTERS_HIGH); }
/* The last element of a, then those of b but its last. */
static inline V KN(slide)(V a, V b) { return __builtin_shufflevector(a, b, KN_SLIDE); }
/* a, a lane further up or down; where a lane is left over, the first of b. */
static inline V KN(slide_up)(V a, V b) { return __builtin_shufflevector(a, b, KN_SLIDE_UP); }
static inline V KN(slide_down)(V a, V b) { return __builtin_shufflevector(a, b, KN_SLIDE_DOWN); }

#if KN_SIZE == 4
/* The same of units of 1, 2 or 4 lanes: every second unit of the pair (a, b), from the first or the second on; the units
 * of a and b by turns, two halves. */
#define KN_EVEN_AT(i, u) (i) / (u) * 2 * (u) + (i) % (u)
#define KN_ODD_AT(i, u) KN_EVEN_AT(i, u) + (u)
#define KN_ZIP_AT(i, u) (i) / (u) % 2 * KN_VBYTES / KN_SIZE + (i) / (u) / 2 * (u) + (i) % (u)
#define KN_ZIP_HIGH_AT(i, u) KN_ZIP_AT((i) + KN_VBYTES / KN_SIZE, u)
#define KN_UNITS(name, at, u, a, b) ((u) == 1 ? KN(name)(a, b) \
    : (u) == 2 ? __builtin_shufflevector(a, b, KN_LIST(at, 2)) : __builtin_shufflevector(a, b, KN_LIST(at, 4)))
static inline __attribute__((always_inline)) V KN(even_units)(V a, V b, const int u)
{
    return KN_UNITS(even, KN_EVEN_AT, u, a, b);
}
static inline __attribute__((always_inline)) V KN(odd_units)(V a, V b, const int u)
{
    return KN_UNITS(odd, KN_ODD_AT, u, a, b);
}
static inline __attribute__((always_inline)) V KN(zip_low_units)(V a, V b, const int u)
{
    return KN_UNITS(zip_low, KN_ZIP_AT, u, a, b);
}
static inline __attribute__((always_inline)) V KN(zip_high_units)(V a, V b, const int u)
{
    return KN_UNITS(zip_high, KN_ZIP_HIGH_AT, u, a, b);
}
#endif
