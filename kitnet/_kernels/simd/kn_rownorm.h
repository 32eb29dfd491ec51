/* Normalisation of rows whose every element has a weight of its own: the passes that batch normalisation lacks. The
 * sweep over a row is that of kn_norm.h. */

/* What lies so far ahead is fetched, also where it will be written. */
#define KN_ROW_AHEAD 1024

static void KN(rownorm_apply)(const void *x_, const void *gamma_, const void *beta_, double mean_, double scale_,
                              void *y_, ptrdiff_t n)
{
    const R *x = x_, *gamma = gamma_, *beta = beta_;
    R *y = y_;
    const ptrdiff_t rows = 1, stride = 0;
    const V mean = KN_ZERO + (R)mean_, scale = KN_ZERO + (R)scale_;
#define KN_STEP(k, at, LOAD, STORE)                                                                                \
    {                                                                                                              \
        __builtin_prefetch(x + (at) + KN_ROW_AHEAD);                                                               \
        __builtin_prefetch(y + (at) + KN_ROW_AHEAD, 1, 2);                                                         \
        const V v = (LOAD(x + (at), KN_ZERO) - mean) * scale;                                                      \
        STORE(y + (at), v * LOAD(gamma + (at), KN_ZERO) + LOAD(beta + (at), KN_ZERO));                             \
    }
    KN_SWEEP(KN_STEP)
#undef KN_STEP
}

static void KN(rownorm_slopes)(const void *dy_, const void *x_, const void *gamma_, double mean_, ptrdiff_t n,
                               double *out)
{
    const R *dy = dy_, *x = x_, *gamma = gamma_;
    const ptrdiff_t rows = 1, stride = 0;
    const V mean = KN_ZERO + (R)mean_;
    V s[4] = {KN_ZERO, KN_ZERO, KN_ZERO, KN_ZERO}, q[4] = {KN_ZERO, KN_ZERO, KN_ZERO, KN_ZERO};
#define KN_STEP(k, at, LOAD, STORE)                                                                                \
    {                                                                                                              \
        __builtin_prefetch(dy + (at) + KN_ROW_AHEAD);                                                              \
        __builtin_prefetch(x + (at) + KN_ROW_AHEAD);                                                               \
        const V g = LOAD(dy + (at), KN_ZERO) * LOAD(gamma + (at), KN_ZERO);                                        \
        s[k] += g;                                                                                                 \
        q[k] += g * (LOAD(x + (at), KN_ZERO) - mean);                                                              \
    }
    KN_SWEEP(KN_STEP)
#undef KN_STEP
    out[0] = KN_TOTAL(s);
    out[1] = KN_TOTAL(q);
}

/* dx of 1 or 4 rows, so that the sums for the weights are read and written once for all of them. */
KN_INLINE void KN(gradient_rows)(int rows, const R *dy, const R *x, const R *gamma, const double *found,
                                 ptrdiff_t step, R *dx, R *dgamma, R *dbeta, ptrdiff_t n, ptrdiff_t stride)
{
    V mean[4], delta[4], slope[4], scale[4];
    KN_UNROLL for (int r = 0; r < rows; r++) {
        mean[r] = KN_ZERO + (R)found[r * step];
        delta[r] = KN_ZERO + (R)found[r * step + 1];
        slope[r] = KN_ZERO + (R)found[r * step + 2];
        scale[r] = KN_ZERO + (R)found[r * step + 3];
    }
#define KN_STEP(LOAD, STORE)                                                                                       \
    {                                                                                                              \
        const V weight = LOAD(gamma + i, KN_ZERO);                                                                 \
        V slopes = LOAD(dgamma + i, KN_ZERO), total = LOAD(dbeta + i, KN_ZERO);                                    \
        KN_UNROLL for (int r = 0; r < rows; r++) {                                                                 \
            if (rows == 1) __builtin_prefetch(dx + i + KN_ROW_AHEAD, 1, 2);                                        \
            const V g = LOAD(dy + r * stride + i, KN_ZERO), d = LOAD(x + r * stride + i, KN_ZERO) - mean[r];       \
            STORE(dx + r * stride + i, (g * weight - delta[r] + d * slope[r]) * scale[r]);                         \
            slopes += g * (d * scale[r]);                                                                          \
            total += g;                                                                                            \
        }                                                                                                          \
        STORE(dgamma + i, slopes);                                                                                 \
        STORE(dbeta + i, total);                                                                                   \
    }
    ptrdiff_t i = 0;
    for (; i + KN_LANES <= n; i += KN_LANES) KN_STEP(KN_WHOLE_LOAD, KN_WHOLE_STORE)
    if (i < n) KN_STEP(KN_PART_LOAD, KN_PART_STORE)
#undef KN_STEP
}

static void KN(rownorm_gradient)(const void *dy_, const void *x_, const void *gamma, const double *found,
                                 ptrdiff_t step, void *dx_, void *dgamma, void *dbeta, ptrdiff_t n, ptrdiff_t rows,
                                 ptrdiff_t stride)
{
    const R *dy = dy_, *x = x_;
    R *dx = dx_;
    ptrdiff_t r = 0;
    for (; r + 4 <= rows; r += 4)
        KN(gradient_rows)(4, dy + r * stride, x + r * stride, gamma, found + r * step, step, dx + r * stride, dgamma,
                          dbeta, n, stride);
    for (; r < rows; r++)
        KN(gradient_rows)(1, dy + r * stride, x + r * stride, gamma, found + r * step, step, dx + r * stride, dgamma,
                          dbeta, n, stride);
}
#undef KN_ROW_AHEAD
