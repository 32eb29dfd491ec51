/* Response normalisation: each number is divided by a power of what its own and its neighbours' channels hold at its
 * pixel. As for softmax across rows, columns of (n, inner) stand beside each other in vectors; divisors take the place
 * of results until those are known. */

/* EMIT(k, c, sum of TERM(k, .) over the channels from c - before to c + after) for each channel c, in order, and k of
 * up to four vectors of columns.
 *
 * Channels are cut into blocks as long as a window, so that each window is the tail of one block and the head of the
 * next: three additions, however long it is (van Herk 1992; Gil and Werman 1993). Nothing is ever subtracted, as from a
 * running sum: the error of each sum is that of adding up its own terms in another order, at most `size` roundings, and
 * NaN and infinity stay within their windows. */
#define KN_NEIGHBOURS(TERM, EMIT)                                                                                      \
    for (ptrdiff_t first = 0; first < n + after; first += size) {                                                      \
        const ptrdiff_t end = first + size < n + after ? first + size : n + after;                                     \
        V head[4] = {KN_ZERO, KN_ZERO, KN_ZERO, KN_ZERO}, tail[4] = {KN_ZERO, KN_ZERO, KN_ZERO, KN_ZERO};              \
        for (ptrdiff_t j = first; j < end; j++) {                                                                      \
            const R *rest_of = first && j + 1 < first + size ? tails + (j + 1 - first) * 4 * KN_LANES : NULL;          \
            KN_UNROLL for (int k = 0; k < vectors; k++) {                                                              \
                if (j < n) head[k] += TERM(k, j);                                                                      \
                if (j >= after) EMIT(k, j - after, rest_of ? v_load(rest_of + k * KN_LANES) + head[k] : head[k])       \
            }                                                                                                          \
        }                                                                                                              \
        for (ptrdiff_t t = size - 1; t > 0 && end < n + after; t--)                                                    \
            KN_UNROLL for (int k = 0; k < vectors; k++) {                                                              \
                if (first + t < n) tail[k] += TERM(k, first + t);                                                      \
                v_store(tails + (t * 4 + k) * KN_LANES, tail[k]);                                                      \
            }                                                                                                          \
    }
#define KN_AT(k, c) ((c) * inner + i + (k) * KN_LANES)

static inline V KN(squared)(V v) { return v * v; }

/* y = share times the sum of the squares of x, plus base */
KN_INLINE void KN(response_divisors)(const kn_response *g, const R *x, R *y, ptrdiff_t i, ptrdiff_t width, R *tails,
                                     int vectors, int part)
{
    const ptrdiff_t n = g->channels, inner = g->inner, after = g->after, size = g->before + 1 + after;
    const ptrdiff_t rest = width - i - (vectors - 1) * KN_LANES;
    const R share = (R)g->share, base = (R)g->base;
#define KN_TERM(k, c) KN(squared)(KN_GET(x, KN_AT(k, c), k))
#define KN_EMIT(k, c, sum) KN_PUT(y, KN_AT(k, c), k, share * (sum) + base)
    KN_NEIGHBOURS(KN_TERM, KN_EMIT)
#undef KN_TERM
#undef KN_EMIT
}

/* dx -= 2 share beta x, times the sum of u, whose windows are those that see a channel: mirrored ones. */
KN_INLINE void KN(response_spread)(const kn_response *g, const R *x, const R *u, R *dx, ptrdiff_t i, ptrdiff_t width,
                                   R *tails, int vectors, int part)
{
    const ptrdiff_t n = g->channels, inner = g->inner, after = g->before, size = after + 1 + g->after;
    const ptrdiff_t rest = width - i - (vectors - 1) * KN_LANES;
    const R slope = (R)(2 * g->share * g->beta);
#define KN_TERM(k, c) v_load(u + ((c) * 4 + (k)) * KN_LANES)
#define KN_EMIT(k, c, sum)                                                                                             \
    KN_PUT(dx, KN_AT(k, c), k,                                                                                         \
           KN_GET(dx, KN_AT(k, c), k) - (slope * KN_GET(x, KN_AT(k, c), k)) * (sum))
    KN_NEIGHBOURS(KN_TERM, KN_EMIT)
#undef KN_TERM
#undef KN_EMIT
}

/* The powers that have a shorter way than by logarithms, and all others */
enum { KN(fall_half), KN(fall_three_quarters), KN(fall_whole), KN(fall_none), KN(fall_any) };

static inline int KN(fall_of)(double beta)
{
    return beta == 0.5    ? KN(fall_half)
           : beta == 0.75 ? KN(fall_three_quarters)
           : beta == 1    ? KN(fall_whole)
           : beta == 0    ? KN(fall_none)
                          : KN(fall_any);
}

/* d^-beta; of a negative d, `below` times that of |d| */
KN_INLINE V KN(fall)(V d, R beta, R below, int kind)
{
    if (kind == KN(fall_half)) return 1 / v_root(d);
    if (kind == KN(fall_three_quarters)) {
        const V root = v_root(d);
        return 1 / (root * v_root(root));
    }
    if (kind == KN(fall_whole)) return 1 / d;
    if (kind == KN(fall_none)) return v_of(1);
    const V p = v_exp(-beta * KN(ln)(KN(magnitude)(d)));
    return v_select(d < 0, below * p, p);
}

/* y = x / y^beta. The columns behind these will be asked for next: they are fetched meanwhile. */
KN_INLINE void KN(response_values)(const kn_response *g, const R *x, R *y, ptrdiff_t i, ptrdiff_t width, int vectors,
                                   int part, int kind)
{
    const ptrdiff_t inner = g->inner, rest = width - i - (vectors - 1) * KN_LANES;
    for (ptrdiff_t c = 0; c < g->channels; c++)
        for (int k = 0; k < vectors; k++) {
            const ptrdiff_t at = KN_AT(k, c);
            __builtin_prefetch(x + at + vectors * KN_LANES);
            __builtin_prefetch(y + at + vectors * KN_LANES, 1);
            KN_PUT(y, at, k, KN_GET(x, at, k) * KN(fall)(KN_GET(y, at, k), (R)g->beta, (R)g->below, kind))
        }
}

/* dx = dy / d^beta and u = dx x / d, where d is what dx holds */
KN_INLINE void KN(response_slopes)(const kn_response *g, const R *dy, const R *x, R *dx, R *u, ptrdiff_t i,
                                   ptrdiff_t width, int vectors, int part, int kind)
{
    const ptrdiff_t inner = g->inner, rest = width - i - (vectors - 1) * KN_LANES;
    for (ptrdiff_t c = 0; c < g->channels; c++)
        for (int k = 0; k < vectors; k++) {
            const ptrdiff_t at = KN_AT(k, c);
            __builtin_prefetch(dy + at + vectors * KN_LANES);
            __builtin_prefetch(x + at + vectors * KN_LANES);
            __builtin_prefetch(dx + at + vectors * KN_LANES, 1);
            const V d = KN_GET(dx, at, k);
            const V scaled = KN_GET(dy, at, k) * KN(fall)(d, (R)g->beta, (R)g->below, kind);
            v_store(u + (c * 4 + k) * KN_LANES, scaled * KN_GET(x, at, k) / d);
            KN_PUT(dx, at, k, scaled)
        }
}

/* CALL(kind), with a constant, for the beta of g: inlined, each by itself */
#define KN_BY_FALL(CALL)                                                                                               \
    switch (KN(fall_of)(g->beta)) {                                                                                    \
    case KN(fall_half): CALL(KN(fall_half)); break;                                                                    \
    case KN(fall_three_quarters): CALL(KN(fall_three_quarters)); break;                                                \
    case KN(fall_whole): CALL(KN(fall_whole)); break;                                                                  \
    case KN(fall_none): CALL(KN(fall_none)); break;                                                                    \
    default: CALL(KN(fall_any));                                                                                       \
    }

static void KN(response_rise)(const kn_response *g, const R *x, R *y, ptrdiff_t i, ptrdiff_t width, int vectors,
                              int part)
{
#define KN_CALL(kind) KN(response_values)(g, x, y, i, width, vectors, part, kind)
    KN_BY_FALL(KN_CALL)
#undef KN_CALL
}

static void KN(response_turn)(const kn_response *g, const R *dy, const R *x, R *dx, R *u, ptrdiff_t i, ptrdiff_t width,
                              int vectors, int part)
{
#define KN_CALL(kind) KN(response_slopes)(g, dy, x, dx, u, i, width, vectors, part, kind)
    KN_BY_FALL(KN_CALL)
#undef KN_CALL
}

/* The same, each compiled once for four vectors and once for one. */
static void KN(response_begin)(const kn_response *g, const R *x, R *y, ptrdiff_t i, ptrdiff_t width, R *tails,
                               int vectors, int part)
{
    if (vectors == 4)
        KN(response_divisors)(g, x, y, i, width, tails, 4, 0);
    else
        KN(response_divisors)(g, x, y, i, width, tails, 1, part);
}

static void KN(response_end)(const kn_response *g, const R *x, const R *u, R *dx, ptrdiff_t i, ptrdiff_t width,
                             R *tails, int vectors, int part)
{
    if (vectors == 4)
        KN(response_spread)(g, x, u, dx, i, width, tails, 4, 0);
    else
        KN(response_spread)(g, x, u, dx, i, width, tails, 1, part);
}

static void KN(response)(const kn_response *g, const void *x, void *y, ptrdiff_t width, void *tails)
{
    ptrdiff_t i = 0;
#define KN_CALL(vectors, part)                                                                                         \
    {                                                                                                                  \
        KN(response_begin)(g, x, y, i, width, tails, vectors, part);                                                   \
        KN(response_rise)(g, x, y, i, width, vectors, part);                                                           \
    }
    KN_COLUMNS(KN_CALL)
#undef KN_CALL
}

static void KN(response_backward)(const kn_response *g, const void *dy, const void *x, void *dx, ptrdiff_t width,
                                  void *memory)
{
    R *u = memory, *tails = u + g->channels * 4 * KN_LANES;
    ptrdiff_t i = 0;
#define KN_CALL(vectors, part)                                                                                         \
    {                                                                                                                  \
        KN(response_begin)(g, x, dx, i, width, tails, vectors, part);                                                  \
        KN(response_turn)(g, dy, x, dx, u, i, width, vectors, part);                                                   \
        KN(response_end)(g, x, u, dx, i, width, tails, vectors, part);                                                 \
    }
    KN_COLUMNS(KN_CALL)
#undef KN_CALL
}
#undef KN_COLUMNS
