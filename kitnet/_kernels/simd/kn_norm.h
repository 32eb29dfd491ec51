/* Batch normalisation: sums over rows of n elements that lie `stride` apart, and the passes that use them.
 *
 * Two forms, one body. By rows, sums go over all elements, and each row is written with a coefficient of its own. By
 * columns, each column has its own sums and its own coefficient. In both there are four vectors of partial sums; by
 * columns, a block is four vectors wide, so that vector k of a row always meets accumulator k. */

#define KN_INLINE static inline __attribute__((always_inline))
#define KN_ZERO ((V){0})
#define KN_TOTAL(s) v_sum((s[0] + s[1]) + (s[2] + s[3]))
#define KN_WHOLE_LOAD(p, fill) v_load(p)
#define KN_PART_LOAD(p, fill) v_load_fill(p, n - i, fill)
#define KN_WHOLE_STORE(p, v) v_store(p, v)
#define KN_PART_STORE(p, v) v_store_part(p, v, n - i)

/* The piece to be summed after this one begins where a row of it ends: it is fetched meanwhile. */
#define KN_NEXT(p) __builtin_prefetch(p, 0, 2)

/* STEP(k, at, LOAD, STORE) for each vector of the rows; the last one of a row may be a part of one. */
#define KN_SWEEP(STEP)                                                                                             \
    for (ptrdiff_t r = 0; r < rows; r++) {                                                                         \
        ptrdiff_t i = 0;                                                                                           \
        for (; i + 4 * KN_LANES <= n; i += 4 * KN_LANES)                                                           \
            KN_UNROLL for (int k = 0; k < 4; k++)                                                                  \
                STEP(k, r * stride + i + k * KN_LANES, KN_WHOLE_LOAD, KN_WHOLE_STORE)                              \
        KN_UNROLL for (int k = 0; k < 4; k++, i += KN_LANES) {                                                     \
            if (i + KN_LANES <= n)                                                                                 \
                STEP(k, r * stride + i, KN_WHOLE_LOAD, KN_WHOLE_STORE)                                             \
            else if (i < n)                                                                                        \
                STEP(k, r * stride + i, KN_PART_LOAD, KN_PART_STORE)                                               \
        }                                                                                                          \
    }

/* BLOCK(first column, columns) for each block of four vectors of a row. */
#define KN_BLOCKS(BLOCK)                                                                                           \
    for (ptrdiff_t j = 0; j < n; j += 4 * KN_LANES) { BLOCK(j, n - j < 4 * KN_LANES ? n - j : 4 * KN_LANES); }

/* The coefficients for the four vectors of a block. */
KN_INLINE void KN(spread)(V *to, const R *from, ptrdiff_t n, int by_columns)
{
    KN_UNROLL for (int k = 0; k < 4; k++)
        to[k] = !by_columns ? KN_ZERO + from[0]
              : n >= (k + 1) * KN_LANES ? v_load(from + k * KN_LANES)
              : n > k * KN_LANES ? v_load_part(from + k * KN_LANES, n - k * KN_LANES) : KN_ZERO;
}

KN_INLINE void KN(put)(R *to, const V *from)
{
    KN_UNROLL for (int k = 0; k < 4; k++) v_store(to + k * KN_LANES, from[k]);
}

/* Mean and sum of (x - mean)^2 from sums around a centre near the mean; share = 1 / the number of elements. */
static inline void KN(put_moments)(R centre, R sum, R squares, double share, double *out)
{
    out[0] = centre - centre == 0 ? centre + sum * share : centre;
    out[1] = squares - sum * (sum * share);
}

KN_INLINE void KN(moments_block)(const R *x, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t n, int by_columns, double *out)
{
    const double share = 1 / ((double)rows * (by_columns ? 1 : n));
    V c[4] = {KN_ZERO, KN_ZERO, KN_ZERO, KN_ZERO}, s[4] = {KN_ZERO, KN_ZERO, KN_ZERO, KN_ZERO};
    V q[4] = {KN_ZERO, KN_ZERO, KN_ZERO, KN_ZERO};
#define KN_STEP(k, at, LOAD, STORE)                                                                                \
    {                                                                                                              \
        KN_NEXT(x + (at) + n);                                                                                     \
        c[k] += (R)share * LOAD(x + (at), KN_ZERO);                                                                \
    }
    KN_SWEEP(KN_STEP)
#undef KN_STEP
    if (!by_columns) {
        const R centre = KN_TOTAL(c);
        KN_UNROLL for (int k = 0; k < 4; k++) c[k] = KN_ZERO + centre;
    }
#define KN_STEP(k, at, LOAD, STORE)                                                                                \
    {                                                                                                              \
        const V d = LOAD(x + (at), c[k]) - c[k];                                                                   \
        s[k] += d;                                                                                                 \
        q[k] += d * d;                                                                                             \
    }
    KN_SWEEP(KN_STEP)
#undef KN_STEP
    if (!by_columns) {
        KN(put_moments)(c[0][0], KN_TOTAL(s), KN_TOTAL(q), share, out);
        return;
    }
    R centre[4 * KN_VBYTES / KN_SIZE], sum[4 * KN_VBYTES / KN_SIZE], squares[4 * KN_VBYTES / KN_SIZE];
    KN(put)(centre, c);
    KN(put)(sum, s);
    KN(put)(squares, q);
    for (ptrdiff_t i = 0; i < n; i++) KN(put_moments)(centre[i], sum[i], squares[i], share, out + 2 * i);
}

static void KN(norm_moments)(const void *x_, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t n, int by_columns, double *out)
{
    const R *x = x_;
#define KN_BLOCK(j, width) KN(moments_block)(x + j, stride, rows, width, 1, out + 2 * j)
    if (by_columns) KN_BLOCKS(KN_BLOCK)
    else KN(moments_block)(x, stride, rows, n, 0, out);
#undef KN_BLOCK
}

KN_INLINE void KN(slopes_block)(const R *dy, const R *x, const R *mean_, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t n,
                                int by_columns, double *out)
{
    V mean[4], s[4] = {KN_ZERO, KN_ZERO, KN_ZERO, KN_ZERO}, q[4] = {KN_ZERO, KN_ZERO, KN_ZERO, KN_ZERO};
    KN(spread)(mean, mean_, n, by_columns);
#define KN_STEP(k, at, LOAD, STORE)                                                                                \
    {                                                                                                              \
        KN_NEXT(dy + (at) + n);                                                                                    \
        KN_NEXT(x + (at) + n);                                                                                     \
        const V g = LOAD(dy + (at), KN_ZERO);                                                                      \
        s[k] += g;                                                                                                 \
        q[k] += g * (LOAD(x + (at), KN_ZERO) - mean[k]);                                                           \
    }
    KN_SWEEP(KN_STEP)
#undef KN_STEP
    if (!by_columns) {
        out[0] = KN_TOTAL(s);
        out[1] = KN_TOTAL(q);
        return;
    }
    R sum[4 * KN_VBYTES / KN_SIZE], slope[4 * KN_VBYTES / KN_SIZE];
    KN(put)(sum, s);
    KN(put)(slope, q);
    for (ptrdiff_t i = 0; i < n; i++) {
        out[2 * i] = sum[i];
        out[2 * i + 1] = slope[i];
    }
}

static void KN(norm_slopes)(const void *dy_, const void *x_, const void *mean_, ptrdiff_t stride, ptrdiff_t rows,
                            ptrdiff_t n, int by_columns, double *out)
{
    const R *dy = dy_, *x = x_, *mean = mean_;
#define KN_BLOCK(j, width) KN(slopes_block)(dy + j, x + j, mean + j, stride, rows, width, 1, out + 2 * j)
    if (by_columns) KN_BLOCKS(KN_BLOCK)
    else KN(slopes_block)(dy, x, mean, stride, rows, n, 0, out);
#undef KN_BLOCK
}

KN_INLINE void KN(apply_block)(const R *x, const R *coefficients, ptrdiff_t step, R low_, R high_, R *y,
                               ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t n, int by_columns)
{
    V scale[4], shift[4];
    const V low = KN_ZERO + low_, high = KN_ZERO + high_;
    KN(spread)(scale, coefficients, n, by_columns);
    KN(spread)(shift, coefficients + step, n, by_columns);
#define KN_STEP(k, at, LOAD, STORE)                                                                                \
    {                                                                                                              \
        const V v = LOAD(x + (at), KN_ZERO) * scale[k] + shift[k];                                                 \
        STORE(y + (at), v_min(high, v_max(low, v)));                                                               \
    }
    KN_SWEEP(KN_STEP)
#undef KN_STEP
}

static void KN(norm_apply)(const void *x_, const void *coefficients_, ptrdiff_t step, double low_, double high_,
                           void *y_, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t n, int by_columns)
{
    const R *x = x_, *coefficients = coefficients_, low = (R)low_, high = (R)high_;
    R *y = y_;
#define KN_BLOCK(j, width) KN(apply_block)(x + j, coefficients + j, step, low, high, y + j, stride, rows, width, 1)
    if (by_columns) KN_BLOCKS(KN_BLOCK)
    else
        for (ptrdiff_t r = 0; r < rows; r++)
            KN(apply_block)(x + r * stride, coefficients + r, step, low, high, y + r * stride, stride, 1, n, 0);
#undef KN_BLOCK
}

KN_INLINE void KN(gradient_block)(const R *dy, const R *x, const R *coefficients, ptrdiff_t step, R *dx,
                                  ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t n, int by_columns)
{
    V mean[4], delta[4], slope[4], scale[4], factor[4];
    KN(spread)(mean, coefficients, n, by_columns);
    KN(spread)(delta, coefficients + step, n, by_columns);
    KN(spread)(slope, coefficients + 2 * step, n, by_columns);
    KN(spread)(scale, coefficients + 3 * step, n, by_columns);
    KN(spread)(factor, coefficients + 4 * step, n, by_columns);
#define KN_STEP(k, at, LOAD, STORE)                                                                                \
    {                                                                                                              \
        __builtin_prefetch(dy + (at) + KN_ONWARD);                                                                 \
        __builtin_prefetch(x + (at) + KN_ONWARD);                                                                  \
        const V d = LOAD(dy + (at), KN_ZERO) * factor[k] - delta[k];                                               \
        STORE(dx + (at), (d + (LOAD(x + (at), KN_ZERO) - mean[k]) * slope[k]) * scale[k]);                         \
    }
    KN_SWEEP(KN_STEP)
#undef KN_STEP
}

static void KN(norm_gradient)(const void *dy_, const void *x_, const void *coefficients_, ptrdiff_t step, void *dx_,
                              ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t n, int by_columns)
{
    const R *dy = dy_, *x = x_, *coefficients = coefficients_;
    R *dx = dx_;
#define KN_BLOCK(j, width) KN(gradient_block)(dy + j, x + j, coefficients + j, step, dx + j, stride, rows, width, 1)
    if (by_columns) KN_BLOCKS(KN_BLOCK)
    else
        for (ptrdiff_t r = 0; r < rows; r++)
            KN(gradient_block)(dy + r * stride, x + r * stride, coefficients + r, step, dx + r * stride, stride, 1, n,
                               0);
#undef KN_BLOCK
}
