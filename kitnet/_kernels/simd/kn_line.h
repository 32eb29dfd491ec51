/* Pooling of planes as they lie, for strides 1 and 2 along the rows: some rows of this side at a time (forward: of
 * windows, backward: of cells). Here: the rows of the other side, and means of windows of any size.
 *
 * The rows that one row sees are added up first, by whole vectors; then the sum along. It lies in a line of scratch with
 * zeros at both ends, so that each tap is one constant offset, at the edges too. Many lines are filled before the first
 * is read: what was just stored would have to wait before it is loaded at another offset. Vectors pass the end of a row
 * into the next one, which is written later. */

#define KN_LATER (4096 / KN_SIZE) /* prefetched: what lies this far ahead */
#define KN_FORCE static inline __attribute__((always_inline))
#define KN_APART static __attribute__((noinline))

/* v to p, from where ``left`` elements are ours */
KN_FORCE void KN(spill)(R *p, V v, ptrdiff_t left)
{
    if (__builtin_expect(left >= KN_LANES, 1))
        v_store(p, v);
    else
        v_store_part(p, v, left);
}

/* The rows of plane p whose vectors may pass their ends: all, if the next plane follows. */
KN_FORCE ptrdiff_t KN(whole)(const kn_sheet *s, ptrdiff_t p)
{
    return s->d->count != 1 ? 0 : s->joined && p + 1 < s->planes ? s->rows : s->whole;
}

/* Rows of the other side that a row of this side sees, and, if weighted, a weight for each */
typedef struct {
    const R *first, *weight;
    int weighted;
    ptrdiff_t width, rows, step; /* elements of a row; how many rows, and from one to the next, in rows */
    ptrdiff_t slices, slice;     /* how many times that; from one to the next, in rows */
} KN(pile);

KN_FORCE KN(pile) KN(pile_of)(const kn_sheet *s, const kn_span *h, const R *src, const R *weight)
{
    const ptrdiff_t row = s->d->at * s->height + h->at;
    return (KN(pile)){src + row * s->width, weight ? weight + row : NULL, weight != NULL, s->width, h->count, s->step,
                      s->d->count, s->step * s->height};
}

/* A vector from p on, of which n elements are of its row; what is behind them is as the edge says. */
KN_FORCE V KN(load_row)(const R *p, ptrdiff_t n, int edge, R fill)
{
    const V behind = fill - (V){0};
    if (edge == KN_OPEN || n >= KN_LANES) return v_load(p);
    if (edge == KN_FILLED) return v_select((M){KN_IOTA} < (KN_INT)n, v_load(p), behind);
    return n > 0 ? v_load_fill(p, n, behind) : behind;
}

/* The sum of a pile, from column i on, each row times its weight */
KN_FORCE V KN(down)(KN(pile) s, ptrdiff_t i, int edge)
{
    V sum = {0};
    for (ptrdiff_t a = 0; a < s.slices; a++)
        for (ptrdiff_t b = 0; b < s.rows; b++) {
            const ptrdiff_t row = a * s.slice + b * s.step;
            const R *p = s.first + row * s.width + i;
            const V v = KN(load_row)(p, s.width - i, edge, 0);
            if (s.weighted) {
                sum += v * s.weight[row]; /* from zero on: the same bits for any number of rows, fused or not */
            } else {
                if (b < 2) __builtin_prefetch(p + KN_LATER, 0, 3);
                sum = a + b == 0 ? v : sum + v;
            }
        }
    return sum;
}

KN_FORCE void KN(fill_line)(KN(pile) s, const R *by_column, R *line)
{
    for (ptrdiff_t i = 0; i < s.width; i += KN_LANES) { /* the last vector overlaps the one before */
        if (i + KN_LANES > s.width && s.width > KN_LANES) i = s.width - KN_LANES;
        const V v = s.width < KN_LANES ? KN(down)(s, i, KN_CLOSED) : KN(down)(s, i, KN_OPEN);
        v_store(line + i, by_column ? v * v_load(by_column + i) : v);
    }
}

/* Lines for n rows from r on: what each sees, times by_column unless that is NULL */
KN_FORCE void KN(fill_lines)(const kn_sheet *s, ptrdiff_t r, ptrdiff_t n, const R *src, const R *weight,
                             const R *by_column, R *line)
{
    line += s->before;
    for (ptrdiff_t i = 0; i < n; i++, line += s->pitch) {
        KN(pile) pile = KN(pile_of)(s, s->h + r + i, src, weight);
        if (pile.slices == 1 && pile.rows == 3)
            pile.slices = 1, pile.rows = 3, KN(fill_line)(pile, by_column, line);
        else
            KN(fill_line)(pile, by_column, line);
    }
}

/* The sums of the taps of the windows that begin at line[0], line[stride], ... */
KN_FORCE V KN(along)(const R *line, int stride, ptrdiff_t kernel)
{
    V sum = {0};
    ptrdiff_t k = 0;
    if (stride == 1) {
        for (; k < kernel; k++) sum += v_load(line + k);
        return sum;
    }
    for (; k + 1 < kernel; k += 2) {
        const V a = v_load(line + k), b = v_load(line + k + KN_LANES);
        sum += KN(even)(a, b) + KN(odd)(a, b);
    }
    return k < kernel ? sum + KN(even)(v_load(line + k), v_load(line + k + KN_LANES)) : sum;
}

KN_FORCE void KN(mean_lines)(const kn_sheet *s, const R *x, const R *by_row, const R *by_column, R *lines, int stride,
                             R *y)
{
    const ptrdiff_t n = s->row->out, pitch = s->pitch, rows = s->rows, kernel = s->row->kernel;
    const R *window = lines + s->before - s->row->pad;
    for (ptrdiff_t r = 0; r < rows; r += s->lines) {
        const ptrdiff_t m = rows - r < s->lines ? rows - r : s->lines;
        KN(fill_lines)(s, r, m, x, NULL, NULL, lines);
        for (ptrdiff_t i = 0; i < m; i++)
            for (ptrdiff_t o = 0; o < n; o += KN_LANES)
                KN(spill)(y + (r + i) * n + o, KN(along)(window + i * pitch + o * stride, stride, kernel) /
                                                   (by_row[r + i] * v_load(by_column + o)),
                          (rows - r - i) * n - o);
    }
}

/* The sums over the windows that see the columns of a phase, the last windows of which are at line[0], line[1], ... */
KN_FORCE V KN(back_along)(const R *line, ptrdiff_t taps)
{
    V sum = {0};
    for (ptrdiff_t i = 0; i < taps; i++) sum += v_load(line - i);
    return sum;
}

KN_FORCE void KN(spread_lines)(const kn_sheet *s, const R *dy, const R *by_row, const R *by_column, R *lines, int stride,
                               R *dx)
{
    const ptrdiff_t n = s->row->size, pitch = s->pitch, rows = s->rows;
    const ptrdiff_t taps = s->row->phase[0].taps, more = s->row->phase[stride - 1].taps;
    const R *one = lines + s->before + s->row->phase[0].start;
    const R *two = lines + s->before + s->row->phase[stride - 1].start;
    for (ptrdiff_t r = 0; r < rows; r += s->lines) {
        const ptrdiff_t m = rows - r < s->lines ? rows - r : s->lines;
        KN(fill_lines)(s, r, m, dy, by_row, by_column, lines);
        for (ptrdiff_t i = 0; i < m; i++) {
            R *to = dx + (r + i) * n;
            const ptrdiff_t left = (rows - r - i) * n;
            if (stride == 1) {
                for (ptrdiff_t q = 0; q < n; q += KN_LANES)
                    KN(spill)(to + q, KN(back_along)(one + i * pitch + q, taps), left - q);
                continue;
            }
            for (ptrdiff_t q = 0; 2 * q < n; q += KN_LANES) {
                const V a = KN(back_along)(one + i * pitch + q, taps), b = KN(back_along)(two + i * pitch + q, more);
                KN(spill)(to + 2 * q, KN(zip_low)(a, b), left - 2 * q);
                if (2 * q + KN_LANES < n) KN(spill)(to + 2 * q + KN_LANES, KN(zip_high)(a, b), left - 2 * q - KN_LANES);
            }
        }
    }
}

/* A function that goes through the planes of a sheet. */
#define KN_EACH_PLANE(name, from, to, call)                                                                        \
    KN_APART void KN(name)(const kn_sheet *sheet, const R *from, const R *by_row, const R *by_column, R *lines, R *to) \
    {                                                                                                              \
        const kn_sheet local = *sheet, *s = &local;                                                                \
        for (ptrdiff_t p = 0; p < s->planes; p++, from += s->cells, to += s->own) call;                            \
    }
KN_EACH_PLANE(mean_1, x, y, KN(mean_lines)(s, x, by_row, by_column, lines, 1, y))
KN_EACH_PLANE(mean_2, x, y, KN(mean_lines)(s, x, by_row, by_column, lines, 2, y))
KN_EACH_PLANE(spread_1, dy, dx, KN(spread_lines)(s, dy, by_row, by_column, lines, 1, dx))
KN_EACH_PLANE(spread_2, dy, dx, KN(spread_lines)(s, dy, by_row, by_column, lines, 2, dx))
