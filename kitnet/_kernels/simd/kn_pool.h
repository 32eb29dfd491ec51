/* Pooling forward, one row of windows a call: maximum, sum (mean) and p-norm.
 *
 * Stride 1 and 2: a window a lane. For each tap one load (stride 2: two, deinterleaved) and one operation, the result
 * in registers over all taps. Vectors in which some window sticks out load only the lanes that a tap meets; a row
 * ends with a full vector that overlaps the one before.
 * Larger strides: an image column a lane. All columns are reduced over the rows first, then each window over its
 * columns, one by one.
 * Every result is computed alone, in an order that the geometry fixes. */

#define KN_BODY static inline __attribute__((always_inline)) void

/* Runs body(o, n, inside) over a row of windows, n <= KN_LANES at a time; inside: all lanes, no window sticks out. */
#define KN_ROW(g, body)                                                                                            \
    for (ptrdiff_t o = 0; o < (g)->out; o += KN_LANES) {                                                           \
        if (o + KN_LANES > (g)->out) o = (g)->out > KN_LANES ? (g)->out - KN_LANES : 0;                            \
        const ptrdiff_t n = (g)->out < KN_LANES ? (g)->out : KN_LANES;                                             \
        if (n == KN_LANES && o >= (g)->low && o + n <= (g)->high) {                                                \
            body(o, n, 1);                                                                                         \
        } else {                                                                                                   \
            body(o, n, 0);                                                                                         \
        }                                                                                                          \
    }

/* Runs over the taps: v = what tap k of row r meets in the windows o ..., ``here`` the place of the first in x. */
#define KN_EACH_TAP(g, o, n, inside)                                                                               \
    for (ptrdiff_t r = 0; r < (g)->count; r++)                                                                     \
        for (ptrdiff_t k = 0, here = (g)->rows[r] + (o) * step - (g)->pad; k < (g)->kernel; k++, here += (g)->dilation)
#define KN_TAP(g, o, n, inside, fill, filled)                                                                      \
    KN(load_step)(x + here, step, (inside) ? 0 : (g)->enter[k] - (o),                                              \
                  (inside) || (g)->leave[k] - (o) > (n) ? (n) : (g)->leave[k] - (o), inside, fill, filled)

/* All bits, or all but the sign. */
static inline M KN(sign_mask)(int absolute)
{
    return (M){0} + (absolute ? (KN_INT)(~0ull >> (65 - 8 * KN_SIZE)) : (KN_INT)-1);
}

static inline R KN(magnitude)(R v, int absolute) { return absolute && v < 0 ? -v : v; }

/* ---- maximum of x or |x|: NaN is larger than all, the first of equals wins ---- */

KN_BODY KN(max_lanes)(const kn_row *g, const R *x, int step, ptrdiff_t o, ptrdiff_t n, int inside, int absolute, R *y,
                      int *index)
{
    const M bits = KN(sign_mask)(absolute);
    const V lowest = -(R)__builtin_inf() - (V){0}, fill = absolute ? (V){0} : lowest;
    V best = lowest;
    M at = (M){0} + (KN_INT)g->rows[0];
    if (index && !inside) /* the first tap that is inside the image */
        for (ptrdiff_t k = g->kernel - 1; k >= 0; k--)
            at = KN(pick_int)(KN(between)(g->enter[k] - o, g->leave[k] - o),
                              (M){0} + (KN_INT)(g->rows[0] + k * g->dilation), at);
    KN_EACH_TAP(g, o, n, inside) {
        const V v = (V)((M)KN_TAP(g, o, n, inside, fill, 1) & bits);
        const KN(choice) better = KN(exceeds)(v, best);
        best = KN(pick)(better, v, best);
        if (index) at = KN(pick_int)(better, (M){0} + (KN_INT)(here - (o * step - g->pad)), at);
    }
    KN(store_first)(y + o, best, n);
    if (index) KN(store_ints)(index + o, at + (KN_INT)(o * step - g->pad) + (KN_INT)step * (M){KN_IOTA}, n);
}

/* The same for any stride, column by column; line and places: room for a row of the image. */
KN_BODY KN(max_columns)(const kn_row *g, const R *x, int absolute, R *line, int *places, R *y, int *index)
{
    const M bits = KN(sign_mask)(absolute);
    for (ptrdiff_t j = 0; j < g->size; j += KN_LANES) {
        const ptrdiff_t n = g->size - j < KN_LANES ? g->size - j : KN_LANES;
        V best = -(R)__builtin_inf() - (V){0};
        M at = (M){0} + (KN_INT)g->rows[0];
        for (ptrdiff_t r = 0; r < g->count; r++) {
            const V v = (V)((M)KN(load_clamped)(x + g->rows[r] + j, n) & bits);
            const KN(choice) better = KN(exceeds)(v, best);
            best = KN(pick)(better, v, best);
            if (index) at = KN(pick_int)(better, (M){0} + (KN_INT)g->rows[r], at);
        }
        KN(store_first)(line + j, best, n);
        if (index) KN(store_ints)(places + j, at + (KN_INT)j + (M){KN_IOTA}, n);
    }
    for (ptrdiff_t o = 0; o < g->out; o++) {
        const ptrdiff_t start = o * g->stride - g->pad, a = kn_enter(start, g->dilation, g->kernel);
        const ptrdiff_t b = kn_enter(start - g->size, g->dilation, g->kernel);
        ptrdiff_t j = start + a * g->dilation;
        R best = line[j];
        int at = index ? places[j] : 0;
        for (ptrdiff_t k = a + 1; k < b; k++) {
            j += g->dilation;
            const R v = line[j];
            const int earlier = index && places[j] < at;
            const int better = (v > best) | ((v == best) & earlier) | ((v != v) & ((best == best) | earlier));
            best = better ? v : best;
            if (index) at = better ? places[j] : at;
        }
        y[o] = best;
        if (index) index[o] = at;
    }
}

KN_BODY KN(max_any)(const kn_row *g, const R *x, int absolute, R *line, int *places, R *y, int *index)
{
#define KN_STEP_1(o, n, inside) KN(max_lanes)(g, x, 1, o, n, inside, absolute, y, index)
#define KN_STEP_2(o, n, inside) KN(max_lanes)(g, x, 2, o, n, inside, absolute, y, index)
    if (g->stride == 1) {
        KN_ROW(g, KN_STEP_1)
    } else if (g->stride == 2) {
        KN_ROW(g, KN_STEP_2)
    } else {
        KN(max_columns)(g, x, absolute, line, places, y, index);
    }
#undef KN_STEP_1
#undef KN_STEP_2
}

static void KN(max_row)(const kn_row *g, const void *x, int absolute, void *line, int *places, void *y, int *index)
{
    if (index)
        KN(max_any)(g, x, absolute, line, places, y, index);
    else
        KN(max_any)(g, x, absolute, line, NULL, y, NULL);
}

/* dx[index[i]] += dy[i] */
static void KN(scatter)(const void *dy_, const int *index, ptrdiff_t n, void *dx_)
{
    const R *restrict dy = dy_;
    R *restrict dx = dx_;
    for (ptrdiff_t i = 0; i < n; i++) dx[index[i]] += dy[i];
}

/* ---- sum of x or |x|, divided by scale * count[o] where there is a count ---- */

KN_BODY KN(sum_lanes)(const kn_row *g, const R *x, int step, ptrdiff_t o, ptrdiff_t n, int inside, int absolute,
                      const R *count, R scale, R *y)
{
    const M bits = KN(sign_mask)(absolute);
    V sum = {0};
    KN_EACH_TAP(g, o, n, inside) sum += (V)((M)KN_TAP(g, o, n, inside, sum, 0) & bits);
    if (count) sum = sum / (scale * KN(load_clamped)(count + o, n));
    KN(store_first)(y + o, sum, n);
}

static void KN(sum_columns)(const kn_row *g, const R *x, int absolute, const R *count, R scale, R *line, R *y)
{
    const M bits = KN(sign_mask)(absolute);
    for (ptrdiff_t j = 0; j < g->size; j += KN_LANES) {
        const ptrdiff_t n = g->size - j < KN_LANES ? g->size - j : KN_LANES;
        V sum = {0};
        for (ptrdiff_t r = 0; r < g->count; r++) sum += (V)((M)KN(load_clamped)(x + g->rows[r] + j, n) & bits);
        KN(store_first)(line + j, sum, n);
    }
    for (ptrdiff_t o = 0; o < g->out; o++) {
        const ptrdiff_t start = o * g->stride - g->pad, b = kn_enter(start - g->size, g->dilation, g->kernel);
        R sum = 0;
        for (ptrdiff_t k = kn_enter(start, g->dilation, g->kernel); k < b; k++) sum += line[start + k * g->dilation];
        y[o] = count ? sum / (scale * count[o]) : sum;
    }
}

static void KN(sum_row)(const kn_row *g, const void *x_, int absolute, const void *count_, double scale_, void *line,
                        void *y_)
{
    const R *x = x_, *count = count_, scale = (R)scale_;
    R *y = y_;
#define KN_STEP_1(o, n, inside) KN(sum_lanes)(g, x, 1, o, n, inside, absolute, count, scale, y)
#define KN_STEP_2(o, n, inside) KN(sum_lanes)(g, x, 2, o, n, inside, absolute, count, scale, y)
    if (g->stride == 1) {
        KN_ROW(g, KN_STEP_1)
    } else if (g->stride == 2) {
        KN_ROW(g, KN_STEP_2)
    } else {
        KN(sum_columns)(g, x, absolute, count, scale, line, y);
    }
#undef KN_STEP_1
#undef KN_STEP_2
}

/* ---- p-norm: the window is divided by its largest |x| before, multiplied after, so that no power overflows ---- */

/* p = 2. The scale is a power of two with the exponent of the largest |x|: multiplying by its inverse is exact. */
KN_BODY KN(norm_lanes)(const kn_row *g, const R *x, int step, ptrdiff_t o, ptrdiff_t n, int inside, R *y)
{
    const int mantissa = KN_SIZE == 4 ? 23 : 52, bias = KN_SIZE == 4 ? 127 : 1023;
    const M bits = KN(sign_mask)(1), exponent = (M){0} + ((KN_INT)(2 * bias + 1) << mantissa);
    const V least = (V)((M){0} + ((KN_INT)1 << mantissa)), most = (V)((M){0} + ((KN_INT)(2 * bias - 1) << mantissa));
    V largest = {0}, sum = {0};
    KN_EACH_TAP(g, o, n, inside) {
        const V v = (V)((M)KN_TAP(g, o, n, inside, sum, 0) & bits);
        largest = KN(pick)(KN(greater)(v, largest), v, largest);
    }
    V scale = (V)((M)largest & exponent);
    scale = KN(pick)(KN(greater)(least, scale), least, scale);
    scale = KN(pick)(KN(greater)(scale, most), most, scale);
    const V inverse = (V)((exponent - (M)least) - (M)scale);
    KN_EACH_TAP(g, o, n, inside) {
        const V v = KN_TAP(g, o, n, inside, sum, 0) * inverse;
        sum += v * v;
    }
    KN(store_first)(y + o, KN(sqrt)(sum) * scale, n);
}

/* Any p and stride, window by window. */
static void KN(norm_one)(const kn_row *g, const R *x, ptrdiff_t o, double p, R *y)
{
    const ptrdiff_t start = o * g->stride - g->pad, a = kn_enter(start, g->dilation, g->kernel);
    const ptrdiff_t b = kn_enter(start - g->size, g->dilation, g->kernel);
    double largest = 0, sum = 0;
    for (ptrdiff_t r = 0; r < g->count; r++)
        for (ptrdiff_t k = a; k < b; k++) {
            const double v = KN(magnitude)(x[g->rows[r] + start + k * g->dilation], 1);
            if (v > largest) largest = v;
        }
    const double scale = largest > 0 && largest < __builtin_inf() ? largest : 1;
    for (ptrdiff_t r = 0; r < g->count; r++)
        for (ptrdiff_t k = a; k < b; k++) {
            const double v = KN(magnitude)(x[g->rows[r] + start + k * g->dilation], 1) / scale;
            sum += p == 2 ? v * v : __builtin_pow(v, p);
        }
    y[o] = (R)(scale * (p == 2 ? __builtin_sqrt(sum) : __builtin_pow(sum, 1 / p)));
}

static void KN(norm_row)(const kn_row *g, const void *x_, double p, void *y_)
{
    const R *x = x_;
    R *y = y_;
#define KN_STEP_1(o, n, inside) KN(norm_lanes)(g, x, 1, o, n, inside, y)
#define KN_STEP_2(o, n, inside) KN(norm_lanes)(g, x, 2, o, n, inside, y)
    if (p == 2 && g->stride == 1) {
        KN_ROW(g, KN_STEP_1)
    } else if (p == 2 && g->stride == 2) {
        KN_ROW(g, KN_STEP_2)
    } else {
        for (ptrdiff_t o = 0; o < g->out; o++) KN(norm_one)(g, x, o, p, y);
    }
#undef KN_STEP_1
#undef KN_STEP_2
}
