/* F(4x4, KN_TAPS x KN_TAPS): each transform is two sweeps of its one-dimensional form (kn_winograd.h) over a tile of
 * KN_POINTS x KN_POINTS elements, one tile (or one filter) in each lane. Included once for each KN_TAPS. */

#define KN_POINTS (KN_TAPS + 3)
#define KN_JOIN_(family, taps, name) family##taps##_##name
#define KN_JOIN(family, taps, name) KN_JOIN_(family, taps, name)
#define KN_SET(family, name) KN(KN_JOIN(family, KN_TAPS, name))

/* The rows of a vector of tiles, of which u are woven, transformed along themselves. */
KN_INLINED void KN_SET(win, rows)(const R *plane, const kn_tiles *tiles, const int u, V rows[KN_POINTS][KN_POINTS])
{
    KN_UNROLL for (int j = 0; j < KN_POINTS; j++) rows[KN_POINTS - 1][j] = (V){0};
    for (int i = 0; i < tiles->down; i++) {
        V x[4], y[4], t[6];
        KN_UNROLL for (int s = 0; s < 4; s++) {
            const ptrdiff_t off = tiles->off[s][i], low = tiles->low[s], high = tiles->high[s];
            x[s] = off == KN_NOWHERE ? (V){0} : KN(load_between)(plane + off, low, high);
            y[s] = off == KN_NOWHERE ? (V){0} : KN(load_between)(plane + off + 4 * u, low - 4 * u, high - 4 * u);
        }
        KN(win_columns)(x, y, u, t);
        KN_SET(win, source)(t, rows[i]);
    }
}

/* V of a vector of tiles: element e of the tile at place q goes to dst[e * step + q], but for those that are not wanted.
 * Whole vectors are written: up to lanes - 1 elements behind the last tile. */
static void KN_SET(winograd, source)(const void *plane, const kn_tiles *tiles, void *dst_, ptrdiff_t step)
{
    R *dst = (R *)dst_ + tiles->place;
    V rows[KN_POINTS][KN_POINTS];
    if (tiles->woven == 1)
        KN_SET(win, rows)(plane, tiles, 1, rows);
    else if (tiles->woven == 2)
        KN_SET(win, rows)(plane, tiles, 2, rows);
    else
        KN_SET(win, rows)(plane, tiles, 4, rows);
    KN_UNROLL for (int j = 0; j < KN_POINTS; j++) {
        V d[KN_POINTS], t[KN_POINTS];
        if (j >= tiles->along) break;
        KN_UNROLL for (int i = 0; i < KN_POINTS; i++) d[i] = rows[i][j];
        KN_SET(win, source)(d, t);
        KN_UNROLL for (int i = 0; i < KN_POINTS; i++)
            if (i < KN_POINTS - 1 || i < tiles->down)
                KN(store_strips)(dst + (KN_POINTS * i + j) * step, t[i], tiles->strips, tiles->tiles);
    }
}

/* U of n filters, at most a vector: tap (i, j) of filter q is w[i * row + j * column + q], zero beyond the taps that the
 * piece has; element e goes to dst[e * step + q]. */
static void KN_SET(winograd, filter)(const void *w_, const kn_piece *piece, ptrdiff_t row, ptrdiff_t column,
                                     ptrdiff_t n, void *dst_, ptrdiff_t step)
{
    const R *w = w_;
    R *dst = dst_;
    V rows[KN_POINTS][KN_TAPS];
    KN_UNROLL for (int j = 0; j < KN_TAPS; j++) {
        V g[KN_TAPS], t[KN_POINTS];
        KN_UNROLL for (int i = 0; i < KN_TAPS; i++)
            g[i] = i < piece->high && j < piece->wide ? v_load_part(w + i * row + j * column, n) : (V){0};
        KN_SET(win, filter)(g, t);
        KN_UNROLL for (int i = 0; i < KN_POINTS; i++) rows[i][j] = t[i];
    }
    KN_UNROLL for (int i = 0; i < KN_POINTS; i++) {
        V t[KN_POINTS];
        KN_SET(win, filter)(rows[i], t);
        KN_UNROLL for (int j = 0; j < KN_POINTS; j++) v_store_part(dst + (KN_POINTS * i + j) * step, t[j], n);
    }
}

/* The 4x4 outputs of n tiles: element e of tile q is src[e * step + q]; output (i, j) of tile q goes to
 * dst[i * line + 4 * q + j], or between those of the tiles it is woven with. Whole vectors are read and written. */
static void KN_SET(winograd, result)(const void *src_, ptrdiff_t step, ptrdiff_t n, ptrdiff_t woven, void *dst_,
                                     ptrdiff_t line)
{
    const R *src = src_;
    R *dst = dst_;
    for (ptrdiff_t q = 0; q < n; q += KN_LANES) {
        V rows[4][KN_POINTS];
        KN_UNROLL for (int j = 0; j < KN_POINTS; j++) {
            V m[KN_POINTS], t[4];
            KN_UNROLL for (int i = 0; i < KN_POINTS; i++) m[i] = v_load(src + (KN_POINTS * i + j) * step + q);
            KN_SET(win, result)(m, t);
            KN_UNROLL for (int i = 0; i < 4; i++) rows[i][j] = t[i];
        }
        KN_UNROLL for (int i = 0; i < 4; i++) {
            V y[4];
            KN_SET(win, result)(rows[i], y);
            if (woven == 1)
                KN(win_row)(y, 1, dst + i * line + 4 * q);
            else if (woven == 2)
                KN(win_row)(y, 2, dst + i * line + 4 * q);
            else
                KN(win_row)(y, 4, dst + i * line + 4 * q);
        }
    }
}

/* For the gradient of the weights the channels are the lanes: element (i, j) of a tile is the vector at
 * src[i * line + j * column], element e of its transform goes to dst[e * step]. The tiles lie 4 * column apart in src and
 * pitch apart in dst. */
static void KN_SET(winograd, source_lanes)(const void *src_, ptrdiff_t line, ptrdiff_t column, ptrdiff_t tiles,
                                           void *dst_, ptrdiff_t step, ptrdiff_t pitch)
{
    const R *src = src_;
    R *dst = dst_;
    for (; tiles; tiles--, src += 4 * column, dst += pitch) {
        V rows[KN_POINTS][KN_POINTS];
        const R *at = src;
        KN_UNROLL for (int j = 0; j < KN_POINTS; j++, at += column) {
            V d[KN_POINTS], t[KN_POINTS];
            __asm__("" : "+r"(at)); /* one pointer, instead of all sums of its steps */
            KN_UNROLL for (int i = 0; i < KN_POINTS; i++) d[i] = v_load(at + i * line);
            KN_SET(win, source)(d, t);
            KN_UNROLL for (int i = 0; i < KN_POINTS; i++) rows[i][j] = t[i];
        }
        KN_UNROLL for (int i = 0; i < KN_POINTS; i++) {
            V t[KN_POINTS];
            KN_SET(win, source)(rows[i], t);
            KN_UNROLL for (int j = 0; j < KN_POINTS; j++) v_store(dst + (KN_POINTS * i + j) * step, t[j]);
        }
    }
}

/* The same for the gradients of the results, of 4x4 elements. */
static void KN_SET(winograd, gradient_lanes)(const void *src_, ptrdiff_t line, ptrdiff_t column, ptrdiff_t tiles,
                                             void *dst_, ptrdiff_t step, ptrdiff_t pitch)
{
    const R *src = src_;
    R *dst = dst_;
    for (; tiles; tiles--, src += 4 * column, dst += pitch) {
        V rows[KN_POINTS][4];
        const R *at = src;
        KN_UNROLL for (int j = 0; j < 4; j++, at += column) {
            V y[4], t[KN_POINTS];
            __asm__("" : "+r"(at)); /* one pointer, instead of all sums of its steps */
            KN_UNROLL for (int i = 0; i < 4; i++) y[i] = v_load(at + i * line);
            KN_SET(win, gradient)(y, t);
            KN_UNROLL for (int i = 0; i < KN_POINTS; i++) rows[i][j] = t[i];
        }
        KN_UNROLL for (int i = 0; i < KN_POINTS; i++) {
            V t[KN_POINTS];
            KN_SET(win, gradient)(rows[i], t);
            KN_UNROLL for (int j = 0; j < KN_POINTS; j++) v_store(dst + (KN_POINTS * i + j) * step, t[j]);
        }
    }
}

/* The gradient of n filters' weights, n at most a vector: element e of filter q is m[e * step + q], tap (i, j) of it goes
 * to w[q * apart + i * row + j]. */
static void KN_SET(winograd, weight)(const void *m_, ptrdiff_t step, ptrdiff_t n, const kn_piece *piece, void *w_,
                                     ptrdiff_t apart, ptrdiff_t row)
{
    enum { TAPS = KN_TAPS * KN_TAPS };
    const R *m = m_;
    R *w = w_;
    V rows[KN_TAPS][KN_POINTS];
    union { V v[TAPS]; R r[TAPS][KN_VBYTES / KN_SIZE]; } taps;
    KN_UNROLL for (int j = 0; j < KN_POINTS; j++) {
        V d[KN_POINTS], t[KN_TAPS];
        KN_UNROLL for (int i = 0; i < KN_POINTS; i++) d[i] = v_load_part(m + (KN_POINTS * i + j) * step, n);
        KN_SET(win, weight)(d, t);
        KN_UNROLL for (int i = 0; i < KN_TAPS; i++) rows[i][j] = t[i];
    }
    KN_UNROLL for (int i = 0; i < KN_TAPS; i++) KN_SET(win, weight)(rows[i], taps.v + KN_TAPS * i);
    for (ptrdiff_t q = 0; q < n; q++)
        KN_UNROLL for (int t = 0; t < TAPS; t++)
            if (t / KN_TAPS < piece->high && t % KN_TAPS < piece->wide)
                w[q * apart + t / KN_TAPS * row + t % KN_TAPS] = taps.r[t][q];
}

#undef KN_SET
#undef KN_JOIN
#undef KN_JOIN_
#undef KN_POINTS
