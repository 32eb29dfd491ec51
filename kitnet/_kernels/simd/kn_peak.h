/* Maxima of planes as they lie (see kn_line.h): windows 2 wide without padding, or 3 wide with 0 or 1 column of it, with
 * stride 2 along the rows. Every second element of a row is one tap of a vector of windows, those between the next; of
 * windows 3 wide the first column is the last one of the window before. Taps come in the order of the plane. */

/* The largest so far and its offset from the first cell of the window */
typedef struct { V best; M where; } KN(peak);

KN_FORCE KN(peak) KN(higher)(KN(peak) a, KN(peak) b, int indexed)
{
    const KN(choice) better = KN(exceeds)(b.best, a.best);
    a.best = KN(pick)(better, b.best, a.best);
    if (indexed) a.where = KN(pick_int)(better, b.where, a.where);
    return a;
}

/* A row of windows; cell: the place of the first row of the pile in its plane */
KN_FORCE void KN(peak_row)(KN(pile) s, ptrdiff_t n, int kernel, ptrdiff_t pad, int edge, int indexed, ptrdiff_t cell,
                           ptrdiff_t left, R *y, int *index)
{
    const R low = -(R)__builtin_inf();
    const ptrdiff_t base = kernel == 3 ? 1 - pad : 0;
    for (ptrdiff_t o = 0; o < n; o += KN_LANES) {
        const int border = kernel == 3 && pad && o == 0; /* the first window begins outside of the image */
        KN(peak) at = {{0}, {0}};
        for (ptrdiff_t a = 0; a < s.slices; a++)
            for (ptrdiff_t b = 0; b < s.rows; b++) { /* the best of each row, then of the rows */
                const ptrdiff_t offset = (a * s.slice + b * s.step) * s.width, i = base + 2 * o;
                const R *p = s.first + offset + i;
                const V u = KN(load_row)(p, s.width - i, edge, low);
                const V v = KN(load_row)(p + KN_LANES, s.width - i - KN_LANES, edge, low);
                const M here = (M){0} + (KN_INT)offset;
                const KN(peak) even = {KN(even)(u, v), here + (kernel - 2)}, odd = {KN(odd)(u, v), here + (kernel - 1)};
                KN(peak) row = even;
                if (b < 2) __builtin_prefetch(p + KN_LATER, 0, 3);
                if (b < 2) __builtin_prefetch(p + KN_LANES + KN_LATER, 0, 3);
                if (kernel == 3) {
                    const V before = (border ? low : p[-1]) - (V){0};
                    row.best = KN(slide)(before, odd.best);
                    row.where = border && a + b == 0 ? here + (M){1} : here;
                    row = KN(higher)(row, even, indexed);
                }
                row = KN(higher)(row, odd, indexed);
                at = a + b == 0 ? row : KN(higher)(at, row, indexed);
            }
        if (edge == KN_CLOSED)
            KN(spill)(y + o, at.best, left - o);
        else
            v_store(y + o, at.best);
        if (indexed)
            KN(store_ints)(index + o, at.where + ((M){KN_IOTA} * 2 + (KN_INT)(cell + 2 * o - pad)),
                           edge != KN_CLOSED || left - o > KN_LANES ? KN_LANES : left - o);
    }
}

KN_APART void KN(peak_outer)(const kn_sheet *s, ptrdiff_t r, const R *x, R *y, int *index)
{
    const ptrdiff_t n = s->row->out, left = (s->rows - r) * n, pad = s->row->pad;
    const ptrdiff_t cell = (s->d->at * s->height + s->h[r].at) * s->width;
    const KN(pile) pile = KN(pile_of)(s, s->h + r, x, NULL);
    if (s->row->kernel == 2 && index)
        KN(peak_row)(pile, n, 2, 0, KN_CLOSED, 1, cell, left, y + r * n, index + r * n);
    else if (s->row->kernel == 2)
        KN(peak_row)(pile, n, 2, 0, KN_CLOSED, 0, cell, left, y + r * n, NULL);
    else if (index)
        KN(peak_row)(pile, n, 3, pad, KN_CLOSED, 1, cell, left, y + r * n, index + r * n);
    else
        KN(peak_row)(pile, n, 3, pad, KN_CLOSED, 0, cell, left, y + r * n, NULL);
}

KN_FORCE ptrdiff_t KN(peak_run)(const kn_span *h, const R *x, ptrdiff_t cell, ptrdiff_t width, ptrdiff_t r, ptrdiff_t end,
                                ptrdiff_t n, int kernel, int pad, int edge, int indexed, R *y, int *index)
{
    for (; r < end && (h[r].count == kernel || h[r].count == 2); r++) {
        const ptrdiff_t at = cell + h[r].at * width;
        const KN(pile) pile = {x + at, NULL, 0, width, kernel, 1, 1, 0};
        const KN(pile) pair = {x + at, NULL, 0, width, 2, 1, 1, 0};
        int *to = indexed ? index + r * n : NULL;
        if (h[r].count == kernel)
            KN(peak_row)(pile, n, kernel, pad, edge, indexed, at, 0, y + r * n, to);
        else
            KN(peak_row)(pair, n, kernel, pad, edge, indexed, at, 0, y + r * n, to);
    }
    return r;
}

KN_FORCE void KN(peak_planes)(const kn_sheet *sheet, const R *x, int kernel, int pad, int indexed, R *y, int *index)
{
    const kn_sheet local = *sheet, *s = &local;
    const ptrdiff_t n = s->row->out, rows = s->rows, width = s->width;
    for (ptrdiff_t p = 0; p < s->planes; p++, x += s->cells, y += s->own, index += indexed ? s->own : 0) {
        const ptrdiff_t whole = KN(whole)(s, p), cell = s->d->at * s->height * width;
        for (ptrdiff_t r = 0; r < rows; r++) {
            if (2 * n - 2 + kernel - pad > width)
                r = KN(peak_run)(s->h, x, cell, width, r, whole, n, kernel, pad, KN_FILLED, indexed, y, index);
            else
                r = KN(peak_run)(s->h, x, cell, width, r, whole, n, kernel, pad, KN_OPEN, indexed, y, index);
            if (r < rows) KN(peak_outer)(s, r, x, y, indexed ? index : NULL);
        }
    }
}

#define KN_PEAKS(name, kernel, pad, indexed)                                                                       \
    KN_APART void KN(name)(const kn_sheet *s, const R *x, R *y, int *index)                                        \
    {                                                                                                              \
        KN(peak_planes)(s, x, kernel, pad, indexed, y, index);                                                     \
    }
KN_PEAKS(peaks_20, 2, 0, 0)
KN_PEAKS(peaks_30, 3, 0, 0)
KN_PEAKS(peaks_31, 3, 1, 0)
KN_PEAKS(peaks_20_at, 2, 0, 1)
KN_PEAKS(peaks_30_at, 3, 0, 1)
KN_PEAKS(peaks_31_at, 3, 1, 1)

/* ---- windows of any size: each row of x gets three lines of scratch, itself with -inf at both ends, the best of each
 * window along it, and where; then the best of some such rows ---- */

KN_FORCE void KN(copy_row)(const R *src, ptrdiff_t n, R *line)
{
    for (ptrdiff_t i = 0; i < n; i += KN_LANES) { /* the last vector overlaps the one before */
        if (i + KN_LANES > n && n > KN_LANES) i = n - KN_LANES;
        v_store(line + i, KN(load_row)(src + i, n - i, KN_CLOSED, -(R)__builtin_inf()));
    }
}

/* The best taps of the windows from number o on, which begin in line; the first that may be it is inside of the image. */
KN_FORCE KN(peak) KN(peak_along)(const R *line, ptrdiff_t o, int stride, ptrdiff_t kernel, ptrdiff_t pad, int indexed)
{
    const M outside = (KN_INT)(pad - o * stride) - (M){KN_IOTA} * stride;
    KN(peak) at = {v_load(line), outside & (M)(outside > (M){0})};
    if (stride == 1) {
        for (ptrdiff_t k = 1; k < kernel; k++)
            at = KN(higher)(at, (KN(peak)){v_load(line + k), (M){0} + (KN_INT)k}, indexed);
        return at;
    }
    for (ptrdiff_t k = 0; k < kernel; k += 2) {
        const V a = v_load(line + k), b = v_load(line + k + KN_LANES), even = KN(even)(a, b);
        at = k == 0 ? (KN(peak)){even, at.where} : KN(higher)(at, (KN(peak)){even, (M){0} + (KN_INT)k}, indexed);
        if (k + 1 < kernel) at = KN(higher)(at, (KN(peak)){KN(odd)(a, b), (M){0} + (KN_INT)(k + 1)}, indexed);
    }
    return at;
}

KN_FORCE void KN(peak_lines)(const kn_sheet *s, const R *x, R *lines, int stride, int indexed, R *y, int *index)
{
    const ptrdiff_t n = s->row->out, pad = s->row->pad, kernel = s->row->kernel, width = s->width, pitch = s->pitch;
    const ptrdiff_t slices = s->d->count, slice = s->height * width, rows = s->rows, most = s->lines / slices;
    const kn_span *h = s->h;
    R *copies = lines + s->before, *best = lines + s->lines * pitch, *where = best + s->lines * pitch;
    for (ptrdiff_t r = 0, end; r < rows; r = end) {
        const ptrdiff_t low = h[r].at, cell = (s->d->at * s->height + low) * width;
        for (end = r + 1; end < rows && h[end].at + h[end].count - low <= most; end++) continue;
        const ptrdiff_t tall = h[end - 1].at + h[end - 1].count - low;
        for (ptrdiff_t i = 0; i < slices * tall; i++)
            KN(copy_row)(x + cell + i / tall * slice + i % tall * width, width, copies + i * pitch);
        for (ptrdiff_t i = 0; i < slices * tall; i++)
            for (ptrdiff_t o = 0; o < n; o += KN_LANES) {
                const KN(peak) at = KN(peak_along)(copies + i * pitch - pad + o * stride, o, stride, kernel, pad, indexed);
                v_store(best + i * pitch + o, at.best);
                if (indexed) v_store(where + i * pitch + o, (V)at.where);
            }
        for (; r < end; r++)
            for (ptrdiff_t o = 0; o < n; o += KN_LANES) {
                const ptrdiff_t first = (h[r].at - low) * pitch + o, left = (rows - r) * n - o;
                KN(peak) at = {v_load(best + first), (M)v_load(where + first)};
                for (ptrdiff_t a = 0; a < slices; a++)
                    for (ptrdiff_t b = a == 0; b < h[r].count; b++) {
                        const ptrdiff_t i = first + (a * tall + b) * pitch;
                        KN(peak) row = {v_load(best + i), (M){0}};
                        if (indexed) row.where = (M)v_load(where + i) + (KN_INT)(a * slice + b * width);
                        at = KN(higher)(at, row, indexed);
                    }
                KN(spill)(y + r * n + o, at.best, left);
                at.where += (M){KN_IOTA} * stride + (KN_INT)(cell + (h[r].at - low) * width + o * stride - pad);
                if (indexed) KN(store_ints)(index + r * n + o, at.where, left > KN_LANES ? KN_LANES : left);
            }
    }
}

#define KN_PEAK_LINES(name, stride, indexed)                                                                       \
    KN_APART void KN(name)(const kn_sheet *sheet, const R *x, R *lines, R *y, int *index)                          \
    {                                                                                                              \
        const kn_sheet local = *sheet, *s = &local;                                                                \
        for (ptrdiff_t p = 0; p < s->planes; p++, x += s->cells, y += s->own, index += indexed ? s->own : 0)       \
            KN(peak_lines)(s, x, lines, stride, indexed, y, index);                                                \
    }
KN_PEAK_LINES(peaks_1, 1, 0)
KN_PEAK_LINES(peaks_2, 2, 0)
KN_PEAK_LINES(peaks_1_at, 1, 1)
KN_PEAK_LINES(peaks_2_at, 2, 1)

/* y = the largest x of each window, NaN before all, the first of equals; index, unless NULL: where in the plane */
static void KN(peak_rows)(const kn_sheet *s, const void *x, void *lines, void *y, int *index)
{
    const kn_row *g = s->row;
    if (g->stride == 1)
        (index ? KN(peaks_1_at) : KN(peaks_1))(s, x, lines, y, index);
    else if (g->kernel == 2 && g->pad == 0)
        (index ? KN(peaks_20_at) : KN(peaks_20))(s, x, y, index);
    else if (g->kernel == 3 && g->pad == 0)
        (index ? KN(peaks_30_at) : KN(peaks_30))(s, x, y, index);
    else if (g->kernel == 3 && g->pad == 1)
        (index ? KN(peaks_31_at) : KN(peaks_31))(s, x, y, index);
    else
        (index ? KN(peaks_2_at) : KN(peaks_2))(s, x, lines, y, index);
}
