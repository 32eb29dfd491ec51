/* Sums over windows, back at the image: the work of fold, col2im and the gradients of mean and p-norm.
 *
 * A column j of the image meets window o by tap k where o * stride - pad + k * dilation = j. The columns of one phase
 * (equal remainder by the stride) meet the same taps, each at a constant distance: along a phase everything is
 * contiguous, so it goes by vectors, all taps summed in registers in ascending order. Where a tap does not meet all
 * lanes, only those that it meets are loaded. Phases go to lines of their own, which are then woven together.
 *
 * There is one loop nest, and four kinds of summand; v = src[rows[r] + k * apart + o]:
 *   fold: v          mean: v * weight[o] * scale[r]          norm: v * (|x| / y)^(p - 1) * sign(x), y beside v */
enum { KN(FOLD), KN(MEAN), KN(NORM_1), KN(NORM_2), KN(NORM_P) };

typedef struct {
    const kn_row *g;
    const R *src;
    ptrdiff_t apart;
    ptrdiff_t ahead;     /* fold: how far to prefetch, 0: not at all */
    const R *weight;     /* mean */
    const double *scale; /* mean, one a row */
    const R *y, *x;      /* norm: y like src; the row of the image */
    double p;
} KN(gather);

/* The columns [q, q + n) of a phase; inside: n is KN_LANES and every tap meets them all. */
KN_BODY KN(gather_lanes)(const KN(gather) *t, int kind, const kn_phase *f, ptrdiff_t q, ptrdiff_t n, int inside,
                         const R *x, R *dst)
{
    const kn_row *g = t->g;
    const ptrdiff_t step = g->period * t->apart - g->step, place = f->start + q - f->place;
    const V zero = {0}, one = 1 - zero;
    V sum = zero, xv = zero, sign = zero;
    if (kind >= KN(NORM_1)) {
        xv = KN(load_clamped)(x + q, n);
        sign = KN(pick)(KN(greater)(xv, zero), one, KN(pick)(KN(greater)(zero, xv), -one, xv));
    }
    for (ptrdiff_t r = 0; r < g->count; r++) {
        const R *p = t->src + g->rows[r] + f->tap * t->apart + place, *w = t->weight + place;
        const R *py = t->y + (p - t->src);
        ptrdiff_t a = -place, b = g->out - place;
        V part = zero;
        for (ptrdiff_t i = 0; i < f->taps; i++, p += step, py += step, w -= g->step, a += g->step, b += g->step) {
            const ptrdiff_t c = b < n ? b : n;
            const V v = inside ? v_load(p) : KN(load_between)(p, a, c);
            if (kind == KN(FOLD)) {
                if (t->ahead) __builtin_prefetch(p + t->ahead, 0, 2);
                sum += v;
            } else if (kind == KN(MEAN)) {
                part += v * (inside ? v_load(w) : KN(load_between)(w, a, c));
            } else {
                const V y = inside ? v_load(py) : KN(load_between)(py, a, c);
                const V slope = kind == KN(NORM_1) ? v * sign : v * (xv / y);
                sum += (V)((M)slope & (M)(y != zero));
            }
        }
        if (kind == KN(MEAN)) sum += part * (R)t->scale[r];
    }
    KN(store_first)(dst + q, sum, n);
}

/* Norms of any other p, column by column. */
static void KN(gather_ones)(const KN(gather) *t, const kn_phase *f, const R *x, R *dst)
{
    const kn_row *g = t->g;
    for (ptrdiff_t q = 0; q < f->columns; q++) {
        const R sign = x[q] > 0 ? 1 : x[q] < 0 ? -1 : x[q];
        const double magnitude = __builtin_fabs((double)x[q]);
        R sum = 0;
        for (ptrdiff_t r = 0; r < g->count; r++)
            for (ptrdiff_t i = 0; i < f->taps; i++) {
                const ptrdiff_t o = f->start + q - f->place - i * g->step, at = g->rows[r] + o;
                if (o < 0 || o >= g->out || t->y[at] == 0) continue;
                sum += (R)(t->src[at] * sign * __builtin_pow(magnitude / t->y[at], t->p - 1));
            }
        dst[q] = sum;
    }
}

KN_BODY KN(gather_phase)(const KN(gather) *t, int kind, const kn_phase *f, const R *x, R *dst)
{
    const ptrdiff_t low = f->place + (f->taps - 1) * t->g->step - f->start, high = t->g->out + f->place - f->start;
    if (kind == KN(NORM_P)) {
        KN(gather_ones)(t, f, x, dst);
        return;
    }
    for (ptrdiff_t q = 0; q < f->columns; q += KN_LANES) {
        if (q + KN_LANES > f->columns) q = f->columns > KN_LANES ? f->columns - KN_LANES : 0;
        const ptrdiff_t n = f->columns < KN_LANES ? f->columns : KN_LANES;
        if (n == KN_LANES && f->taps && q >= low && q + n <= high)
            KN(gather_lanes)(t, kind, f, q, n, 1, x, dst);
        else
            KN(gather_lanes)(t, kind, f, q, n, 0, x, dst);
    }
}

/* dst[q * step + s] = lines[s * pitch + q]: lines woven together to n columns */
static void KN(weave)(const R *restrict lines, ptrdiff_t pitch, ptrdiff_t step, ptrdiff_t n, R *restrict dst)
{
    ptrdiff_t q = 0;
    if (step == 2)
        for (; q < n / 2; q += KN_LANES) {
            const V a = v_load(lines + q), b = v_load(lines + pitch + q);
            const ptrdiff_t left = n - 2 * q;
            KN(store_first)(dst + 2 * q, KN(zip_low)(a, b), left < KN_LANES ? left : KN_LANES);
            if (left > KN_LANES)
                KN(store_first)(dst + 2 * q + KN_LANES, KN(zip_high)(a, b),
                                left < 2 * KN_LANES ? left - KN_LANES : KN_LANES);
        }
    for (; q * step < n; q++)
        for (ptrdiff_t s = 0; s < step && q * step + s < n; s++) dst[q * step + s] = lines[s * pitch + q];
}

/* lines: room for 2 * (size + KN_LANES * phases) elements if the stride is not 1 */
KN_BODY KN(gather_row)(const KN(gather) *t, int kind, R *lines, R *dst)
{
    const kn_row *g = t->g;
    if (g->stride == 1) {
        KN(gather_phase)(t, kind, g->phase, t->x, dst);
        return;
    }
    const ptrdiff_t pitch = g->phase->columns + KN_LANES;
    R *x = lines + g->phases * pitch;
    for (ptrdiff_t s = 0; s < g->phases; s++) {
        const kn_phase *f = g->phase + s;
        if (kind >= KN(NORM_1))
            for (ptrdiff_t q = 0; q < f->columns; q++) x[q] = t->x[f->first + q * g->stride];
        KN(gather_phase)(t, kind, f, x, lines + s * pitch);
    }
    KN(weave)(lines, pitch, g->phases, g->size, dst);
}

static void KN(fold_row)(const kn_row *g, const void *cols, ptrdiff_t apart, ptrdiff_t ahead, void *lines, void *x)
{
    const KN(gather) t = {.g = g, .src = cols, .apart = apart, .ahead = ahead};
    KN(gather_row)(&t, KN(FOLD), lines, x);
}

static void KN(mean_row)(const kn_row *g, const void *dy, const void *weight, const double *scale, void *lines,
                         void *dx)
{
    const KN(gather) t = {.g = g, .src = dy, .weight = weight, .scale = scale};
    KN(gather_row)(&t, KN(MEAN), lines, dx);
}

static void KN(slope_row)(const kn_row *g, const void *dy, const void *y, const void *x, double p, void *lines,
                          void *dx)
{
    const KN(gather) t = {.g = g, .src = dy, .y = y, .x = x, .p = p};
    if (p == 1)
        KN(gather_row)(&t, KN(NORM_1), lines, dx);
    else if (p == 2)
        KN(gather_row)(&t, KN(NORM_2), lines, dx);
    else
        KN(gather_row)(&t, KN(NORM_P), lines, dx);
}
