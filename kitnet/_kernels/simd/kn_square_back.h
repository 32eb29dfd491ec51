/* The gradient to the data of a square kernel in steps of two: four phases of the result, woven.
 *
 * On each axis one phase has all the places that taps meet in the source, k / 2 + 1 of them, the other one less: the
 * first are the even rows and columns where the padding is even. A strip goes down the rows of the source; what its
 * last rows have under the places of a line waits in registers, and each row makes two rows of the result. */

#define KN_PHASE_ROWS (k / 2 + 1 - (p != all))
#define KN_PHASE_COLUMNS (k / 2 + 1 - (c != all))

/* Half of the columns of a row of the result: phase p of the rows, c of the columns. */
KN_INLINED V KN(back_phase)(V x[4][4], const V *w, V bias, const int p, const int c, const int all, const int k)
{
    const int i0 = all == 0 && p != all, j0 = all == 0 && c != all; /* the short phase passes over the first place */
    const int rows = KN_PHASE_ROWS, columns = KN_PHASE_COLUMNS;
    V s = bias;
    KN_UNROLL for (int i = 0; i < rows; i++)
        KN_UNROLL for (int j = 0; j < columns; j++) s += w[i * columns + j] * x[i + i0][j + j0];
    return s;
}

/* A row of the source under the places of a line, zeros in the padding. */
KN_INLINED void KN(back_row)(const R *from, const KN(descent) *t, V *x, const int k, const int kind)
{
    if (t->y < 0 || t->y >= t->height) {
        KN_UNROLL for (int j = 0; j <= k / 2; j++) x[j] = (V){0};
        return;
    }
    __builtin_prefetch(from + KN_FURTHER);
    KN_UNROLL for (int n = 0; n <= k / 2; n++) KN(make_tap)(from, t, x, KN_TAP(n, k / 2 + 1), k / 2 + 1, 1, kind);
}

KN_INLINED void KN(back_strip)(KN(descent) t, V (*w)[9], V bias, R low, R high, ptrdiff_t last, const int all,
                               const int k, const int kind)
{
    const R *from = t.from;
    R *to = t.to;
    V x[4][4];
    KN_UNROLL for (int i = 0; i < k / 2; i++, t.y++, from += t.width) KN(back_row)(from, &t, x[i], k, kind);
    for (ptrdiff_t r = 0; r < t.rows; r++, t.y++, from += t.width, to += 2 * t.to_row) {
        KN(back_row)(from, &t, x[k / 2], k, kind);
        KN_UNROLL for (int p = 0; p < 2; p++) {
            R *row = to + p * t.to_row;
            V a, b;
            if (p == 1 && r == last) break; /* an odd number of rows */
            __builtin_prefetch(row + 2 * KN_DEPTH, 1);
            __builtin_prefetch(row + 2 * KN_DEPTH + KN_LANES, 1);
            a = KN(clip)(KN(back_phase)(x, w[2 * p], bias, p, 0, all, k), low, high);
            b = KN(clip)(KN(back_phase)(x, w[2 * p + 1], bias, p, 1, all, k), low, high);
            KN(store_first)(row, KN(zip_low)(a, b), t.n);
            if (t.n > KN_LANES) KN(store_first)(row + KN_LANES, KN(zip_high)(a, b), t.n - KN_LANES);
        }
        KN_UNROLL for (int i = 0; i < k / 2; i++)
            KN_UNROLL for (int j = 0; j <= k / 2; j++) x[i][j] = x[i + 1][j];
    }
}

KN_INLINED void KN(back_plane)(const kn_plane *const *g, const R *src, const R *const *taps, R bias, R low, R high,
                               R *dst, const int all, const int k)
{
    const kn_plane *whole = g[3 * all];
    const ptrdiff_t height = g[0]->rows + g[2]->rows, width = g[0]->columns + g[1]->columns;
    const ptrdiff_t least = KN_DEPTH / width, block = least > 8 ? least : 8;
    kn_plane places = *whole; /* of the pairs of rows and columns */
    V w[4][9];
    places.columns = g[0]->columns;
    KN_UNROLL for (int p = 0; p < 2; p++)
        KN_UNROLL for (int c = 0; c < 2; c++)
            KN_UNROLL for (int t = 0; t < KN_PHASE_ROWS * KN_PHASE_COLUMNS; t++)
                w[2 * p + c][t] = taps[2 * p + c][t] - (V){0};
    for (ptrdiff_t r = 0; r < g[0]->rows; r += block) {
        for (ptrdiff_t q = 0; q < g[0]->columns; q += KN_LANES) {
            KN(descent) t;
            KN(begin_descent)(&places, src, q, r + whole->top[0], k / 2 + 1, 1, &t);
            t.to_row = g[0]->to_row / 2;
            t.to = dst + 2 * (r * t.to_row + q);
            t.rows = g[0]->rows - r < block ? g[0]->rows - r : block;
            t.n = width - 2 * q;
#define KN_STRIP(kind)                                                                                             \
    KN(back_strip)(t, w, bias - (V){0}, low, high, height / 2 - r, all, k, kind)
            KN_BY_KIND(KN_STRIP);
#undef KN_STRIP
        }
    }
}

#undef KN_PHASE_ROWS
#undef KN_PHASE_COLUMNS

/* dst = clip(sum of the taps + bias), NaN kept, for the phases (even, even), (even, odd), (odd, even), (odd, odd) of the
 * rows and columns; returns 0, and does nothing, for other kernels. */
static int KN(window_back)(const kn_plane *const *g, const void *src, const void *const *w, double bias, double low,
                           double high, void *dst)
{
    const int all = g[0]->square > g[3]->square ? 0 : 1;
    const kn_plane *whole = g[3 * all];
    const ptrdiff_t n = whole->square, short_top = g[3 - 3 * all]->top[0] - whole->top[0];
    if (n < 2 || n > 3 || g[3 - 3 * all]->square != n - 1 || whole->step_h != 1 || whole->step_w != 1) return 0;
    if (short_top != !all || g[3 - 3 * all]->left[0] - whole->left[0] != !all) return 0;
#define KN_BACK(all, k)                                                                                            \
    KN(back_plane)(g, src, (const R *const *)w, (R)bias, (R)low, (R)high, dst, all, k)
    if (all && n == 2) KN_BACK(1, 3);
    else if (all) KN_BACK(1, 5);
    else if (n == 2) KN_BACK(0, 3);
    else KN_BACK(0, 5);
#undef KN_BACK
    return 1;
}
