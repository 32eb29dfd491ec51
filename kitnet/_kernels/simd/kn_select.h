/* Vocabulary for windows: choices lane by lane (masks on AVX-512, bits elsewhere), strided loads, integers. */

#define KN_BODY static inline __attribute__((always_inline)) void

#if defined(KN_AVX512) && KN_SIZE == 4
typedef __mmask16 KN(choice);
#define KN_COMPARE(a, b, how) _mm512_cmp_ps_mask(a, b, how)
static inline V KN(pick)(KN(choice) c, V a, V b) { return _mm512_mask_blend_ps(c, b, a); }
static inline M KN(pick_int)(KN(choice) c, M a, M b)
{
    return (M)_mm512_mask_blend_epi32(c, (__m512i)b, (__m512i)a);
}
#elif defined(KN_AVX512)
typedef __mmask8 KN(choice);
#define KN_COMPARE(a, b, how) _mm512_cmp_pd_mask(a, b, how)
static inline V KN(pick)(KN(choice) c, V a, V b) { return _mm512_mask_blend_pd(c, b, a); }
static inline M KN(pick_int)(KN(choice) c, M a, M b)
{
    return (M)_mm512_mask_blend_epi64(c, (__m512i)b, (__m512i)a);
}
#elif defined(KN_AVX2) && KN_SIZE == 4
typedef M KN(choice);
static inline V KN(pick)(KN(choice) c, V a, V b) { return _mm256_blendv_ps(b, a, (V)c); }
static inline M KN(pick_int)(KN(choice) c, M a, M b) { return (M)_mm256_blendv_ps((V)b, (V)a, (V)c); }
#elif defined(KN_AVX2)
typedef M KN(choice);
static inline V KN(pick)(KN(choice) c, V a, V b) { return _mm256_blendv_pd(b, a, (V)c); }
static inline M KN(pick_int)(KN(choice) c, M a, M b) { return (M)_mm256_blendv_pd((V)b, (V)a, (V)c); }
#else
typedef M KN(choice);
static inline V KN(pick)(KN(choice) c, V a, V b) { return (V)(((M)a & c) | ((M)b & ~c)); }
static inline M KN(pick_int)(KN(choice) c, M a, M b) { return (a & c) | (b & ~c); }
#endif

/* Whether v takes the place of best: it is larger, or the first NaN; and whether a > b. */
static inline KN(choice) KN(exceeds)(V v, V best)
{
#if defined(KN_AVX512)
    return KN_COMPARE(v, best, _CMP_NLE_UQ) & KN_COMPARE(best, best, _CMP_ORD_Q);
#else
    return (M)~(v <= best) & (M)(best == best);
#endif
}

static inline KN(choice) KN(greater)(V a, V b)
{
#if defined(KN_AVX512)
    return KN_COMPARE(a, b, _CMP_GT_OQ);
#else
    return (M)(a > b);
#endif
}

/* p[0], p[step], ...; step is 1 or 2. The lanes [a, b) only, zeros elsewhere, unless all; nothing else is read. */
static inline __attribute__((always_inline)) V KN(load_step)(const R *p, int step, ptrdiff_t a, ptrdiff_t b, int all)
{
    if (step == 1) return all ? v_load(p) : KN(load_between)(p, a, b);
    if (all) return KN(even_overlap)(v_load(p), v_load(p + KN_LANES - 1));
    return KN(even)(KN(load_between)(p, 2 * a, 2 * b - 1),
                    KN(load_between)(p + KN_LANES, 2 * a - KN_LANES, 2 * b - 1 - KN_LANES));
}

/* The first n lanes, all if n is KN_LANES; as 32-bit integers. */
static inline void KN(store_ints)(int *p, M v, ptrdiff_t n)
{
    typedef int ints __attribute__((vector_size(KN_VBYTES / KN_SIZE * 4)));
    typedef int loose __attribute__((vector_size(KN_VBYTES / KN_SIZE * 4), aligned(4), may_alias));
#if defined(KN_AVX512) && KN_SIZE == 8 /* GCC 12 would fuse convertvector and the masked store to one that faults */
    const ints w = (ints)_mm512_cvtepi64_epi32((__m512i)v);
#else
    const ints w = __builtin_convertvector(v, ints);
#endif
    if (n == KN_LANES) {
        *(loose *)p = w;
        return;
    }
#if defined(KN_AVX512) && KN_SIZE == 4
    _mm512_mask_storeu_epi32(p, KN_MASK(n), (__m512i)w);
#elif defined(KN_AVX512)
    _mm256_mask_storeu_epi32(p, (__mmask8)KN_MASK(n), (__m256i)w);
#else
    const union { ints v; int r[KN_VBYTES / KN_SIZE]; } u = {.v = w};
    for (ptrdiff_t i = 0; i < n; i++) p[i] = u.r[i];
#endif
}
