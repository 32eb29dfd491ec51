/* Activations of more than one array: PReLU, whose slopes are weights, and GLU, where one half opens the other. */

/* rows of n numbers, a weight a row */
static void KN(prelu)(const void *x_, const void *weight_, void *y_, ptrdiff_t rows, ptrdiff_t n)
{
    const R *restrict x = x_, *restrict weight = weight_;
    R *restrict y = y_;
    if (n == 1)
        for (ptrdiff_t r = 0; r < rows; r++) y[r] = x[r] > 0 ? x[r] : weight[r] * x[r];
    else
        for (ptrdiff_t r = 0; r < rows; r++, x += n, y += n) {
            const R w = weight[r];
            for (ptrdiff_t i = 0; i < n; i++) y[i] = x[i] > 0 ? x[i] : w * x[i];
        }
}

/* sums[r]: what row r adds to the gradient of its weight */
static void KN(prelu_backward)(const void *dy_, const void *x_, const void *weight_, void *dx_, double *sums,
                               ptrdiff_t rows, ptrdiff_t n)
{
    const R *dy = dy_, *x = x_, *weight = weight_;
    R *dx = dx_;
    if (n == 1) {
        for (ptrdiff_t r = 0; r < rows; r++) {
            dx[r] = x[r] > 0 ? dy[r] : weight[r] * dy[r];
            sums[r] = x[r] > 0 ? 0 : dy[r] * x[r];
        }
        return;
    }
    for (ptrdiff_t r = 0; r < rows; r++, dy += n, x += n, dx += n) {
        const R w = weight[r];
        V sum = {0}; /* a sum of sums: the error grows with the root of n */
        for (ptrdiff_t i = 0; i < n;) {
            V part = {0};
            for (int k = 0; k < 32 && i < n; k++, i += KN_LANES) {
                const V u = KN(load_clamped)(dy + i, n - i), v = KN(load_clamped)(x + i, n - i);
                const M positive = v > 0;
                KN(store_first)(dx + i, v_select(positive, u, w * u), n - i);
                part += v_select(positive, (V){0}, u * v);
            }
            sum += part;
        }
        sums[r] = v_sum(sum);
    }
}

/* rows of n numbers and n gates after them */
static void KN(glu)(const void *x_, void *y_, ptrdiff_t rows, ptrdiff_t n)
{
    const R *x = x_;
    R *y = y_;
    for (; rows > 0; rows--, x += 2 * n, y += n)
        for (ptrdiff_t i = 0; i < n; i += KN_LANES) {
            const V s = KN(sigmoid)(KN(load_clamped)(x + n + i, n - i));
            KN(store_first)(y + i, KN(load_clamped)(x + i, n - i) * s, n - i);
        }
}

static void KN(glu_backward)(const void *dy_, const void *x_, void *dx_, ptrdiff_t rows, ptrdiff_t n)
{
    const R *dy = dy_, *x = x_;
    R *dx = dx_;
    for (; rows > 0; rows--, dy += n, x += 2 * n, dx += 2 * n)
        for (ptrdiff_t i = 0; i < n; i += KN_LANES) {
            V rest;
            const V s = KN(logistic)(KN(load_clamped)(x + n + i, n - i), &rest), u = KN(load_clamped)(dy + i, n - i) * s;
            KN(store_first)(dx + i, u, n - i);
            KN(store_first)(dx + n + i, u * (KN(load_clamped)(x + i, n - i) * rest), n - i);
        }
}
