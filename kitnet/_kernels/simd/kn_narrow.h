/* Means of planes as they lie, for windows 2 wide without padding, or 3 wide with 0 or 1 column of it, stride 2 along the
 * rows: what kn_line.h puts into lines stays in registers. In rows that have their regular number of partners, vectors
 * pass the ends of rows on both sides; the few others ("outer" rows) are done with care. */

/* ---- forward: every second element is one tap of a vector of windows, those between the next; of windows 3 wide the
 * first tap is the last one of the window before ---- */

KN_FORCE void KN(mean_row)(KN(pile) s, ptrdiff_t n, int kernel, ptrdiff_t pad, int edge, R scale, const R *by_column,
                           ptrdiff_t left, R *y)
{
    const ptrdiff_t base = kernel == 3 ? 1 - pad : 0;
    V last = {0};
    if (kernel == 3 && pad == 0) last = KN(down)(s, 0, edge)[0] - last;
    for (ptrdiff_t o = 0; o < n; o += KN_LANES) {
        const V a = KN(down)(s, base + 2 * o, edge), b = KN(down)(s, base + 2 * o + KN_LANES, edge);
        const V odd = KN(odd)(a, b);
        V sum = KN(even)(a, b) + odd;
        if (kernel == 3) sum += KN(slide)(last, odd);
        last = odd;
        sum = sum / (scale * v_load(by_column + o));
        if (edge == KN_CLOSED)
            KN(spill)(y + o, sum, left - o);
        else
            v_store(y + o, sum);
    }
}

KN_APART void KN(mean_outer)(const kn_sheet *s, ptrdiff_t r, const R *x, const R *by_row, const R *by_column, R *y)
{
    const ptrdiff_t n = s->row->out, left = (s->rows - r) * n;
    const KN(pile) pile = KN(pile_of)(s, s->h + r, x, NULL);
    if (s->row->kernel == 2)
        KN(mean_row)(pile, n, 2, 0, KN_CLOSED, by_row[r], by_column, left, y + r * n);
    else
        KN(mean_row)(pile, n, 3, s->row->pad, KN_CLOSED, by_row[r], by_column, left, y + r * n);
}

KN_FORCE ptrdiff_t KN(mean_run)(const kn_span *h, const R *x, ptrdiff_t width, ptrdiff_t r, ptrdiff_t end, ptrdiff_t n,
                                int kernel, int pad, int edge, const R *by_row, const R *by_column, R *y)
{
    for (; r < end && (h[r].count == kernel || h[r].count == 2); r++) {
        const KN(pile) pile = {x + h[r].at * width, NULL, 0, width, kernel, 1, 1, 0};
        const KN(pile) pair = {x + h[r].at * width, NULL, 0, width, 2, 1, 1, 0};
        if (h[r].count == kernel)
            KN(mean_row)(pile, n, kernel, pad, edge, by_row[r], by_column, 0, y + r * n);
        else
            KN(mean_row)(pair, n, kernel, pad, edge, by_row[r], by_column, 0, y + r * n);
    }
    return r;
}

KN_FORCE void KN(mean_plane)(const kn_sheet *s, ptrdiff_t whole, const R *x, const R *by_row, const R *by_column,
                             int kernel, int pad, R *y)
{
    const ptrdiff_t n = s->row->out, rows = s->rows, width = s->width;
    const R *slice = x + s->d->at * s->height * width;
    for (ptrdiff_t r = 0; r < rows; r++) {
        if (2 * n - 2 + kernel - pad > width)
            r = KN(mean_run)(s->h, slice, width, r, whole, n, kernel, pad, KN_FILLED, by_row, by_column, y);
        else
            r = KN(mean_run)(s->h, slice, width, r, whole, n, kernel, pad, KN_OPEN, by_row, by_column, y);
        if (r < rows) KN(mean_outer)(s, r, x, by_row, by_column, y);
    }
}

KN_EACH_PLANE(mean_2_20, x, y, KN(mean_plane)(s, KN(whole)(s, p), x, by_row, by_column, 2, 0, y))
KN_EACH_PLANE(mean_2_30, x, y, KN(mean_plane)(s, KN(whole)(s, p), x, by_row, by_column, 3, 0, y))
KN_EACH_PLANE(mean_2_31, x, y, KN(mean_plane)(s, KN(whole)(s, p), x, by_row, by_column, 3, 1, y))

/* y[o] = the sum of window o / (by_row[its row] * by_column[its column]) */
static void KN(mean_rows)(const kn_sheet *s, const void *x, const void *by_row, const void *by_column, void *lines,
                          void *y)
{
    const kn_row *g = s->row;
    if (g->stride == 1)
        KN(mean_1)(s, x, by_row, by_column, lines, y);
    else if (g->kernel == 2 && g->pad == 0)
        KN(mean_2_20)(s, x, by_row, by_column, lines, y);
    else if (g->kernel == 3 && g->pad == 0)
        KN(mean_2_30)(s, x, by_row, by_column, lines, y);
    else if (g->kernel == 3 && g->pad == 1)
        KN(mean_2_31)(s, x, by_row, by_column, lines, y);
    else
        KN(mean_2)(s, x, by_row, by_column, lines, y);
}

/* ---- backward: even and odd columns are seen by the window at the same place, and, if windows are 3 wide, the odd ones
 * (with padding) by the next one, or the even ones (without) by the one before ---- */

/* A row under way: what the windows from the last place on pass back, and those before */
typedef struct { V v, last; } KN(under_way);

KN_FORCE KN(under_way) KN(set_out)(KN(pile) s, int edge, const R *by_column)
{
    return (KN(under_way)){KN(down)(s, 0, edge) * v_load(by_column), {0}};
}

/* The cells from column 2 q on: two vectors */
KN_FORCE void KN(go_on)(KN(under_way) *at, KN(pile) s, ptrdiff_t q, int kernel, int pad, int edge, const R *by_column,
                        V *a, V *b)
{
    V next = {0}, even = at->v, odd = at->v;
    if (q + KN_LANES < s.width) next = KN(down)(s, q + KN_LANES, edge) * v_load(by_column + q + KN_LANES);
    if (kernel == 3 && pad) odd += KN(slide_down)(at->v, next);
    if (kernel == 3 && !pad) even += KN(slide)(at->last, at->v);
    at->last = at->v;
    at->v = next;
    *a = KN(zip_low)(even, odd);
    *b = KN(zip_high)(even, odd);
}

KN_FORCE void KN(spread_row)(KN(pile) s, ptrdiff_t n, int kernel, int pad, const R *by_column, ptrdiff_t left, R *dx)
{
    KN(under_way) row = KN(set_out)(s, KN_CLOSED, by_column);
    for (ptrdiff_t q = 0; 2 * q < n; q += KN_LANES) {
        V a, b;
        KN(go_on)(&row, s, q, kernel, pad, KN_CLOSED, by_column, &a, &b);
        KN(spill)(dx + 2 * q, a, left - 2 * q);
        if (2 * q + KN_LANES < n) KN(spill)(dx + 2 * q + KN_LANES, b, left - 2 * q - KN_LANES);
    }
}

KN_APART void KN(spread_outer)(const kn_sheet *s, ptrdiff_t r, const R *dy, const R *by_row, const R *by_column, R *dx)
{
    const ptrdiff_t n = s->row->size, left = (s->rows - r) * n;
    const KN(pile) pile = KN(pile_of)(s, s->h + r, dy, by_row);
    if (s->row->kernel == 2)
        KN(spread_row)(pile, n, 2, 0, by_column, left, dx + r * n);
    else if (s->row->pad == 0)
        KN(spread_row)(pile, n, 3, 0, by_column, left, dx + r * n);
    else
        KN(spread_row)(pile, n, 3, 1, by_column, left, dx + r * n);
}

/* Two rows of cells, one after the other, seen by s and t (twins: both by s). */
KN_FORCE void KN(spread_two)(KN(pile) s, KN(pile) t, ptrdiff_t n, int kernel, int pad, int edge, int twins,
                             const R *by_column, R *dx)
{
    KN(under_way) one = KN(set_out)(s, edge, by_column), two = twins ? one : KN(set_out)(t, edge, by_column);
    V first = {0};
    for (ptrdiff_t q = 0; 2 * q < n; q += KN_LANES) {
        const int both = 2 * q + KN_LANES < n;
        V a, b, c, d;
        KN(go_on)(&one, s, q, kernel, pad, edge, by_column, &a, &b);
        c = a, d = b;
        if (!twins) KN(go_on)(&two, t, q, kernel, pad, edge, by_column, &c, &d);
        v_store(dx + 2 * q, a);
        if (both) v_store(dx + 2 * q + KN_LANES, b);
        v_store(dx + 2 * q + n, c);
        if (both) v_store(dx + 2 * q + KN_LANES + n, d);
        if (q == 0) first = c;
    }
    if (n > 2 * KN_LANES) v_store(dx + n, first); /* where the end of the row above has passed into this one */
}

/* Pairs of rows: of windows 2 high, both see the same row; 3 high, one of them sees the row that the other sees, too. */
KN_FORCE ptrdiff_t KN(spread_run)(const kn_span *h, const R *dy, ptrdiff_t width, ptrdiff_t r, ptrdiff_t end,
                                  ptrdiff_t n, int kernel, int pad, int edge, const R *weight, const R *by_column, R *dx)
{
    const int one = kernel == 3 && !pad ? 2 : 1, two = kernel == 3 && pad ? 2 : 1, step = kernel == 3 && pad ? 1 : 0;
    for (; r + 1 < end && h[r].count == one && h[r + 1].count == two && h[r].at + step == h[r + 1].at; r += 2) {
        const ptrdiff_t at = h[r].at;
        const KN(pile) s = {dy + at * width, weight + at, 1, width, one, -1, 1, 0};
        const KN(pile) t = {dy + (at + step) * width, weight + at + step, 1, width, two, -1, 1, 0};
        KN(spread_two)(s, t, n, kernel, pad, edge, kernel == 2, by_column, dx + r * n);
    }
    return r;
}

KN_FORCE void KN(spread_plane)(const kn_sheet *s, ptrdiff_t whole, const R *dy, const R *by_row, const R *by_column,
                               int kernel, int pad, R *dx)
{
    const ptrdiff_t n = s->row->size, rows = s->rows, width = s->width, slice = s->d->at * s->height;
    for (ptrdiff_t r = 0; r < rows; r++) {
        const R *first = dy + slice * width, *weight = by_row + slice;
        if (kernel == 3 || 2 * width < n)
            r = KN(spread_run)(s->h, first, width, r, whole, n, kernel, pad, KN_FILLED, weight, by_column, dx);
        else
            r = KN(spread_run)(s->h, first, width, r, whole, n, kernel, pad, KN_OPEN, weight, by_column, dx);
        if (r < rows) KN(spread_outer)(s, r, dy, by_row, by_column, dx);
    }
}

KN_EACH_PLANE(spread_2_20, dy, dx, KN(spread_plane)(s, KN(whole)(s, p), dy, by_row, by_column, 2, 0, dx))
KN_EACH_PLANE(spread_2_30, dy, dx, KN(spread_plane)(s, KN(whole)(s, p), dy, by_row, by_column, 3, 0, dx))
KN_EACH_PLANE(spread_2_31, dy, dx, KN(spread_plane)(s, KN(whole)(s, p), dy, by_row, by_column, 3, 1, dx))

/* dx = the sum of dy * by_row[its row] * by_column[its column] over the windows that see a cell */
static void KN(spread_rows)(const kn_sheet *s, const void *dy, const void *by_row, const void *by_column, void *lines,
                            void *dx)
{
    const kn_row *g = s->row;
    if (g->stride == 1)
        KN(spread_1)(s, dy, by_row, by_column, lines, dx);
    else if (g->kernel == 2 && g->pad == 0)
        KN(spread_2_20)(s, dy, by_row, by_column, lines, dx);
    else if (g->kernel == 3 && g->pad == 0)
        KN(spread_2_30)(s, dy, by_row, by_column, lines, dx);
    else if (g->kernel == 3 && g->pad == 1)
        KN(spread_2_31)(s, dy, by_row, by_column, lines, dx);
    else
        KN(spread_2)(s, dy, by_row, by_column, lines, dx);
}
