/* Softmax over the second axis of (n, inner): it runs across rows of ``inner`` numbers, ``width`` of which are taken, a
 * vector of sums beside the other. Special numbers go the way that they go along rows, see kn_softmax.h. */

/* STEP(c, k, at) for the cells c of each column, and k of up to four vectors of columns; i is the first column. */
#define KN_DOWN(first, last, STEP)                                                                                     \
    for (ptrdiff_t c = first; c < last; c++)                                                                           \
        KN_UNROLL for (int k = 0; k < vectors; k++) STEP(k, c * inner + i + k * KN_LANES)
#define KN_GET(p, at, k) (part && k == vectors - 1 ? v_load_part(p + (at), rest) : v_load(p + (at)))
#define KN_PUT(p, at, k, v)                                                                                            \
    {                                                                                                                  \
        if (part && k == vectors - 1)                                                                                  \
            v_store_part(p + (at), v, rest);                                                                           \
        else                                                                                                           \
            v_store(p + (at), v);                                                                                      \
    }

KN_INLINE void KN(softmax_columns)(const R *x, R *y, ptrdiff_t n, ptrdiff_t inner, ptrdiff_t i, ptrdiff_t width,
                                   int log, int vectors, int part)
{
    V top[4], sum[4], some[4];
    const ptrdiff_t rest = width - i - (vectors - 1) * KN_LANES;
    KN_UNROLL for (int k = 0; k < vectors; k++) {
        top[k] = v_of(-(R)__builtin_inf());
        sum[k] = some[k] = KN_ZERO;
    }
#define KN_STEP(k, at) top[k] = v_max(top[k], KN_GET(x, at, k));
    KN_DOWN(0, n, KN_STEP)
#undef KN_STEP
#define KN_STEP(k, at)                                                                                                 \
    {                                                                                                                  \
        const V e = v_exp(KN_GET(x, at, k) - top[k]);                                                                  \
        if (!log) KN_PUT(y, at, k, e)                                                                                  \
        some[k] += e;                                                                                                  \
    }
    for (ptrdiff_t from = 0; from < n; from += 32) { /* a sum of sums: the error grows with the root of n */
        KN_UNROLL for (int k = 0; k < vectors; k++) some[k] = KN_ZERO;
        KN_DOWN(from, (from + 32 < n ? from + 32 : n), KN_STEP)
        KN_UNROLL for (int k = 0; k < vectors; k++) sum[k] += some[k];
    }
#undef KN_STEP
    KN_UNROLL for (int k = 0; k < vectors; k++) sum[k] = log ? v_log(sum[k]) : 1 / sum[k];
#define KN_STEP(k, at) KN_PUT(y, at, k, log ? (KN_GET(x, at, k) - top[k]) - sum[k] : KN_GET(y, at, k) * sum[k])
    KN_DOWN(0, n, KN_STEP)
#undef KN_STEP
}

KN_INLINE void KN(softmax_slopes)(const R *dy, const R *y, R *dx, ptrdiff_t n, ptrdiff_t inner, ptrdiff_t i,
                                  ptrdiff_t width, int log, int vectors, int part)
{
    V sum[4] = {KN_ZERO, KN_ZERO, KN_ZERO, KN_ZERO};
    const ptrdiff_t rest = width - i - (vectors - 1) * KN_LANES;
#define KN_STEP(k, at) sum[k] += log ? KN_GET(dy, at, k) : KN_GET(dy, at, k) * KN_GET(y, at, k);
    KN_DOWN(0, n, KN_STEP)
#undef KN_STEP
#define KN_STEP(k, at)                                                                                                 \
    {                                                                                                                  \
        const V d = KN_GET(dy, at, k), s = KN_GET(y, at, k);                                                           \
        KN_PUT(dx, at, k, log ? d - sum[k] * v_exp(s) : s * (d - sum[k]))                                              \
    }
    KN_DOWN(0, n, KN_STEP)
#undef KN_STEP
}

/* CALL(vectors, whether the last is a part of one) for the columns below width, from i on */
#define KN_COLUMNS(CALL)                                                                                               \
    for (; i + 4 * KN_LANES <= width; i += 4 * KN_LANES) CALL(4, 0);                                                   \
    for (; i + KN_LANES <= width; i += KN_LANES) CALL(1, 0);                                                           \
    if (i < width) CALL(1, 1);

static void KN(softmax_across)(const void *x, void *y, ptrdiff_t n, ptrdiff_t inner, ptrdiff_t width, int log)
{
    ptrdiff_t i = 0;
#define KN_CALL(vectors, part) KN(softmax_columns)(x, y, n, inner, i, width, 0, vectors, part)
#define KN_LOG_CALL(vectors, part) KN(softmax_columns)(x, y, n, inner, i, width, 1, vectors, part)
    if (log) {
        KN_COLUMNS(KN_LOG_CALL)
    } else {
        KN_COLUMNS(KN_CALL)
    }
#undef KN_CALL
#undef KN_LOG_CALL
}

static void KN(softmax_across_backward)(const void *dy, const void *y, void *dx, ptrdiff_t n, ptrdiff_t inner,
                                        ptrdiff_t width, int log)
{
    ptrdiff_t i = 0;
#define KN_CALL(vectors, part) KN(softmax_slopes)(dy, y, dx, n, inner, i, width, 0, vectors, part)
#define KN_LOG_CALL(vectors, part) KN(softmax_slopes)(dy, y, dx, n, inner, i, width, 1, vectors, part)
    if (log) {
        KN_COLUMNS(KN_LOG_CALL)
    } else {
        KN_COLUMNS(KN_CALL)
    }
#undef KN_CALL
#undef KN_LOG_CALL
}
