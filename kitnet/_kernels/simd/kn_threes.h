/* The tiles of kn_cast.h for one vector of filters under kernels three wide, in steps of one: each pixel of a row is
 * loaded once for all three taps that meet it, where it lies. What limits them is the multiply-adds alone. */

/* m pixels of a row, whose middle taps stand at x[off[l]] for line l; w: three vectors a line. The pixel `before` and
 * the one `behind` the tile are met too, where there is one. */
#define KN_THREES_TILE(m)                                                                                          \
    static void KN(threes_##m)(ptrdiff_t lines, const void *x_, const ptrdiff_t *restrict off, const void *w_,     \
                               int before, int behind, void *c_, int accumulate)                                   \
    {                                                                                                              \
        const R *x = x_, *restrict w = w_;                                                                         \
        R *c = c_;                                                                                                 \
        V acc[m];                                                                                                  \
        KN_UNROLL for (int i = 0; i < m; i++) acc[i] = (V){0};                                                     \
        for (ptrdiff_t l = 0; l < lines; l++, w += 3 * KN_LANES) {                                                 \
            const R *row = x + off[l];                                                                             \
            const V w0 = v_load(w), w1 = v_load(w + KN_LANES), w2 = v_load(w + 2 * KN_LANES);                      \
            if (before) acc[0] += row[-1] * w0;                                                                    \
            KN_UNROLL for (int i = 0; i < m; i++) {                                                                \
                const V p = row[i] - (V){0};                                                                       \
                acc[i] += p * w1;                                                                                  \
                if (i + 1 < m) acc[i + 1 < m ? i + 1 : 0] += p * w0;                                               \
                if (i > 0) acc[i > 0 ? i - 1 : 0] += p * w2;                                                       \
            }                                                                                                      \
            if (behind) acc[m - 1] += row[m] * w2;                                                                 \
        }                                                                                                          \
        if (accumulate) KN_UNROLL for (int i = 0; i < m; i++) acc[i] += v_load(c + i * KN_LANES);                  \
        KN_UNROLL for (int i = 0; i < m; i++) v_store(c + i * KN_LANES, acc[i]);                                   \
    }
KN_CAST_TILES(KN_THREES_TILE)

/* A pixel of each of the three rows that a row of dy meets, under the taps for which dy is there. */
KN_INLINED void KN(threes_pixel)(const R *const *row, ptrdiff_t q, const V *d, const int *met, V (*acc)[3],
                                 const int lines)
{
    KN_UNROLL for (int i = 0; i < lines; i++) {
        const V p = row[i][q] - (V){0};
        KN_UNROLL for (int j = 0; j < 3; j++)
            if (met[j]) acc[i][j] += p * d[2 - j];
    }
}

/* The gradient of the weights of 3x3 kernels, for some channels that lie `plane` apart. */
KN_INLINED void KN(threes_weight_channels)(const kn_threes *g, const R *x, ptrdiff_t plane, const R *zeros,
                                           const R *dy, R *c, int accumulate, const int channels)
{
    static const int all[3] = {1, 1, 1}, first[3] = {1, 1, 0}, last[3] = {0, 1, 1};
    V acc[6][3];
    KN_UNROLL for (int i = 0; i < 3 * channels; i++)
        KN_UNROLL for (int j = 0; j < 3; j++) acc[i][j] = (V){0};
    for (ptrdiff_t r = 0; r < g->rows; r++, dy += g->n * KN_LANES) {
        const R *row[6];
        V d[3];
        ptrdiff_t q = 0;
        KN_UNROLL for (int i = 0; i < 3; i++) {
            const ptrdiff_t y = g->y + r * g->step + i * g->apart;
            KN_UNROLL for (int k = 0; k < channels; k++)
                row[3 * k + i] = y >= 0 && y < g->height ? x + k * plane + y * g->width : zeros;
        }
        d[2] = v_load(dy);
        KN_UNROLL for (int i = 0; i < 3 * channels; i++) /* in the padding a zero, which may meet a dy that is not finite */
            acc[i][0] += (g->before ? row[i][-1] : 0) * d[2];
        d[1] = d[2];
        d[2] = v_load(dy + KN_LANES);
        KN(threes_pixel)(row, q++, d, first, acc, 3 * channels);
        for (; q + 1 < g->n; q++) {
            d[0] = d[1];
            d[1] = d[2];
            d[2] = v_load(dy + (q + 1) * KN_LANES);
            KN(threes_pixel)(row, q, d, all, acc, 3 * channels);
        }
        d[0] = d[1];
        d[1] = d[2];
        KN(threes_pixel)(row, q++, d, last, acc, 3 * channels);
        KN_UNROLL for (int i = 0; i < 3 * channels; i++) acc[i][2] += (g->behind ? row[i][q] : 0) * d[1];
    }
    if (accumulate)
        KN_UNROLL for (int i = 0; i < 9 * channels; i++) acc[i / 3][i % 3] += v_load(c + i * KN_LANES);
    KN_UNROLL for (int i = 0; i < 9 * channels; i++) v_store(c + i * KN_LANES, acc[i / 3][i % 3]);
}

/* c[tap][f] (+)= the products of dy, which lies pixel by pixel, and what the tap meets, for 1 or 2 channels. */
static void KN(threes_weight)(const kn_threes *g, const void *x, ptrdiff_t channels, ptrdiff_t plane, const void *zeros,
                              const void *dy, void *c, int accumulate)
{
    if (channels == 2)
        KN(threes_weight_channels)(g, x, plane, zeros, dy, c, accumulate, 2);
    else
        KN(threes_weight_channels)(g, x, plane, zeros, dy, c, accumulate, 1);
}
