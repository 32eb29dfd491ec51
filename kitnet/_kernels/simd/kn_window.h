/* One plane under one small kernel, for convolutions where each filter reads one channel (depthwise): there is no
 * product to tile, so the plane is read where it lies and filtered straight into the result. What memory can give is
 * the limit. Square kernels of the usual sizes, whose taps lie side by side, have a way of their own (kn_square.h); the
 * others load the source for each tap. */

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

/* A strip of outputs, a vector wide, under the taps of a line: which lanes of the source each of them meets. */
typedef struct {
    KN(lanes) lanes[7], next[7]; /* in the vector that a tap reads, and in the one behind (step 2) */
} KN(strip);

static void KN(make_strip)(const kn_plane *g, ptrdiff_t q, KN(strip) *strip)
{
    const ptrdiff_t n = g->columns - q < KN_LANES ? g->columns - q : KN_LANES;
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

/* Any kernel: a strip, whose lanes are worked out once for all rows where there are not too many taps. */
typedef struct {
    KN(strip) strip;
    ptrdiff_t q;
    int whole, ready;
} KN(taps);

static void KN(make_taps)(const kn_plane *g, ptrdiff_t q, KN(taps) *taps)
{
    taps->q = q;
    taps->whole = g->taps && KN(window_inside)(g, q);
    taps->ready = g->step_w <= 2 && g->taps <= 7;
    if (taps->ready) KN(make_strip)(g, q, &taps->strip);
}

/* One row of it. */
static V KN(window_sum)(const kn_plane *g, const KN(taps) *taps, const R *src, const R *w, ptrdiff_t r)
{
    V s = (V){0};
    for (ptrdiff_t i = 0; i < g->lines; i++, w += g->taps) {
        const ptrdiff_t y = r * g->step_h + g->top[i], at = taps->q * g->step_w;
        if (g->base[i] == KN_NOWHERE || y < 0 || y >= g->height) continue;
        const R *row = src + g->base[i] + y * g->width + at;
        for (ptrdiff_t j = 0; j < g->taps; j++) {
            if (!taps->ready)
                s += w[j] * KN(window_load)(row - at, at + g->left[j], g->step_w, g->width, g->columns - taps->q,
                                            taps->whole);
            else if (g->step_w == 2)
                s += w[j] * KN(strip_load)(row + g->left[j], &taps->strip, j, 2, 0);
            else if (taps->whole)
                s += w[j] * v_load(row + g->left[j]);
            else
                s += w[j] * KN(strip_load)(row + g->left[j], &taps->strip, j, 1, 0);
        }
    }
    return s;
}

/* dst[r * to_row + q * to_step] = clip(sum of the taps + bias), NaN kept;  r < rows, q < columns */
static void KN(window)(const kn_plane *g, const void *src_, const void *w_, double bias_, double low_, double high_,
                       void *dst_)
{
    const R *src = src_, *w = w_, bias = (R)bias_, low = (R)low_, high = (R)high_;
    R *dst = dst_;
    if (g->to_step == 1 && KN(window_square)(g, src, w, bias, low, high, dst)) return;
    for (ptrdiff_t q = 0; q < g->columns; q += KN_LANES) {
        KN(taps) taps;
        KN(make_taps)(g, q, &taps);
        for (ptrdiff_t r = 0; r < g->rows; r++)
            KN(store_step)(dst + r * g->to_row + q * g->to_step,
                           KN(clip)(KN(window_sum)(g, &taps, src, w, r) + bias, low, high), g->to_step, g->columns - q);
    }
}

/* The same where few taps, in steps of one, are known beforehand. */
KN_INLINED V KN(window_few)(const kn_plane *g, const KN(taps) *t, const R *src, const R *w, ptrdiff_t r,
                            const int lines, const int taps)
{
    V s = (V){0};
    KN_UNROLL for (int i = 0; i < lines; i++) {
        const ptrdiff_t y = r * g->step_h + g->top[i];
        const R *row = src + y * g->width + t->q;
        if (y < 0 || y >= g->height) continue;
        if (t->whole)
            KN_UNROLL for (int j = 0; j < taps; j++) s += w[i * taps + j] * v_load(row + g->left[j]);
        else
            KN_UNROLL for (int j = 0; j < taps; j++)
                s += w[i * taps + j] * KN(load_lanes)(row + g->left[j], t->strip.lanes[j]);
    }
    return s;
}

/* A strip of two phases of the columns of a plane; lines 0: any number of lines and taps. */
KN_INLINED void KN(window_columns)(const kn_plane *even, const kn_plane *odd, const R *src, const R *even_w,
                                   const R *odd_w, R bias, R low, R high, R *dst, ptrdiff_t q, const int lines,
                                   const int even_taps, const int odd_taps)
{
    const ptrdiff_t n = even->columns + odd->columns - 2 * q;
    KN(taps) a, b;
    KN(make_taps)(even, q, &a);
    KN(make_taps)(odd, q, &b);
    for (ptrdiff_t r = 0; r < even->rows; r++) {
        V x = lines ? KN(window_few)(even, &a, src, even_w, r, lines, even_taps)
                    : KN(window_sum)(even, &a, src, even_w, r);
        V y = lines ? KN(window_few)(odd, &b, src, odd_w, r, lines, odd_taps)
                    : KN(window_sum)(odd, &b, src, odd_w, r);
        R *to = dst + r * even->to_row + 2 * q;
        x = KN(clip)(x + bias, low, high);
        y = KN(clip)(y + bias, low, high);
        KN(store_step)(to, KN(zip_low)(x, y), 1, n);
        if (n > KN_LANES) KN(store_step)(to + KN_LANES, KN(zip_high)(x, y), 1, n - KN_LANES);
    }
}

/* Two phases of the columns of a plane, side by side: the even columns of the result and the odd ones. */
static void KN(window_pair)(const kn_plane *even, const kn_plane *odd, const void *src_, const void *even_w,
                            const void *odd_w, double bias, double low, double high, void *dst)
{
    const ptrdiff_t kind = 16 * even->lines + 4 * even->taps + odd->taps;
    int flat = even->step_w == 1 && even->step_h == 1 && even->lines == 1;
    if (flat) flat = even->base[0] == 0;
    for (ptrdiff_t q = 0; q < even->columns; q += KN_LANES) {
#define KN_COLUMNS(lines, even_taps, odd_taps)                                                                     \
    KN(window_columns)(even, odd, src_, even_w, odd_w, (R)bias, (R)low, (R)high, dst, q, lines, even_taps, odd_taps)
        if (flat && kind == 16 + 4 + 2) KN_COLUMNS(1, 1, 2);
        else if (flat && kind == 16 + 8 + 1) KN_COLUMNS(1, 2, 1);
        else KN_COLUMNS(0, 0, 0);
#undef KN_COLUMNS
    }
}

/* sums[tap] += the products of dy[r * columns + q] and the source under the tap; a vector of partial sums a tap.
 * Nothing behind the last column has a say: 0 times what stands there need not be 0. Returns the sum of dy; the elements
 * so far ahead will be next. */
static double KN(window_weight)(const kn_plane *g, const void *dy_, ptrdiff_t dy_ahead, const void *src_,
                                ptrdiff_t src_ahead, void *sums_)
{
    const R *dy = dy_, *src = src_;
    R *sums = sums_, total;
    if (KN(weight_square)(g, dy, dy_ahead, src, src_ahead, sums, &total)) return total;
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
    return KN(total)(dy, g->rows * g->columns);
}
