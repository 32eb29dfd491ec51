/* A plane under a square kernel of the usual sizes, whose taps lie side by side.
 *
 * A strip of the result, a vector wide, goes down the rows: each row of the source is read once, for all rows of the
 * result that it has a part in, whose sums wait in registers beside the weights. Of the elements that the taps of a
 * line meet one vector is loaded, and the others are made from it, a lane further each: where lines of the cache must
 * come from afar, loads that cross them are dear. Blocks of rows stay in the L1 cache, and fetch those to come. */

#define KN_INLINED static inline __attribute__((always_inline))
#define KN_DEPTH (8192 / KN_SIZE)    /* elements of the source in a block of rows */
#define KN_FURTHER (12288 / KN_SIZE) /* how far ahead to fetch */

/* Whether all lanes of all taps are inside, for the outputs from column q on. */
KN_INLINED int KN(window_inside)(const kn_plane *g, ptrdiff_t q)
{
    const ptrdiff_t first = q * g->step_w + g->left[0], last = q * g->step_w + g->left[g->taps - 1];
    return first >= 0 && last + KN_LANES * g->step_w <= g->width && q + KN_LANES <= g->columns;
}

/* How a strip lies: all lanes inside, some in the padding, or all of a row in the strip. The last is a case of the
 * second, told from it only where vectors are wide enough for rows that are worth the code. */
enum { KN(within), KN(edge), KN(alone) };
#define KN_BY_KIND(strip)                                                                                          \
    if (t.kind == KN(within))                                                                                      \
        strip(KN(within));                                                                                         \
    else if (KN_VBYTES > 32 && t.kind == KN(alone))                                                                \
        strip(KN(alone));                                                                                          \
    else                                                                                                           \
        strip(KN(edge))

/* A strip of a block: `n` columns of `rows` rows. */
typedef struct {
    const R *from; /* what the first tap meets, in row `y` of the source */
    R *to;
    ptrdiff_t width, height, y;
    ptrdiff_t to_row, rows, n;
    KN(lanes) lanes[2]; /* inside, of the vector of the middle tap, and of the one behind it */
    char inside[8];     /* for each tap, the lane that is not made of the tap beside it */
    int kind, past;     /* past: whole lines go past the caches */
} KN(descent);

/* Where the strip from column q on lies, in a block that begins with row y of the source. */
KN_INLINED void KN(begin_descent)(const kn_plane *g, const R *src, ptrdiff_t q, ptrdiff_t y, const int k,
                                  const int step, KN(descent) *t)
{
    const ptrdiff_t at = q * step + g->left[0], first = at + k / 2, end = g->width - first;
    t->width = g->width;
    t->height = g->height;
    t->y = y;
    t->from = src + y * g->width + at;
    t->n = g->columns - q;
    if (KN(window_inside)(g, q)) {
        t->kind = KN(within);
        return;
    }
    t->kind = first <= 0 && step * KN_LANES >= end ? KN(alone) : KN(edge);
    t->lanes[0] = KN(lanes_between)(-first, end);
    t->lanes[1] = KN(lanes_between)(-first - KN_LANES, end - KN_LANES);
    KN_UNROLL for (int j = 0; j < k; j++) {
        const ptrdiff_t place = at + j + (j < k / 2 ? 0 : (KN_LANES - 1) * step);
        t->inside[j] = place >= 0 && place < g->width;
    }
}

/* The element at p, in all lanes, 0 in the padding. */
KN_INLINED V KN(beside)(const R *p, const KN(descent) *t, const int j, const int kind)
{
    static const R zero = 0;
    if (kind == KN(alone)) return (V){0};
    return *(kind == KN(within) || t->inside[j] ? p : &zero) - (V){0};
}

/* What tap j of a line meets: loaded for the middle tap (in steps of two also for the next), and made from what the tap
 * beside it meets for the others. */
KN_INLINED void KN(make_tap)(const R *from, const KN(descent) *t, V *x, const int j, const int k, const int step,
                             const int kind)
{
    if (j < k / 2) {
        x[j] = KN(slide_up)(x[j + step], KN(beside)(from + j, t, j, kind));
    } else if (j >= k / 2 + step) {
        x[j] = KN(slide_down)(x[j - step], KN(beside)(from + j + (KN_LANES - 1) * step, t, j, kind));
    } else if (j == k / 2) {
        x[j] = kind == KN(within) ? v_load(from + j) : KN(load_lanes)(from + j, t->lanes[0]);
        if (step == 2) {
            const R *next = from + j + KN_LANES;
            const V a = x[j], b = kind == KN(within) ? v_load(next) : KN(load_lanes)(next, t->lanes[1]);
            x[j] = KN(even)(a, b);
            x[j + 1] = KN(odd)(a, b);
        }
    }
}

/* The order in which the taps are made: from the middle on, down and then up. */
#define KN_TAP(n, k) ((n) <= (k) / 2 ? (k) / 2 - (n) : (n))

/* What the row of the source at `from` adds to `rows` rows of the result: it is row i of the kernel for the first. */
KN_INLINED void KN(square_row)(const R *from, const KN(descent) *t, const V *w, V *s, const int rows, const int i,
                               const int k, const int step, const int kind)
{
    V x[8];
    KN_UNROLL for (int n = 0; n < k; n++) {
        const int j = KN_TAP(n, k);
        KN(make_tap)(from, t, x, j, k, step, kind);
        KN_UNROLL for (int o = 0; o < rows; o++)
            if (i >= o * step) s[o] += w[(i - o * step) * k + j] * x[j];
    }
}

KN_INLINED void KN(square_strip)(const KN(descent) *t, const V *w, V bias, R low, R high, const int k,
                                 const int step, const int kind)
{
    const int open = (k - 1) / step; /* rows of the result that have begun when one is done */
    const R *from = t->from;
    R *to = t->to;
    ptrdiff_t y = t->y;
    V s[7];
    KN_UNROLL for (int o = 0; o <= open; o++) s[o] = bias;
    KN_UNROLL for (int i = 0; i < k - step; i++, y++, from += t->width)
        if (y >= 0 && y < t->height) KN(square_row)(from, t, w, s, open, i, k, step, kind);
    for (ptrdiff_t r = 0; r < t->rows; r++, to += t->to_row) {
        s[open] = bias;
        KN_UNROLL for (int i = k - step; i < k; i++, y++, from += t->width) {
            if (y < 0 || y >= t->height) continue;
            __builtin_prefetch(from + KN_FURTHER);
            if (step == 2) __builtin_prefetch(from + KN_FURTHER + KN_LANES);
            KN(square_row)(from, t, w, s, open + 1, i, k, step, kind);
        }
        s[0] = KN(clip)(s[0], low, high);
        if (!t->past) __builtin_prefetch(to + KN_DEPTH, 1);
        if (KN_LINE && t->past && t->n >= KN_LANES)
            KN(store_past)(to, s[0]);
        else if (kind == KN(within))
            v_store(to, s[0]);
        else
            KN(store_first)(to, s[0], t->n);
        KN_UNROLL for (int o = 0; o < open; o++) s[o] = s[o + 1];
    }
}

KN_INLINED void KN(square_plane)(const kn_plane *g, const R *src, const R *taps, R bias, R low, R high, R *dst,
                                 const int k, const int step)
{
    const ptrdiff_t least = KN_DEPTH / (step * g->width), block = least > 8 ? least : 8;
    KN(descent) t = {.to_row = g->to_row};
    t.past = g->past && KN_LINE && (size_t)dst % KN_VBYTES == 0 && g->to_row % KN_LANES == 0;
    V w[49];
    KN_UNROLL for (int i = 0; i < k * k; i++) w[i] = taps[i] - (V){0};
    for (ptrdiff_t r = 0; r < g->rows; r += block) {
        t.rows = g->rows - r < block ? g->rows - r : block;
        for (ptrdiff_t q = 0; q < g->columns; q += KN_LANES) {
            KN(begin_descent)(g, src, q, r * step + g->top[0], k, step, &t);
            t.to = dst + r * g->to_row + q;
#define KN_STRIP(kind) KN(square_strip)(&t, w, bias - (V){0}, low, high, k, step, kind)
            KN_BY_KIND(KN_STRIP);
#undef KN_STRIP
        }
    }
    if (t.past) KN(fence_past)();
}

/* dst[r * to_row + q] = clip(sum of the taps + bias), NaN kept; returns 0, and does nothing, for other kernels. */
static int KN(window_square)(const kn_plane *g, const R *src, const R *w, R bias, R low, R high, R *dst)
{
#define KN_SQUARE(k, step)                                                                                         \
    if (g->square == k && g->step_h == step && g->step_w == step) {                                                \
        KN(square_plane)(g, src, w, bias, low, high, dst, k, step);                                                \
        return 1;                                                                                                  \
    }
    KN_SQUARE(3, 1)
    KN_SQUARE(3, 2)
    KN_SQUARE(5, 1)
    KN_SQUARE(5, 2)
    KN_SQUARE(7, 1)
#undef KN_SQUARE
    return 0;
}
