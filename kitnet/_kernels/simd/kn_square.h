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

/* A strip of a block: `n` columns of `rows` rows. */
typedef struct {
    const R *from; /* what the first tap meets, in row `y` of the source */
    R *to;
    ptrdiff_t width, height, y;
    ptrdiff_t to_row, rows, n;
    KN(lanes) lanes[8];
} KN(descent);

/* The elements that tap j of a line meets (in steps of two also those of the next tap), zeros in the padding. */
KN_INLINED void KN(load_tap)(const R *from, const KN(lanes) *lanes, V *x, const int j, const int step)
{
    const V a = KN(load_lanes)(from + j, lanes[j]);
    x[j] = a;
    if (step == 2) {
        const V b = KN(load_lanes)(from + j + KN_LANES, lanes[j + 1]);
        x[j] = KN(even)(a, b);
        x[j + 1] = KN(odd)(a, b);
    }
}

/* The same where all lanes are inside: loaded for the middle tap, and made from those of the tap beside it. */
KN_INLINED void KN(make_tap)(const R *from, V *x, const int j, const int k, const int step)
{
    if (j < k / 2) {
        x[j] = KN(slide_up)(x[j + step], from[j] - (V){0});
    } else if (j >= k / 2 + step) {
        x[j] = KN(slide_down)(x[j - step], from[j + (KN_LANES - 1) * step] - (V){0});
    } else if (j == k / 2) {
        x[j] = v_load(from + j);
        if (step == 2) {
            const V a = x[j], b = v_load(from + j + KN_LANES);
            x[j] = KN(even)(a, b);
            x[j + 1] = KN(odd)(a, b);
        }
    }
}

/* What the row of the source at `from` adds to `rows` rows of the result: it is row i of the kernel for the first. */
KN_INLINED void KN(square_row)(const R *from, const KN(lanes) *lanes, const V *w, V *s, const int rows, const int i,
                               const int k, const int step, const int whole)
{
    V x[8];
    KN_UNROLL for (int n = 0; n < k; n++) {
        const int j = whole && n <= k / 2 ? k / 2 - n : n; /* from the middle on */
        if (whole)
            KN(make_tap)(from, x, j, k, step);
        else if (j % step == 0)
            KN(load_tap)(from, lanes, x, j, step);
        KN_UNROLL for (int o = 0; o < rows; o++)
            if (i >= o * step) s[o] += w[(i - o * step) * k + j] * x[j];
    }
}

KN_INLINED void KN(square_strip)(const KN(descent) *t, const V *w, V bias, R low, R high, const int k,
                                 const int step, const int whole)
{
    const int open = (k - 1) / step; /* rows of the result that have begun when one is done */
    const R *from = t->from;
    R *to = t->to;
    ptrdiff_t y = t->y;
    V s[7];
    KN_UNROLL for (int o = 0; o <= open; o++) s[o] = bias;
    KN_UNROLL for (int i = 0; i < k - step; i++, y++, from += t->width)
        if (y >= 0 && y < t->height) KN(square_row)(from, t->lanes, w, s, open, i, k, step, whole);
    for (ptrdiff_t r = 0; r < t->rows; r++, to += t->to_row) {
        s[open] = bias;
        KN_UNROLL for (int i = k - step; i < k; i++, y++, from += t->width) {
            if (y < 0 || y >= t->height) continue;
            __builtin_prefetch(from + KN_FURTHER);
            if (step == 2) __builtin_prefetch(from + KN_FURTHER + KN_LANES);
            KN(square_row)(from, t->lanes, w, s, open + 1, i, k, step, whole);
        }
        __builtin_prefetch(to + KN_DEPTH, 1);
        s[0] = KN(clip)(s[0], low, high);
        if (whole)
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
    KN(descent) t = {.width = g->width, .height = g->height, .to_row = g->to_row};
    V w[49];
    KN_UNROLL for (int i = 0; i < k * k; i++) w[i] = taps[i] - (V){0};
    for (ptrdiff_t r = 0; r < g->rows; r += block) {
        t.rows = g->rows - r < block ? g->rows - r : block;
        t.y = r * step + g->top[0];
        for (ptrdiff_t q = 0; q < g->columns; q += KN_LANES) {
            const ptrdiff_t at = q * step + g->left[0], end = g->width - at;
            t.from = src + t.y * g->width + at;
            t.to = dst + r * g->to_row + q;
            t.n = g->columns - q;
            if (KN(window_inside)(g, q)) {
                KN(square_strip)(&t, w, bias - (V){0}, low, high, k, step, 1);
                continue;
            }
            KN_UNROLL for (int j = 0; j < k; j += step) {
                t.lanes[j] = KN(lanes_between)(-at - j, end - j);
                if (step == 2) t.lanes[j + 1] = KN(lanes_between)(-at - j - KN_LANES, end - j - KN_LANES);
            }
            KN(square_strip)(&t, w, bias - (V){0}, low, high, k, step, 0);
        }
    }
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
