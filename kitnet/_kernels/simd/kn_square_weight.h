/* The gradient of the weights of such a kernel: dy takes the place of the results of kn_square.h, and the sums of as many
 * lines of taps as fit wait in registers while a strip goes down the rows. For these lines each row of dy and of the
 * source is read once.
 *
 * The lanes behind the last column may meet anything, and are dropped with their sums at the end of each strip. */

/* What the row of the source at `from` adds to the sums: it is row i of the kernel for the first of `rows` rows of dy. */
KN_INLINED void KN(weight_row)(const R *from, const KN(descent) *t, const V *d, V *s, const int rows, const int i,
                               const int k, const int step, const int kind)
{
    V x[8];
    KN_UNROLL for (int n = 0; n < k; n++) {
        const int j = KN_TAP(n, k);
        KN(make_tap)(from, t, x, j, k, step, kind);
        KN_UNROLL for (int o = 0; o < rows; o++)
            if (i >= o * step) s[(i - o * step) * k + j] += d[o] * x[j];
    }
}

/* The same in the padding: zeros, which may meet a dy that is not finite. */
KN_INLINED void KN(weight_none)(const V *d, V *s, const int rows, const int i, const int k, const int step)
{
    KN_UNROLL for (int o = 0; o < rows; o++)
        if (i >= o * step)
            KN_UNROLL for (int j = 0; j < k; j++) s[(i - o * step) * k + j] += d[o] * (V){0};
}

/* The rows of the source from row i of the kernel on, `count` of them. */
KN_INLINED const R *KN(weight_rows)(const R *from, KN(descent) *t, const V *d, V *s, const int rows, const int i,
                                    const int count, ptrdiff_t ahead, const int k, const int step, const int kind)
{
    KN_UNROLL for (int c = 0; c < count; c++, t->y++, from += t->width) {
        if (t->y < 0 || t->y >= t->height) {
            KN(weight_none)(d, s, rows, i + c, k, step);
            continue;
        }
        __builtin_prefetch(from + ahead);
        if (step == 2) __builtin_prefetch(from + ahead + KN_LANES);
        KN(weight_row)(from, t, d, s, rows, i + c, k, step, kind);
    }
    return from;
}

/* Returns the sums of dy, lane by lane. */
KN_INLINED V KN(weight_strip)(KN(descent) t, const R *dy, ptrdiff_t columns, ptrdiff_t dy_ahead, ptrdiff_t ahead,
                              R *sums, const int lines, const int k, const int step, const int kind)
{
    const int open = (lines - 1) / step;
    const ptrdiff_t n = t.n < KN_LANES ? t.n : KN_LANES;
    const KN(lanes) lanes = KN(lanes_between)(0, n);
    const R *from = t.from;
    V s[25], d[5], total = {0};
    KN_UNROLL for (int a = 0; a < lines * k; a++) s[a] = (V){0};
    KN_UNROLL for (int o = 0; o < open; o++, dy += columns) {
        d[o] = kind == KN(within) ? v_load(dy) : KN(load_lanes)(dy, lanes);
        total += d[o];
    }
    from = KN(weight_rows)(from, &t, d, s, open, 0, lines - step, ahead, k, step, kind);
    for (ptrdiff_t r = open; r < t.rows; r++, dy += columns) {
        __builtin_prefetch(dy + dy_ahead);
        d[open] = kind == KN(within) ? v_load(dy) : KN(load_lanes)(dy, lanes);
        total += d[open];
        from = KN(weight_rows)(from, &t, d, s, open + 1, lines - step, step, ahead, k, step, kind);
        KN_UNROLL for (int o = 0; o < open; o++) d[o] = d[o + 1];
    }
    KN_UNROLL for (int left = open; left > 0; left--) {
        from = KN(weight_rows)(from, &t, d, s, left, lines - step, step, ahead, k, step, kind);
        KN_UNROLL for (int o = 0; o + 1 < left; o++) d[o] = d[o + 1];
    }
    KN_UNROLL for (int a = 0; a < lines * k; a++) {
        const V own = kind == KN(within) ? s[a] : v_select((M){KN_IOTA} < (KN_INT)n, s[a], (V){0});
        v_store(sums + a * KN_LANES, v_load(sums + a * KN_LANES) + own);
    }
    return total;
}

/* The lines from `first` on; returns the sum of dy. */
KN_INLINED R KN(weight_lines)(const kn_plane *g, const R *dy, ptrdiff_t dy_ahead, const R *src, ptrdiff_t ahead, R *sums,
                              const int first, const int lines, const int k, const int step)
{
    const ptrdiff_t rows = KN_DEPTH / (step * g->width), least = rows > 8 ? rows : 8;
    const ptrdiff_t blocks = g->rows > least ? g->rows / least : 1;
    V total = {0};
    for (ptrdiff_t b = 0; b < blocks; b++) {
        const ptrdiff_t r = g->rows * b / blocks;
        for (ptrdiff_t q = 0; q < g->columns; q += KN_LANES) {
            const R *d = dy + r * g->columns + q;
            KN(descent) t;
            KN(begin_descent)(g, src, q, r * step + g->top[first], k, step, &t);
            t.rows = g->rows * (b + 1) / blocks - r;
#define KN_STRIP(kind)                                                                                             \
    total += KN(weight_strip)(t, d, g->columns, dy_ahead, ahead, sums + first * k * KN_LANES, lines, k, step, kind)
            KN_BY_KIND(KN_STRIP);
#undef KN_STRIP
        }
    }
    return v_sum(total);
}

/* sums[tap] += the products of dy and the source under the tap, *total the sum of dy; returns 0, and does nothing, for
 * other kernels. */
static int KN(weight_square)(const kn_plane *g, const R *dy, ptrdiff_t dy_ahead, const R *src, ptrdiff_t ahead, R *sums,
                             R *total)
{
    if (g->step_h != g->step_w || g->rows < g->square) return 0;
#define KN_LINES(first, lines, k, step) KN(weight_lines)(g, dy, dy_ahead, src, ahead, sums, first, lines, k, step)
    switch (16 * g->step_w + g->square) {
    case 16 + 3:
        *total = KN_LINES(0, 3, 3, 1);
        return 1;
    case 32 + 3:
        *total = KN_LINES(0, 3, 3, 2);
        return 1;
    case 16 + 5:
        *total = KN_LINES(0, 3, 5, 1);
        KN_LINES(3, 2, 5, 1);
        return 1;
    case 32 + 5:
        *total = KN_LINES(0, 3, 5, 2);
        KN_LINES(3, 2, 5, 2);
        return 1;
    case 16 + 7:
        *total = KN_LINES(0, 3, 7, 1);
        KN_LINES(3, 2, 7, 1);
        KN_LINES(5, 2, 7, 1);
        return 1;
    }
#undef KN_LINES
    return 0;
}
