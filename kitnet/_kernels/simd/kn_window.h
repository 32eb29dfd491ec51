/* One plane under one small kernel, for convolutions where each filter reads one channel (depthwise): there is no
 * product to tile, so the plane is read where it lies and filtered straight into the result. What memory can give is
 * the limit, so results are written along the rows, four rows at a time.
 *
 * Square kernels of the usual sizes, whose taps lie side by side, load each row of the source once for the four rows of
 * the result; the others load it for each tap. */

#define KN_INLINED static inline __attribute__((always_inline))

/* Lane q: row[at + q * step], zero outside of [0, width) and from the n-th on. Whole: all lanes are inside. */
KN_INLINED V KN(window_load)(const R *row, ptrdiff_t at, ptrdiff_t step, ptrdiff_t width, ptrdiff_t n, int whole)
{
    const ptrdiff_t end = at + (n - 1) * step + 1 < width ? at + (n - 1) * step + 1 : width;
    if (step == 1) return whole ? v_load(row + at) : KN(load_between)(row + at, -at, end - at);
    if (step == 2) {
        const R *next = row + at + KN_LANES;
        if (whole) return KN(even)(v_load(row + at), v_load(next));
        return KN(even)(KN(load_between)(row + at, -at, end - at),
                        KN(load_between)(next, -at - KN_LANES, end - at - KN_LANES));
    }
    union { V v; R r[KN_VBYTES / KN_SIZE]; } u = {.r = {0}};
    for (ptrdiff_t q = 0; q < KN_LANES; q++)
        if (at + q * step >= 0 && at + q * step < end) u.r[q] = row[at + q * step];
    return u.v;
}

/* Whether all lanes of all taps are inside, for the outputs from column q on. */
KN_INLINED int KN(window_inside)(const kn_plane *g, ptrdiff_t q)
{
    const ptrdiff_t first = q * g->step_w + g->left[0], last = q * g->step_w + g->left[g->taps - 1];
    return first >= 0 && last + KN_LANES * g->step_w <= g->width && q + KN_LANES <= g->columns;
}

/* A strip of outputs, a vector wide, under the taps of a line: which lanes of the source each of them meets. The first
 * strip and the last of a plane are the ones that meet its edges. */
typedef struct {
    int whole;
    KN(lanes) lanes[7], next[7]; /* in the vector that a tap reads, and in the one behind (step 2) */
} KN(strip);

KN_INLINED void KN(make_strip)(const kn_plane *g, ptrdiff_t q, KN(strip) *strip)
{
    const ptrdiff_t n = g->columns - q < KN_LANES ? g->columns - q : KN_LANES;
    strip->whole = KN(window_inside)(g, q);
    for (ptrdiff_t j = 0; j < g->taps; j++) {
        const ptrdiff_t at = q * g->step_w + g->left[j], last = at + (n - 1) * g->step_w + 1;
        const ptrdiff_t end = last < g->width ? last : g->width;
        strip->lanes[j] = KN(lanes_between)(-at, end - at);
        strip->next[j] = KN(lanes_between)(-at - KN_LANES, end - at - KN_LANES);
    }
}

KN_INLINED V KN(strip_load)(const R *p, const KN(strip) *strip, int j, const int step, const int whole)
{
    if (step == 1) return whole ? v_load(p) : KN(load_lanes)(p, strip->lanes[j]);
    if (whole) return KN(even)(v_load(p), v_load(p + KN_LANES));
    return KN(even)(KN(load_lanes)(p, strip->lanes[j]), KN(load_lanes)(p + KN_LANES, strip->next[j]));
}

/* Four rows of the result from row r on, a strip of them, under a square kernel of k x k taps in steps of `step`. */
KN_INLINED void KN(window_strip)(const kn_plane *g, const R *src, const R *w, R bias, R low, R high, R *dst,
                                 ptrdiff_t r, ptrdiff_t q, const KN(strip) *strip, const int k, const int step,
                                 const int whole)
{
    V s[4] = {{0}, {0}, {0}, {0}};
    KN_UNROLL for (int i = 0; i < 3 * step + k; i++) {
        const ptrdiff_t y = r * step + g->top[0] + i;
        const R *from = src + y * g->width + q * step + g->left[0];
        if (y < 0 || y >= g->height) continue;
        KN_UNROLL for (int j = 0; j < k; j++) {
            const V x = KN(strip_load)(from + j, strip, j, step, whole);
            KN_UNROLL for (int o = 0; o < 4; o++)
                if (i - o * step >= 0 && i - o * step < k) s[o] += w[(i - o * step) * k + j] * x;
        }
    }
    KN_UNROLL for (int o = 0; o < 4; o++)
        KN(store_step)(dst + (r + o) * g->to_row + q * g->to_step, KN(clip)(s[o] + bias, low, high), g->to_step,
                       g->columns - q);
}

/* All rows, of four at least; the last four may have been among those before. */
KN_INLINED void KN(window_square)(const kn_plane *g, const R *src, const R *w, R bias, R low, R high, R *dst,
                                       const int k, const int step)
{
    const ptrdiff_t last = (g->columns - 1) / KN_LANES * KN_LANES;
    KN(strip) edges[2], other;
    KN(make_strip)(g, 0, &edges[0]);
    KN(make_strip)(g, last, &edges[1]);
    for (ptrdiff_t row = 0; row < g->rows; row += 4) {
        const ptrdiff_t r = row + 4 <= g->rows ? row : g->rows - 4;
        for (ptrdiff_t q = 0; q < g->columns; q += KN_LANES) {
            const KN(strip) *strip = q == 0 ? &edges[0] : q == last ? &edges[1] : &other;
            if (strip == &other) KN(make_strip)(g, q, &other);
            if (strip->whole)
                KN(window_strip)(g, src, w, bias, low, high, dst, r, q, strip, k, step, 1);
            else
                KN(window_strip)(g, src, w, bias, low, high, dst, r, q, strip, k, step, 0);
        }
    }
}

/* dst[r * to_row + q * to_step] = clip(sum of the taps + bias), NaN kept;  r < rows, q < columns */
static void KN(window)(const kn_plane *g, const void *src_, const void *w_, double bias_, double low_, double high_,
                       void *dst_)
{
    const R *src = src_, *w = w_, bias = (R)bias_, low = (R)low_, high = (R)high_;
    R *dst = dst_;
#define KN_SQUARE(k, step)                                                                                         \
    if (g->square == k && g->step_h == step && g->step_w == step && g->rows >= 4) {                                \
        KN(window_square)(g, src, w, bias, low, high, dst, k, step);                                               \
        return;                                                                                                    \
    }
    KN_SQUARE(3, 1)
    KN_SQUARE(3, 2)
    KN_SQUARE(5, 1)
    KN_SQUARE(5, 2)
    KN_SQUARE(7, 1)
#undef KN_SQUARE
    for (ptrdiff_t r = 0; r < g->rows; r++)
        for (ptrdiff_t q = 0; q < g->columns; q += KN_LANES) {
            const ptrdiff_t n = g->columns - q;
            const int whole = KN(window_inside)(g, q);
            V s = (V){0};
            for (ptrdiff_t i = 0; i < g->lines; i++) {
                const ptrdiff_t y = r * g->step_h + g->top[i];
                if (g->base[i] == KN_NOWHERE || y < 0 || y >= g->height) continue;
                for (ptrdiff_t j = 0; j < g->taps; j++)
                    s += w[i * g->taps + j] * KN(window_load)(src + g->base[i] + y * g->width,
                                                              q * g->step_w + g->left[j], g->step_w, g->width, n,
                                                              whole);
            }
            KN(store_step)(dst + r * g->to_row + q * g->to_step, KN(clip)(s + bias, low, high), g->to_step, n);
        }
}

/* sums[tap] += the products of dy and the source under the tap, for `count` rows of a strip; s: a vector a tap. */
KN_INLINED void KN(window_weight_strip)(const kn_plane *g, const R *dy, const R *src, V *s, ptrdiff_t r, ptrdiff_t q,
                                        const KN(strip) *strip, const int k, const int step, const int count,
                                        const int whole)
{
    V d[4];
    KN_UNROLL for (int o = 0; o < count; o++)
        d[o] = whole ? v_load(dy + (r + o) * g->columns + q)
                     : KN(load_clamped)(dy + (r + o) * g->columns + q, g->columns - q);
    KN_UNROLL for (int i = 0; i < step * (count - 1) + k; i++) {
        const ptrdiff_t y = r * step + g->top[0] + i;
        const R *from = src + y * g->width + q * step + g->left[0];
        const int absent = y < 0 || y >= g->height; /* zeros in the padding, which may meet a dy that is not finite */
        KN_UNROLL for (int j = 0; j < k; j++) {
            const V x = absent ? (V){0} : KN(strip_load)(from + j, strip, j, step, whole);
            KN_UNROLL for (int o = 0; o < count; o++)
                if (i - o * step >= 0 && i - o * step < k) s[(i - o * step) * k + j] += d[o] * x;
        }
    }
}

KN_INLINED void KN(window_weight_square)(const kn_plane *g, const R *dy, const R *src, R *sums, const int k,
                                         const int step)
{
    const ptrdiff_t last = (g->columns - 1) / KN_LANES * KN_LANES;
    KN(strip) edges[2], other;
    V s[25];
    KN(make_strip)(g, 0, &edges[0]);
    KN(make_strip)(g, last, &edges[1]);
    KN_UNROLL for (int t = 0; t < k * k; t++) s[t] = v_load(sums + t * KN_LANES);
    for (ptrdiff_t r = 0; r < g->rows;) {
        const int count = r + 4 <= g->rows ? 4 : 1;
        for (ptrdiff_t q = 0; q < g->columns; q += KN_LANES) {
            const KN(strip) *strip = q == 0 ? &edges[0] : q == last ? &edges[1] : &other;
            if (strip == &other) KN(make_strip)(g, q, &other);
            if (count == 1)
                KN(window_weight_strip)(g, dy, src, s, r, q, strip, k, step, 1, 0);
            else if (strip->whole)
                KN(window_weight_strip)(g, dy, src, s, r, q, strip, k, step, 4, 1);
            else
                KN(window_weight_strip)(g, dy, src, s, r, q, strip, k, step, 4, 0);
        }
        r += count;
    }
    KN_UNROLL for (int t = 0; t < k * k; t++) v_store(sums + t * KN_LANES, s[t]);
}

/* sums[tap] += the products of dy[r * columns + q] and the source under the tap; a vector of partial sums a tap.
 * Nothing behind the last column has a say: 0 times what stands there need not be 0. */
static void KN(window_weight)(const kn_plane *g, const void *dy_, const void *src_, void *sums_)
{
    const R *dy = dy_, *src = src_;
    R *sums = sums_;
#define KN_SQUARE(k, step)                                                                                         \
    if (g->square == k && g->step_h == step && g->step_w == step) {                                                \
        KN(window_weight_square)(g, dy, src, sums, k, step);                                                       \
        return;                                                                                                    \
    }
    KN_SQUARE(3, 1)
    KN_SQUARE(3, 2)
    KN_SQUARE(5, 1)
#undef KN_SQUARE
    for (ptrdiff_t i = 0; i < g->lines; i++)
        for (ptrdiff_t j = 0; j < g->taps; j++) {
            V s = v_load(sums + (i * g->taps + j) * KN_LANES);
            for (ptrdiff_t r = 0; r < g->rows; r++) {
                const ptrdiff_t y = r * g->step_h + g->top[i];
                const int absent = g->base[i] == KN_NOWHERE || y < 0 || y >= g->height;
                const R *row = src + (absent ? 0 : g->base[i] + y * g->width);
                for (ptrdiff_t q = 0; q < g->columns; q += KN_LANES) {
                    const ptrdiff_t n = g->columns - q;
                    s += KN(load_clamped)(dy + r * g->columns + q, n)
                         * KN(window_load)(row, q * g->step_w + g->left[j], g->step_w, absent ? 0 : g->width, n,
                                           !absent && KN(window_inside)(g, q));
                }
            }
            v_store(sums + (i * g->taps + j) * KN_LANES, s);
        }
}
