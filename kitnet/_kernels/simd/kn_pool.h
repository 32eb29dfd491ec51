/* Pooling with a plane a lane: KN_LANES planes, transposed to one vector a cell, go through the same windows at once.
 *
 * A row, forward: of windows that see cells; backward: of cells that windows see. Place o of it has the partners
 * span[o].at + i * span_step, i < span[o].count, in each of ``count`` rows of the frame (KN_LANES elements a cell).
 * Each result is computed alone, partners in that order. */

#define KN_EACH_PARTNER(g, o)                                                                                      \
    for (ptrdiff_t r = 0; r < (g)->count; r++)                                                                     \
        for (ptrdiff_t i = 0, at = (g)->rows[r] + (g)->span[o].at; i < (g)->span[o].count; i++, at += (g)->span_step)

/* v^p for v >= 0. The relative error grows with p |log v|, yet where v is at most about 1, as here, v^p falls faster:
 * that of the largest of them is what a sum of them has. */
static inline V KN(power)(V v, double p) { return v_exp((R)p * KN(ln)(v)); }

/* y = the largest x, NaN before all, the first of equals; index: its cell in the image (whose rows begin at places), in
 * the bits of R. Without index: of |x| if absolute. */
KN_BODY KN(max_any)(const kn_row *g, const R *frame, int absolute, const ptrdiff_t *places, R *y, R *index)
{
    for (ptrdiff_t o = 0; o < g->out; o++) {
        V best = (absolute ? 0 : -(R)__builtin_inf()) - (V){0};
        M where = (M){0} + (KN_INT)(places[0] + g->span[o].at);
        KN_EACH_PARTNER(g, o) {
            const V x = v_load(frame + at * KN_LANES), v = absolute ? KN(magnitude)(x) : x;
            const KN(choice) better = KN(exceeds)(v, best);
            best = KN(pick)(better, v, best);
            if (index) where = KN(pick_int)(better, (M){0} + (KN_INT)(at - g->rows[r] + places[r]), where);
        }
        v_store(y + o * KN_LANES, best);
        if (index) v_store(index + o * KN_LANES, (V)where);
    }
}

static void KN(max_row)(const kn_row *g, const void *frame, int absolute, const ptrdiff_t *places, void *y, void *index)
{
    if (index)
        KN(max_any)(g, frame, 0, places, y, index);
    else if (absolute)
        KN(max_any)(g, frame, 1, places, y, NULL);
    else
        KN(max_any)(g, frame, 0, places, y, NULL);
}

/* dx[index[i]] += dy[i], i < n, some parts at a time. What follows the plane dx is prefetched meanwhile: it is the next to
 * be written, and additions have to wait for it. */
KN_BODY KN(scatter_any)(const R *restrict dy, const int *index, ptrdiff_t n, R *restrict dx, ptrdiff_t plane, int parts)
{
    const ptrdiff_t line = 64 / KN_SIZE, m = n / parts, share = 4 * plane / n + 1;
    ptrdiff_t i = 0, fetched = plane, due = plane;
    for (; i + 4 / parts <= m; i += 4 / parts) {
        KN_UNROLL for (int j = 0; j < 4; j++)
            dx[index[i + j / parts + j % parts * m]] += dy[i + j / parts + j % parts * m];
        for (due += share; fetched < due; fetched += line) __builtin_prefetch(dx + fetched, 1, 3);
    }
    for (; i < m; i++)
        for (int j = 0; j < parts; j++) dx[index[i + j * m]] += dy[i + j * m];
    for (i = parts * m; i < n; i++) dx[index[i]] += dy[i];
}

/* Neighbours that share an index wait in line. Where windows overlap so much, two halves of the plane go in turns; else
 * it is better to read one after the other. */
static void KN(scatter)(const void *dy, const int *index, ptrdiff_t n, void *dx, ptrdiff_t plane)
{
    if (2 * n > plane)
        KN(scatter_any)(dy, index, n, dx, plane, 4);
    else
        KN(scatter_any)(dy, index, n, dx, plane, 1);
}

/* y = the sum of x or |x|, divided by scale * count[o] unless count is NULL */
static void KN(sum_row)(const kn_row *g, const void *frame_, int absolute, const void *count_, double scale, void *y_)
{
    const R *frame = frame_, *count = count_;
    const M bits = absolute ? (M)KN(magnitude)((V)~(M){0}) : ~(M){0};
    R *y = y_;
    for (ptrdiff_t o = 0; o < g->out; o++) {
        V sum = {0};
        KN_EACH_PARTNER(g, o) sum += (V)((M)v_load(frame + at * KN_LANES) & bits);
        if (count) sum = sum / ((R)scale * count[o]);
        v_store(y + o * KN_LANES, sum);
    }
}

/* The power of two with the exponent of v, or the nearest one that has an inverse, and its inverse: exact factors. */
static inline V KN(power_of_two)(V v, V *inverse)
{
    const int mantissa = KN_SIZE == 4 ? 23 : 52, bias = KN_SIZE == 4 ? 127 : 1023;
    const M exponent = (M){0} + ((KN_INT)(2 * bias + 1) << mantissa);
    const V least = (V)((M){0} + ((KN_INT)1 << mantissa)), most = (V)((M){0} + ((KN_INT)(2 * bias - 1) << mantissa));
    v = (V)((M)v & exponent);
    v = KN(pick)(KN(greater)(least, v), least, v);
    v = KN(pick)(KN(greater)(v, most), most, v);
    *inverse = (V)((exponent - (M)least) - (M)v);
    return v;
}

/* y = (sum |x|^p)^(1/p). The window is divided by its largest |x| (p = 2: by a power of two near it) before, multiplied
 * after, so that no power overflows. */
KN_BODY KN(norm_any)(const kn_row *g, const R *frame, double p, int square, R *y)
{
    const V zero = {0}, one = 1 - zero, infinity = (R)__builtin_inf() - zero;
    for (ptrdiff_t o = 0; o < g->out; o++) {
        V scale = zero, sum = zero, inverse = zero;
        KN_EACH_PARTNER(g, o) {
            const V v = KN(magnitude)(v_load(frame + at * KN_LANES));
            scale = KN(pick)(KN(greater)(v, scale), v, scale);
        }
        if (square)
            scale = KN(power_of_two)(scale, &inverse);
        else
            scale = KN(pick)(KN(greater)(scale, zero), KN(pick)(KN(greater)(infinity, scale), scale, one), one);
        KN_EACH_PARTNER(g, o) {
            const V v = v_load(frame + at * KN_LANES);
            if (square)
                sum += (v * inverse) * (v * inverse);
            else
                sum += KN(power)(KN(magnitude)(v) / scale, p);
        }
        v_store(y + o * KN_LANES, scale * (square ? v_root(sum) : KN(power)(sum, 1 / p)));
    }
}

static void KN(norm_row)(const kn_row *g, const void *frame, double p, void *y)
{
    if (p == 2)
        KN(norm_any)(g, frame, p, 1, y);
    else
        KN(norm_any)(g, frame, p, 0, y);
}

/* dx = the sum over windows of dy * (|x| / y)^(p - 1) * sign(x), or of 0 where y is 0 */
KN_BODY KN(slope_any)(const kn_row *g, const R *dy, const R *y, const R *x, double p, R *dx)
{
    for (ptrdiff_t o = 0; o < g->out; o++) {
        const V xv = v_load(x + o * KN_LANES), sign = KN(sign)(xv);
        V sum = {0};
        KN_EACH_PARTNER(g, o) {
            const V yv = v_load(y + at * KN_LANES), v = v_load(dy + at * KN_LANES);
            const V slope = p == 1   ? v * sign
                            : p == 2 ? v * (xv / yv)
                                     : v * sign * KN(power)(KN(magnitude)(xv) / yv, p - 1);
            sum += (V)((M)slope & (M)(yv != (V){0}));
        }
        v_store(dx + o * KN_LANES, sum);
    }
}

static void KN(slope_row)(const kn_row *g, const void *dy, const void *y, const void *x, double p, void *dx)
{
    if (p == 1)
        KN(slope_any)(g, dy, y, x, 1, dx);
    else if (p == 2)
        KN(slope_any)(g, dy, y, x, 2, dx);
    else
        KN(slope_any)(g, dy, y, x, p, dx);
}

/* frame[o] *= weight[o] * scale, o < n */
static void KN(weigh)(void *frame_, const void *weight_, double scale, ptrdiff_t n)
{
    const R *weight = weight_;
    R *frame = frame_;
    for (ptrdiff_t o = 0; o < n; o++, frame += KN_LANES) v_store(frame, v_load(frame) * (weight[o] * (R)scale));
}

/* Planes to cells: dst[q * step + p] = src[p * pitch + q], q < n, p < planes, zeros for the planes that are missing.
 * What is ``ahead`` of src is prefetched. The last square overlaps the one before. */
static void KN(planes_in)(const void *src_, ptrdiff_t pitch, ptrdiff_t planes, ptrdiff_t n, ptrdiff_t ahead, void *dst_,
                          ptrdiff_t step)
{
    const R *src = src_;
    R *dst = dst_;
    for (ptrdiff_t q = 0; q < n; q += KN_LANES) {
        V v[KN_VBYTES / KN_SIZE];
        if (n >= KN_LANES && planes == KN_LANES) {
            if (q + KN_LANES > n) q = n - KN_LANES;
            KN_UNROLL for (int p = 0; p < KN_LANES; p++) {
                v[p] = v_load(src + p * pitch + q);
                __builtin_prefetch(src + p * pitch + q + ahead, 0, 2);
            }
            KN(transpose)(v);
            KN_UNROLL for (int i = 0; i < KN_LANES; i++) v_store(dst + (q + i) * step, v[i]);
        } else {
            const ptrdiff_t m = n - q < KN_LANES ? n - q : KN_LANES;
            for (ptrdiff_t p = 0; p < KN_LANES; p++)
                v[p] = p < planes ? KN(load_clamped)(src + p * pitch + q, m) : (V){0};
            KN(transpose)(v);
            for (ptrdiff_t i = 0; i < m; i++) v_store(dst + (q + i) * step, v[i]);
        }
    }
}

/* Cells back to planes: dst[p * pitch + q] = src[q * KN_LANES + p], q < n, p < planes; index: as 32-bit integers, from
 * the bits of R. */
KN_BODY KN(planes_out_any)(const R *src, ptrdiff_t n, ptrdiff_t planes, void *dst, ptrdiff_t pitch, int index)
{
    for (ptrdiff_t q = 0; q < n; q += KN_LANES) {
        if (q + KN_LANES > n && n > KN_LANES) q = n - KN_LANES;
        const ptrdiff_t m = n < KN_LANES ? n : KN_LANES;
        V v[KN_VBYTES / KN_SIZE];
        if (m == KN_LANES)
            KN_UNROLL for (int i = 0; i < KN_LANES; i++) v[i] = v_load(src + (q + i) * KN_LANES);
        else
            for (ptrdiff_t i = 0; i < KN_LANES; i++) v[i] = i < m ? v_load(src + i * KN_LANES) : (V){0};
        KN(transpose)(v);
        for (ptrdiff_t p = 0; p < planes; p++)
            if (index)
                KN(store_ints)((int *)dst + p * pitch + q, (M)v[p], m);
            else
                KN(store_first)((R *)dst + p * pitch + q, v[p], m);
    }
}

static void KN(planes_out)(const void *src, ptrdiff_t n, ptrdiff_t planes, void *dst, ptrdiff_t pitch, int index)
{
    if (index)
        KN(planes_out_any)(src, n, planes, dst, pitch, 1);
    else
        KN(planes_out_any)(src, n, planes, dst, pitch, 0);
}
