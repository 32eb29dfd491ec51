/* The vector vocabulary, on GNU vector extensions: one vector type V of KN_LANES elements of R.
 *
 * Included once per dtype by kn_isa.inc, inside the region of one instruction set, hence no include guard and only
 * macros and static functions: nothing here may be shared between instruction sets. */

#ifndef KN_PASTE
#define KN_PASTE_(dtype, name, isa) kn_##dtype##_##name##__##isa
#define KN_PASTE(dtype, name, isa) KN_PASTE_(dtype, name, isa)
#endif
#define KN(name) KN_PASTE(KN_DTYPE, name, KN_ISA)

#define R KN_REAL
#define V KN(vector)
#define M KN(mask)
#define KN_LANES ((ptrdiff_t)(KN_VBYTES / sizeof(R)))
#define KN_UNROLL _Pragma("GCC unroll 16")

typedef R V __attribute__((vector_size(KN_VBYTES)));
typedef R KN(loose) __attribute__((vector_size(KN_VBYTES), aligned(sizeof(R)), may_alias));
typedef KN_INT M __attribute__((vector_size(KN_VBYTES)));

static inline V KN(load)(const R *p) { return *(const KN(loose) *)p; }
static inline void KN(store)(R *p, V v) { *(KN(loose) *)p = v; }

/* a where the mask is set, else b */
static inline V KN(select)(M mask, V a, V b) { return (V)(((M)a & mask) | ((M)b & ~mask)); }

/* The larger, the smaller; b where a or b is NaN. */
#if defined(KN_AVX512) && KN_SIZE == 4
static inline V KN(max)(V a, V b) { return _mm512_max_ps(a, b); }
static inline V KN(min)(V a, V b) { return _mm512_min_ps(a, b); }
#elif defined(KN_AVX512)
static inline V KN(max)(V a, V b) { return _mm512_max_pd(a, b); }
static inline V KN(min)(V a, V b) { return _mm512_min_pd(a, b); }
#elif defined(KN_AVX2) && KN_SIZE == 4
static inline V KN(max)(V a, V b) { return _mm256_max_ps(a, b); }
static inline V KN(min)(V a, V b) { return _mm256_min_ps(a, b); }
#elif defined(KN_AVX2)
static inline V KN(max)(V a, V b) { return _mm256_max_pd(a, b); }
static inline V KN(min)(V a, V b) { return _mm256_min_pd(a, b); }
#else
static inline V KN(max)(V a, V b) { return KN(select)(a > b, a, b); }
static inline V KN(min)(V a, V b) { return KN(select)(a < b, a, b); }
#endif

#include "kn_shuffle.h"

/* The lanes below n, for the masked instructions; n from 0 to KN_LANES. */
#if defined(KN_AVX512)
#define KN_MASK(n) ((unsigned short)((1u << (n)) - 1))
#elif defined(KN_AVX2)
static inline __m256i KN(mask_below)(ptrdiff_t n) { return (__m256i)((M){KN_IOTA} < (KN_INT)n); }
#define KN_MASK(n) KN(mask_below)(n)
#endif

/* The first n elements, zeros after them. */
static inline V KN(load_part)(const R *p, ptrdiff_t n)
{
#if defined(KN_AVX512) && KN_SIZE == 4
    return _mm512_maskz_loadu_ps(KN_MASK(n), p);
#elif defined(KN_AVX512)
    return _mm512_maskz_loadu_pd((__mmask8)KN_MASK(n), p);
#elif defined(KN_AVX2) && KN_SIZE == 4
    return _mm256_maskload_ps(p, KN_MASK(n));
#elif defined(KN_AVX2)
    return _mm256_maskload_pd(p, KN_MASK(n));
#else
    union { V v; R r[KN_VBYTES / KN_SIZE]; } u = {.r = {0}};
    for (ptrdiff_t i = 0; i < n; i++) u.r[i] = p[i];
    return u.v;
#endif
}

/* The first n elements of v. */
static inline void KN(store_part)(R *p, V v, ptrdiff_t n)
{
#if defined(KN_AVX512) && KN_SIZE == 4
    _mm512_mask_storeu_ps(p, KN_MASK(n), v);
#elif defined(KN_AVX512)
    _mm512_mask_storeu_pd(p, (__mmask8)KN_MASK(n), v);
#elif defined(KN_AVX2) && KN_SIZE == 4
    _mm256_maskstore_ps(p, KN_MASK(n), v);
#elif defined(KN_AVX2)
    _mm256_maskstore_pd(p, KN_MASK(n), v);
#else
    const union { V v; R r[KN_VBYTES / KN_SIZE]; } u = {.v = v};
    for (ptrdiff_t i = 0; i < n; i++) p[i] = u.r[i];
#endif
}

#if defined(KN_AVX512)
/* The even lanes whose bit is set in mask. */
static inline void KN(store_even)(R *p, V v, unsigned mask)
{
#if KN_SIZE == 4
    _mm512_mask_storeu_ps(p, (__mmask16)(mask & 0x5555), v);
#else
    _mm512_mask_storeu_pd(p, (__mmask8)(mask & 0x55), v);
#endif
}
#endif

/* Whether a vector is a line of the caches. Then v goes to p past them, aligned; fence_past comes behind the last. */
#if defined(KN_AVX512)
#define KN_LINE 1
static inline void KN(store_past)(R *p, V v) { _mm512_stream_si512((__m512i *)p, (__m512i)v); }
static inline void KN(fence_past)(void) { _mm_sfence(); }
#else
#define KN_LINE 0
static inline void KN(store_past)(R *p, V v) { KN(store)(p, v); }
static inline void KN(fence_past)(void) {}
#endif

/* The lanes from low to high - 1, which may lie outside; and the elements of p in such lanes, zeros in the others. */
#if defined(KN_AVX512)
typedef unsigned short KN(lanes);
#elif defined(KN_AVX2)
typedef __m256i KN(lanes);
#else
typedef struct { ptrdiff_t low, high; } KN(lanes);
#endif

static inline KN(lanes) KN(lanes_between)(ptrdiff_t low, ptrdiff_t high)
{
    low = low < 0 ? 0 : low > KN_LANES ? KN_LANES : low;
    high = high < low ? low : high > KN_LANES ? KN_LANES : high;
#if defined(KN_AVX512)
    return KN_MASK(high) & ~KN_MASK(low);
#elif defined(KN_AVX2)
    return _mm256_andnot_si256(KN_MASK(low), KN_MASK(high));
#else
    return (KN(lanes)){low, high};
#endif
}

static inline V KN(load_lanes)(const R *p, KN(lanes) lanes)
{
#if defined(KN_AVX512) && KN_SIZE == 4
    return _mm512_maskz_loadu_ps(lanes, p);
#elif defined(KN_AVX512)
    return _mm512_maskz_loadu_pd((__mmask8)lanes, p);
#elif defined(KN_AVX2) && KN_SIZE == 4
    return _mm256_maskload_ps(p, lanes);
#elif defined(KN_AVX2)
    return _mm256_maskload_pd(p, lanes);
#else
    if (lanes.low == 0 && lanes.high == KN_LANES) return KN(load)(p);
    union { V v; R r[KN_VBYTES / KN_SIZE]; } u = {.r = {0}};
    for (ptrdiff_t i = lanes.low; i < lanes.high; i++) u.r[i] = p[i];
    return u.v;
#endif
}

/* The elements p[low] to p[high - 1], each in its lane, zeros in the other lanes; low and high may lie outside. */
static inline V KN(load_between)(const R *p, ptrdiff_t low, ptrdiff_t high)
{
    if (low <= 0 && high >= KN_LANES) return KN(load)(p);
    return KN(load_lanes)(p, KN(lanes_between)(low, high));
}

/* The first n lanes of each of ``strips`` equal parts of v, one part behind the other; whole vectors are written. */
#if !defined(KN_AVX512) || KN_SIZE != 4
static __attribute__((noinline, unused)) void KN(store_parts)(R *p, V v, ptrdiff_t strips, ptrdiff_t n)
{
    const union { V v; R r[KN_VBYTES / KN_SIZE]; } u = {.v = v};
    const ptrdiff_t part = KN_LANES / strips;
    for (ptrdiff_t s = 0; s < strips; s++)
        for (ptrdiff_t i = 0; i < n; i++) p[s * n + i] = u.r[s * part + i];
}
#endif

static inline void KN(store_strips)(R *p, V v, ptrdiff_t strips, ptrdiff_t n)
{
#if defined(KN_AVX512) && KN_SIZE == 4
    if (strips > 1) {
        const unsigned part = (1u << n) - 1;
        v = _mm512_maskz_compress_ps((__mmask16)(strips == 2 ? part * 0x101 : part * 0x1111), v);
    }
    KN(store)(p, v);
#else
    if (strips == 1)
        KN(store)(p, v);
    else
        KN(store_parts)(p, v, strips, n);
#endif
}

/* The first n elements, those of fill after them. */
static inline V KN(load_fill)(const R *p, ptrdiff_t n, V fill)
{
    return KN(select)((M){KN_IOTA} < (KN_INT)n, KN(load_part)(p, n), fill);
}

/* load_part for any n: nothing where it is negative, all where it is more than a vector. */
static inline V KN(load_clamped)(const R *p, ptrdiff_t n)
{
    return n >= KN_LANES ? KN(load)(p) : n > 0 ? KN(load_part)(p, n) : (V){0};
}

/* The first n elements of v, all of them where n is more than a vector; n is at least 0. */
static inline void KN(store_first)(R *p, V v, ptrdiff_t n)
{
    if (n >= KN_LANES)
        KN(store)(p, v);
    else
        KN(store_part)(p, v, n);
}

/* The sum of the elements, in a fixed tree: halves onto each other, down to two vectors' worth of 16 bytes. */
static inline R KN(sum)(V v)
{
#if KN_VBYTES == 64
    typedef R half __attribute__((vector_size(32)));
    const union { V v; half h[2]; } a = {.v = v};
    const half u = a.h[0] + a.h[1];
#elif KN_VBYTES == 32
    const V u = v;
#endif
    typedef R quarter __attribute__((vector_size(16)));
#if KN_VBYTES >= 32
    const union { __typeof__(u) v; quarter q[2]; } b = {.v = u};
    const quarter w = b.q[0] + b.q[1];
#else
    const quarter w = v;
#endif
    return sizeof(R) == 4 ? (w[0] + w[2 % (16 / sizeof(R))]) + (w[1] + w[3 % (16 / sizeof(R))]) : w[0] + w[1];
}

#define v_max KN(max)
#define v_min KN(min)
#define v_load KN(load)
#define v_select KN(select)
#define v_store KN(store)
#define v_load_part KN(load_part)
#define v_load_fill KN(load_fill)
#define v_store_part KN(store_part)
#define v_sum KN(sum)
