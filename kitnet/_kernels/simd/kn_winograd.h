/* Winograd's minimal filtering F(4x4, 3x3): 36 multiplications for 16 outputs where direct convolution takes 144.
 *
 * Points 0, +-5/8, +-3/2 and infinity: their squares and products are exact in binary, and the error is about half of
 * that with the textbook's 0, +-1, +-2 (Barabasz et al., "Error analysis and improving the accuracy of Winograd
 * convolution", 2018, for the choice of points; Lavin and Gray, 2015, for the algorithm). With a = 5/8, b = 3/2:
 *
 *     source  V = B' d B     filter  U = G w G'     result  y = A' (sum over channels U * V) A
 *
 * Each transform is two sweeps of its one-dimensional form over a 6x6 tile, one tile (or one filter) in each lane. */

#define WA ((R)0.625)
#define WB ((R)1.5)
#define WA2 ((R)0.390625)
#define WB2 ((R)2.25)

static inline __attribute__((always_inline)) void KN(win_source)(const V d[6], V t[6])
{
    const V even_a = d[4] - WB2 * d[2], odd_a = WA * (d[3] - WB2 * d[1]);
    const V even_b = d[4] - WA2 * d[2], odd_b = WB * (d[3] - WA2 * d[1]);
    t[0] = (d[4] - (WA2 + WB2) * d[2]) + (WA2 * WB2) * d[0];
    t[1] = even_a + odd_a;
    t[2] = even_a - odd_a;
    t[3] = even_b + odd_b;
    t[4] = even_b - odd_b;
    t[5] = (d[5] - (WA2 + WB2) * d[3]) + (WA2 * WB2) * d[1];
}

static inline __attribute__((always_inline)) void KN(win_filter)(const V w[3], V t[6])
{
    const R na = (R)(1 / (2 * 0.390625 * (0.390625 - 2.25))), nb = (R)(1 / (2 * 2.25 * (2.25 - 0.390625)));
    const V even_a = na * w[0] + (na * WA2) * w[2], odd_a = (na * WA) * w[1];
    const V even_b = nb * w[0] + (nb * WB2) * w[2], odd_b = (nb * WB) * w[1];
    t[0] = (R)(1 / (0.390625 * 2.25)) * w[0];
    t[1] = even_a + odd_a;
    t[2] = even_a - odd_a;
    t[3] = even_b + odd_b;
    t[4] = even_b - odd_b;
    t[5] = w[2];
}

static inline __attribute__((always_inline)) void KN(win_result)(const V m[6], V y[4])
{
    const V sum_a = m[1] + m[2], diff_a = m[1] - m[2], sum_b = m[3] + m[4], diff_b = m[3] - m[4];
    y[0] = m[0] + (sum_a + sum_b);
    y[1] = WA * diff_a + WB * diff_b;
    y[2] = WA2 * sum_a + WB2 * sum_b;
    y[3] = (WA * WA2) * diff_a + ((WB * WB2) * diff_b + m[5]);
}

static inline __attribute__((always_inline)) void KN(win_gradient)(const V y[4], V t[6])
{
    const V even_a = y[0] + WA2 * y[2], odd_a = WA * (y[1] + WA2 * y[3]);
    const V even_b = y[0] + WB2 * y[2], odd_b = WB * (y[1] + WB2 * y[3]);
    t[0] = y[0];
    t[1] = even_a + odd_a;
    t[2] = even_a - odd_a;
    t[3] = even_b + odd_b;
    t[4] = even_b - odd_b;
    t[5] = y[3];
}

static inline __attribute__((always_inline)) void KN(win_weight)(const V m[6], V w[3])
{
    const R na = (R)(1 / (2 * 0.390625 * (0.390625 - 2.25))), nb = (R)(1 / (2 * 2.25 * (2.25 - 0.390625)));
    const V sum_a = na * (m[1] + m[2]), sum_b = nb * (m[3] + m[4]);
    w[0] = (R)(1 / (0.390625 * 2.25)) * m[0] + (sum_a + sum_b);
    w[1] = (na * WA) * (m[1] - m[2]) + (nb * WB) * (m[3] - m[4]);
    w[2] = WA2 * sum_a + (WB2 * sum_b + m[5]);
}

/* The first six columns of a tile in each lane, from four vectors and the four so many columns further on. Of woven
 * tiles u lie side by side, each with every u-th column: those are units of u lanes. */
static inline __attribute__((always_inline)) void KN(win_columns)(const V x[4], const V y[4], const int u, V t[6])
{
    const V even_low = KN(even_units)(x[0], x[1], u), even_high = KN(even_units)(x[2], x[3], u);
    const V odd_low = KN(odd_units)(x[0], x[1], u), odd_high = KN(odd_units)(x[2], x[3], u);
    t[0] = KN(even_units)(even_low, even_high, u);
    t[1] = KN(even_units)(odd_low, odd_high, u);
    t[2] = KN(odd_units)(even_low, even_high, u);
    t[3] = KN(odd_units)(odd_low, odd_high, u);
    t[4] = KN(even_units)(KN(even_units)(y[0], y[1], u), KN(even_units)(y[2], y[3], u), u);
    t[5] = KN(even_units)(KN(odd_units)(y[0], y[1], u), KN(odd_units)(y[2], y[3], u), u);
}

/* The other way round: four outputs of the tile in each lane, to four vectors of columns. */
static inline __attribute__((always_inline)) void KN(win_row)(const V y[4], const int u, R *to)
{
    const V a = KN(zip_low_units)(y[0], y[2], u), b = KN(zip_high_units)(y[0], y[2], u);
    const V c = KN(zip_low_units)(y[1], y[3], u), d = KN(zip_high_units)(y[1], y[3], u);
    v_store(to, KN(zip_low_units)(a, c, u));
    v_store(to + KN_LANES, KN(zip_high_units)(a, c, u));
    v_store(to + 2 * KN_LANES, KN(zip_low_units)(b, d, u));
    v_store(to + 3 * KN_LANES, KN(zip_high_units)(b, d, u));
}

/* V of a vector of tiles: element e of the tile at place q goes to dst[e * step + q]. Whole vectors are written: up to
 * lanes - 1 elements behind the last tile. */
static void KN(winograd_source)(const void *plane_, const kn_tiles *tiles, void *dst_, ptrdiff_t step)
{
    const R *plane = plane_;
    R *dst = (R *)dst_ + tiles->place;
    const ptrdiff_t woven = tiles->woven, further = 4 * woven;
    KN(lanes) near[4], far[4];
    V rows[6][6];
    for (int s = 0; s < 4; s++) {
        near[s] = KN(lanes_between)(tiles->low[s], tiles->high[s]);
        far[s] = KN(lanes_between)(tiles->low[s] - further, tiles->high[s] - further);
    }
    for (int i = 0; i < 6; i++) {
        V x[4], y[4], t[6];
        KN_UNROLL for (int s = 0; s < 4; s++) {
            const ptrdiff_t off = tiles->off[s][i];
            x[s] = off == KN_NOWHERE ? (V){0} : KN(load_lanes)(plane + off, near[s]);
            y[s] = off == KN_NOWHERE ? (V){0} : KN(load_lanes)(plane + off + further, far[s]);
        }
        if (woven == 1)
            KN(win_columns)(x, y, 1, t);
        else if (woven == 2)
            KN(win_columns)(x, y, 2, t);
        else
            KN(win_columns)(x, y, 4, t);
        KN(win_source)(t, rows[i]);
    }
    KN_UNROLL for (int j = 0; j < 6; j++) {
        V d[6], t[6];
        KN_UNROLL for (int i = 0; i < 6; i++) d[i] = rows[i][j];
        KN(win_source)(d, t);
        KN_UNROLL for (int i = 0; i < 6; i++) KN(store_strips)(dst + (6 * i + j) * step, t[i], tiles->strips, tiles->tiles);
    }
}

/* U of n filters, at most a vector: tap (i, j) of filter q is w[i * row + j * column + q], zero beyond the taps that the
 * piece has; element e goes to dst[e * step + q]. */
static void KN(winograd_filter)(const void *w_, const kn_piece *piece, ptrdiff_t row, ptrdiff_t column, ptrdiff_t n,
                                void *dst_, ptrdiff_t step)
{
    const R *w = w_;
    R *dst = dst_;
    V rows[6][3];
    KN_UNROLL for (int j = 0; j < 3; j++) {
        V g[3], t[6];
        KN_UNROLL for (int i = 0; i < 3; i++)
            g[i] = i < piece->high && j < piece->wide ? v_load_part(w + i * row + j * column, n) : (V){0};
        KN(win_filter)(g, t);
        KN_UNROLL for (int i = 0; i < 6; i++) rows[i][j] = t[i];
    }
    KN_UNROLL for (int i = 0; i < 6; i++) {
        V t[6];
        KN(win_filter)(rows[i], t);
        KN_UNROLL for (int j = 0; j < 6; j++) v_store_part(dst + (6 * i + j) * step, t[j], n);
    }
}

/* The 4x4 outputs of n tiles: element e of tile q is src[e * step + q]; output (i, j) of tile q goes to
 * dst[i * line + 4 * q + j], or between those of the tiles it is woven with. Whole vectors are read and written. */
static void KN(winograd_result)(const void *src_, ptrdiff_t step, ptrdiff_t n, ptrdiff_t woven, void *dst_,
                                ptrdiff_t line)
{
    const R *src = src_;
    R *dst = dst_;
    for (ptrdiff_t q = 0; q < n; q += KN_LANES) {
        V rows[4][6];
        KN_UNROLL for (int j = 0; j < 6; j++) {
            V m[6], t[4];
            KN_UNROLL for (int i = 0; i < 6; i++) m[i] = v_load(src + (6 * i + j) * step + q);
            KN(win_result)(m, t);
            KN_UNROLL for (int i = 0; i < 4; i++) rows[i][j] = t[i];
        }
        KN_UNROLL for (int i = 0; i < 4; i++) {
            V y[4];
            KN(win_result)(rows[i], y);
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
static void KN(winograd_source_lanes)(const void *src_, ptrdiff_t line, ptrdiff_t column, ptrdiff_t tiles, void *dst_,
                                      ptrdiff_t step, ptrdiff_t pitch)
{
    const R *src = src_;
    R *dst = dst_;
    for (; tiles; tiles--, src += 4 * column, dst += pitch) {
        V rows[6][6];
        const R *at = src;
        KN_UNROLL for (int j = 0; j < 6; j++, at += column) {
            V d[6], t[6];
            __asm__("" : "+r"(at)); /* one pointer, instead of all sums of its steps */
            KN_UNROLL for (int i = 0; i < 6; i++) d[i] = v_load(at + i * line);
            KN(win_source)(d, t);
            KN_UNROLL for (int i = 0; i < 6; i++) rows[i][j] = t[i];
        }
        KN_UNROLL for (int i = 0; i < 6; i++) {
            V t[6];
            KN(win_source)(rows[i], t);
            KN_UNROLL for (int j = 0; j < 6; j++) v_store(dst + (6 * i + j) * step, t[j]);
        }
    }
}

/* The same for the gradients of the results: 4x4 elements to 36. */
static void KN(winograd_gradient_lanes)(const void *src_, ptrdiff_t line, ptrdiff_t column, ptrdiff_t tiles, void *dst_,
                                        ptrdiff_t step, ptrdiff_t pitch)
{
    const R *src = src_;
    R *dst = dst_;
    for (; tiles; tiles--, src += 4 * column, dst += pitch) {
        V rows[6][4];
        const R *at = src;
        KN_UNROLL for (int j = 0; j < 4; j++, at += column) {
            V y[4], t[6];
            __asm__("" : "+r"(at)); /* one pointer, instead of all sums of its steps */
            KN_UNROLL for (int i = 0; i < 4; i++) y[i] = v_load(at + i * line);
            KN(win_gradient)(y, t);
            KN_UNROLL for (int i = 0; i < 6; i++) rows[i][j] = t[i];
        }
        KN_UNROLL for (int i = 0; i < 6; i++) {
            V t[6];
            KN(win_gradient)(rows[i], t);
            KN_UNROLL for (int j = 0; j < 6; j++) v_store(dst + (6 * i + j) * step, t[j]);
        }
    }
}

/* The gradient of n filters' weights, n at most a vector: element e of filter q is m[e * step + q], tap (i, j) of it goes
 * to w[q * apart + i * row + j]. */
static void KN(winograd_weight)(const void *m_, ptrdiff_t step, ptrdiff_t n, const kn_piece *piece, void *w_,
                                ptrdiff_t apart, ptrdiff_t row)
{
    const R *m = m_;
    R *w = w_;
    V rows[3][6];
    union { V v[9]; R r[9][KN_VBYTES / KN_SIZE]; } taps;
    KN_UNROLL for (int j = 0; j < 6; j++) {
        V d[6], t[3];
        KN_UNROLL for (int i = 0; i < 6; i++) d[i] = v_load_part(m + (6 * i + j) * step, n);
        KN(win_weight)(d, t);
        KN_UNROLL for (int i = 0; i < 3; i++) rows[i][j] = t[i];
    }
    KN_UNROLL for (int i = 0; i < 3; i++) KN(win_weight)(rows[i], taps.v + 3 * i);
    for (ptrdiff_t q = 0; q < n; q++)
        KN_UNROLL for (int t = 0; t < 9; t++)
            if (t / 3 < piece->high && t % 3 < piece->wide) w[q * apart + t / 3 * row + t % 3] = taps.r[t][q];
}
