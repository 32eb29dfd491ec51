/* Softmax and cross-entropy of rows of n numbers. A row lies along the vectors; pads are -inf, which adds 0. */

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

static void KN(cross_entropy)(const void *x_, const int64_t *target, void *prob_, void *loss_, ptrdiff_t rows,
                              ptrdiff_t n)
{
    const R *x = x_;
    R *prob = prob_, *loss = loss_, top;
    for (ptrdiff_t m = 0; m < rows; m += KN_LANES) {
        const ptrdiff_t count = rows - m < KN_LANES ? rows - m : KN_LANES;
        union { V v; R r[KN_VBYTES / sizeof(R)]; } total = {.v = (V){0} + 1}, shifted = {.v = {0}};
        for (ptrdiff_t j = 0; j < count; j++, x += n, prob += n) {
            total.r[j] = KN(softmax_row)(x, prob, n, &top);
            shifted.r[j] = x[target[m + j]] - top;
        }
        v_store_part(loss + m, v_log(total.v) - shifted.v, count);
    }
}

static void KN(cross_entropy_backward)(const void *dloss_, const void *prob_, const int64_t *target, void *dx_,
                                       ptrdiff_t rows, ptrdiff_t n)
{
    const R *restrict dloss = dloss_, *restrict prob = prob_;
    R *restrict dx = dx_;
    for (ptrdiff_t m = 0; m < rows; m++, prob += n, dx += n) {
        const R scale = dloss[m];
        for (ptrdiff_t i = 0; i < n; i++) dx[i] = prob[i] * scale;
        dx[target[m]] = (prob[target[m]] - 1) * scale;
    }
}
