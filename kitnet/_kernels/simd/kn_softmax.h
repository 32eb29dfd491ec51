/* Softmax, its logarithm and cross-entropy of rows of n numbers. A row lies along the vectors; pads are -inf, which adds 0. */

/* y = exp(x - max x) / sum; returns the sum, and max x in *top. NaN and +inf anywhere make the whole row NaN. */
static inline R KN(softmax_row)(const R *x, R *y, ptrdiff_t n, R *top)
{
    const V none = (V){0} - (R)__builtin_inf();
    V t[4] = {none, none, none, none}, sum = {0}, e;
    ptrdiff_t i = 0;
    for (; i + 4 * KN_LANES <= n; i += 4 * KN_LANES)
        KN_UNROLL for (int j = 0; j < 4; j++) t[j] = v_max(t[j], v_load(x + i + j * KN_LANES));
    for (; i + KN_LANES <= n; i += KN_LANES) t[0] = v_max(t[0], v_load(x + i));
    if (i < n) t[1] = v_max(t[1], v_load_fill(x + i, n - i, none));
    const R largest = v_largest(v_max(v_max(t[0], t[1]), v_max(t[2], t[3])));
    for (i = 0; i + KN_LANES <= n;) {
        V part = {0}; /* a sum of sums: the error grows with the root of n */
        for (int k = 0; k < 32 && i + KN_LANES <= n; k++, i += KN_LANES) {
            e = v_exp(v_load(x + i) - largest);
            v_store(y + i, e);
            part += e;
        }
        sum += part;
    }
    if (i < n) {
        e = v_exp(v_load_fill(x + i, n - i, none) - largest);
        v_store_part(y + i, e, n - i);
        sum += e;
    }
    const R total = v_sum(sum), scale = 1 / total;
    for (i = 0; i < n; i++) y[i] *= scale;
    *top = largest;
    return total;
}

static void KN(softmax)(const void *x_, void *y_, ptrdiff_t rows, ptrdiff_t n)
{
    const R *x = x_;
    R *y = y_, top;
    for (; rows > 0; rows--, x += n, y += n) KN(softmax_row)(x, y, n, &top);
}

static void KN(softmax_backward)(const void *dy_, const void *y_, void *dx_, ptrdiff_t rows, ptrdiff_t n)
{
    const R *dy = dy_, *y = y_;
    R *dx = dx_;
    for (; rows > 0; rows--, dy += n, y += n, dx += n) {
        V s[4] = {{0}, {0}, {0}, {0}};
        ptrdiff_t i = 0;
        for (; i + 4 * KN_LANES <= n; i += 4 * KN_LANES)
            KN_UNROLL for (int j = 0; j < 4; j++) s[j] += v_load(dy + i + j * KN_LANES) * v_load(y + i + j * KN_LANES);
        for (; i + KN_LANES <= n; i += KN_LANES) s[0] += v_load(dy + i) * v_load(y + i);
        if (i < n) s[1] += v_load_part(dy + i, n - i) * v_load_part(y + i, n - i);
        const R inner = v_sum((s[0] + s[1]) + (s[2] + s[3]));
        for (i = 0; i < n; i++) dx[i] = y[i] * (dy[i] - inner);
    }
}

/* y = (x - max x) - log sum; the logarithms of KN_LANES rows are taken at once. */
static void KN(log_softmax)(const void *x_, void *y_, ptrdiff_t rows, ptrdiff_t n)
{
    const R *x = x_;
    R *y = y_;
    for (ptrdiff_t m = 0; m < rows; m += KN_LANES) {
        const ptrdiff_t count = rows - m < KN_LANES ? rows - m : KN_LANES;
        R top[KN_VBYTES / sizeof(R)];
        union { V v; R r[KN_VBYTES / sizeof(R)]; } total = {.v = v_of(1)};
        for (ptrdiff_t j = 0; j < count; j++) total.r[j] = KN(softmax_row)(x + j * n, y + j * n, n, &top[j]);
        total.v = v_log(total.v);
        for (ptrdiff_t j = 0; j < count; j++, x += n, y += n)
            for (ptrdiff_t i = 0; i < n; i++) y[i] = (x[i] - top[j]) - total.r[j];
    }
}

/* dx = dy - exp(y) sum dy */
static void KN(log_softmax_backward)(const void *dy_, const void *y_, void *dx_, ptrdiff_t rows, ptrdiff_t n)
{
    const R *dy = dy_, *y = y_;
    R *dx = dx_;
    for (; rows > 0; rows--, dy += n, y += n, dx += n) {
        const R sum = (R)KN(total)(dy, n);
        for (ptrdiff_t i = 0; i < n; i += KN_LANES)
            KN(store_first)(dx + i, KN(load_clamped)(dy + i, n - i) - sum * v_exp(KN(load_clamped)(y + i, n - i)), n - i);
    }
}

/* The target of a row is w (share p + rest), the distribution p mixed with an even one: here p is an array or, as NULL,
 * nothing (where it is one class, the callers add that); w are the weights of the classes, 1 where that is NULL. This is
 * its vector at i, and 0 after its end. */
static inline V KN(target_at)(const R *p, const R *weight, R share, R rest, ptrdiff_t i, ptrdiff_t n)
{
    const V w = weight ? KN(load_clamped)(weight + i, n - i)
                       : v_select((M){KN_IOTA} < (KN_INT)(n - i < KN_LANES ? n - i : KN_LANES), v_of(1), (V){0});
    return w * (p ? share * KN(load_clamped)(p + i, n - i) + rest : v_of(rest));
}

/* The sum of target times (log_total - (x - top)), which is cross-entropy, or with x NULL that of the target. */
static R KN(target_sum)(const R *x, R top, R log_total, const R *p, const R *weight, R share, R rest, ptrdiff_t n)
{
    V sum = {0};
    for (ptrdiff_t i = 0; i < n;) {
        V part = {0}; /* a sum of sums: the error grows with the root of n */
        for (int k = 0; k < 32 && i < n; k++, i += KN_LANES) {
            const V q = KN(target_at)(p, weight, share, rest, i, n);
            part += x ? q * (log_total - (KN(load_clamped)(x + i, n - i) - top)) : q;
        }
        sum += part;
    }
    return v_sum(sum);
}

/* target: a class a row, negative where the row does not count; or (soft) a distribution a row */
static void KN(cross_entropy)(const void *x_, const int64_t *target, const void *soft_, const void *weight_,
                              double smoothing, void *prob_, void *loss_, ptrdiff_t rows, ptrdiff_t n)
{
    const R *x = x_, *soft = soft_, *weight = weight_, share = (R)(1 - smoothing), rest = (R)(smoothing / n);
    R *prob = prob_, *loss = loss_;
    for (ptrdiff_t m = 0; m < rows; m += KN_LANES) {
        const ptrdiff_t count = rows - m < KN_LANES ? rows - m : KN_LANES;
        R top[KN_VBYTES / sizeof(R)];
        union { V v; R r[KN_VBYTES / sizeof(R)]; } total = {.v = v_of(1)};
        for (ptrdiff_t j = 0; j < count; j++) total.r[j] = KN(softmax_row)(x + j * n, prob + j * n, n, &top[j]);
        total.v = v_log(total.v);
        for (ptrdiff_t j = 0; j < count; j++, x += n, prob += n) {
            R sum = 0;
            if (soft || rest > 0)
                sum = KN(target_sum)(x, top[j], total.r[j], soft ? soft + (m + j) * n : NULL, weight, share, rest, n);
            if (!soft) {
                const ptrdiff_t c = target[m + j];
                sum = c < 0 ? 0 : sum + (weight ? share * weight[c] : share) * (total.r[j] - (x[c] - top[j]));
            }
            loss[m + j] = sum;
        }
    }
}

static void KN(cross_entropy_backward)(const void *dloss_, const void *prob_, const int64_t *target, const void *soft_,
                                       const void *weight_, double smoothing, void *dx_, ptrdiff_t rows, ptrdiff_t n)
{
    const R *restrict dloss = dloss_, *restrict prob = prob_, *soft = soft_, *weight = weight_;
    const R share = (R)(1 - smoothing), rest = (R)(smoothing / n);
    const R even = rest > 0 ? KN(target_sum)(NULL, 0, 0, NULL, weight, share, rest, n) : 0;
    R *restrict dx = dx_;
    for (ptrdiff_t m = 0; m < rows; m++, prob += n, dx += n) {
        const R *p = soft ? soft + m * n : NULL, scale = dloss[m];
        const ptrdiff_t c = soft ? 0 : target[m];
        if (c < 0) {
            for (ptrdiff_t i = 0; i < n; i++) dx[i] = 0;
            continue;
        }
        const R one = soft ? 0 : weight ? share * weight[c] : share;
        const R sum = soft ? KN(target_sum)(NULL, 0, 0, p, weight, share, rest, n) : weight ? even + one : 1;
        if (soft || rest > 0)
            for (ptrdiff_t i = 0; i < n; i += KN_LANES) {
                const V q = KN(target_at)(p, weight, share, rest, i, n);
                KN(store_first)(dx + i, (sum * KN(load_clamped)(prob + i, n - i) - q) * scale, n - i);
            }
        else
            for (ptrdiff_t i = 0; i < n; i++) dx[i] = prob[i] * (sum * scale);
        if (!soft) dx[c] = (prob[c] * sum - (one + (weight ? weight[c] * rest : rest))) * scale;
    }
}
