/* cast: the outer-product micro-kernel with the filters in the lanes. m pixels of a row are broadcast, one after the
 * other, over nv vectors of filters; tap k of the first pixel stands at x[off[k]], that of the next one `step` further.
 *
 * No pixel but these m is read: rows of any width make tiles without a gap, a stride costs nothing, and an image can
 * be read where it lies. What it costs is a transposition of each tile on its way out: cast_out. */

#define KN_CAST_TILE(m, nv, step)                                                                                  \
    static void KN(cast_##m##_##nv##_##step)(ptrdiff_t kc, const void *x_, const ptrdiff_t *restrict off,          \
                                             const void *w_, void *c_, ptrdiff_t pitch, int accumulate,            \
                                             ptrdiff_t ahead)                                                      \
    {                                                                                                              \
        const R *x = x_, *restrict w = w_;                                                                         \
        R *c = c_;                                                                                                 \
        V acc[m][nv];                                                                                              \
        KN_UNROLL for (int i = 0; i < m; i++)                                                                      \
            KN_UNROLL for (int j = 0; j < nv; j++)                                                                 \
                acc[i][j] = (V){0};                                                                                \
        for (ptrdiff_t k = 0; k < kc; k++, w += nv * KN_LANES) {                                                   \
            const R *xk = x + off[k];                                                                              \
            V wv[nv];                                                                                              \
            KN_UNROLL for (int i = 0; i < (nv > 1) * m * step; i += 64 / KN_SIZE)                                  \
                __builtin_prefetch(xk + ahead + i);                                                                \
            KN_UNROLL for (int j = 0; j < nv; j++) wv[j] = v_load(w + j * KN_LANES);                               \
            KN_UNROLL for (int i = 0; i < m; i++)                                                                  \
                KN_UNROLL for (int j = 0; j < nv; j++) acc[i][j] += xk[i * step] * wv[j];                          \
        }                                                                                                          \
        if (accumulate) {                                                                                          \
            KN_UNROLL for (int i = 0; i < m; i++)                                                                  \
                KN_UNROLL for (int j = 0; j < nv; j++) acc[i][j] += v_load(c + i * pitch + j * KN_LANES);          \
        }                                                                                                          \
        KN_UNROLL for (int i = 0; i < m; i++)                                                                      \
            KN_UNROLL for (int j = 0; j < nv; j++) v_store(c + i * pitch + j * KN_LANES, acc[i][j]);               \
    }

#define KN_CAST(m) KN_CAST_TILE(m, 1, 1) KN_CAST_TILE(m, 2, 1) KN_CAST_TILE(m, 1, 2) KN_CAST_TILE(m, 2, 2)
KN_CAST_TILES(KN_CAST)

/* src[0] to src[n - 1] will be read. */
static void KN(fetch)(const void *src_, ptrdiff_t n)
{
    const R *src = src_;
    for (ptrdiff_t i = 0; i < n; i += 64 / KN_SIZE) __builtin_prefetch(src + i);
}

/* The lines of dst[f * plane], f < filters, will be written, or what is added to them read. */
static void KN(cast_ahead)(const void *dst_, ptrdiff_t filters, ptrdiff_t plane)
{
    const R *dst = dst_;
    for (ptrdiff_t f = 0; f < filters; f++) __builtin_prefetch(dst + f * plane, 1);
}

static inline __attribute__((always_inline)) void KN(cast_out_adding)(
    const R *c, ptrdiff_t pitch, ptrdiff_t m, ptrdiff_t filters, const R *bias, const R *add, R low, R high, R *dst,
    ptrdiff_t plane, ptrdiff_t step, const int adding)
{
    const int bounded = low > -(R)__builtin_inf() || high < (R)__builtin_inf();
    for (ptrdiff_t f = 0; f < filters; f += KN_LANES) {
        const V b = v_load(bias + f);
        const ptrdiff_t count = filters - f < KN_LANES ? filters - f : KN_LANES;
        for (ptrdiff_t i = 0; i < m; i += KN_LANES) {
            V v[KN_VBYTES / KN_SIZE];
            const ptrdiff_t left = m - i;
            const R *from = c + i * pitch + f;
            KN_UNROLL for (ptrdiff_t j = 0; j < KN_LANES; j++, from += pitch) {
                __asm__("" : "+r"(from)); /* one pointer, instead of all sums of its steps */
                v[j] = j < left ? v_load(from) + b : (V){0};
            }
            if (bounded && !adding)
                KN_UNROLL for (ptrdiff_t j = 0; j < KN_LANES; j++) v[j] = KN(clip)(v[j], low, high);
            KN(transpose)(v);
            if (!adding && step == 1 && count == KN_LANES && (KN_VBYTES == 64 || left >= KN_LANES)) {
                R *to = dst + f * plane + i;
                const ptrdiff_t n = KN_VBYTES < 64 || left >= KN_LANES ? KN_LANES : left;
                KN_UNROLL for (ptrdiff_t j = 0; j < KN_LANES; j++, to += plane) {
                    __asm__("" : "+r"(to));
                    if (KN_VBYTES < 64)
                        v_store(to, v[j]);
                    else
                        v_store_part(to, v[j], n);
                }
                continue;
            }
            V rest[KN_VBYTES / KN_SIZE]; /* whose place is not in registers */
            KN_UNROLL for (ptrdiff_t j = 0; j < KN_LANES; j++) rest[j] = v[j];
            for (ptrdiff_t j = 0; j < count; j++) {
                if (adding) rest[j] = KN(clip)(rest[j] + KN(load_clamped)(add + (f + j) * plane + i, left), low, high);
                KN(store_step)(dst + (f + j) * plane + i * step, rest[j], step, left);
            }
        }
    }
}

/* dst[f * plane + i * step] = clip(c[i * pitch + f] + bias[f] + add[f * plane + i], low, high), NaN kept;  i < m,
 * f < filters; add may be NULL, otherwise step is 1 */
static void KN(cast_out)(const void *c, ptrdiff_t pitch, ptrdiff_t m, ptrdiff_t filters, const void *bias,
                         const void *add, double low, double high, void *dst, ptrdiff_t plane, ptrdiff_t step)
{
    if (add)
        KN(cast_out_adding)(c, pitch, m, filters, bias, add, (R)low, (R)high, dst, plane, 1, 1);
    else
        KN(cast_out_adding)(c, pitch, m, filters, bias, add, (R)low, (R)high, dst, plane, step, 0);
}

/* The gradient of the weights: m taps, each read along the rows of its own image at x[off[i]], are broadcast over nv
 * vectors of filters of dy, which lies pixel by pixel; from the end of a row of x to the next it is `gap`. */
#define KN_CAST_WEIGHT_TILE(m, nv, step)                                                                           \
    static void KN(cast_weight_##m##_##nv##_##step)(ptrdiff_t rows, ptrdiff_t n, const void *x_,                   \
                                                    const ptrdiff_t *off, ptrdiff_t gap, const void *dy_,          \
                                                    void *c_, int accumulate)                                      \
    {                                                                                                              \
        const R *restrict dy = dy_, *x[m];                                                                         \
        R *c = c_;                                                                                                 \
        V acc[m][nv];                                                                                              \
        KN_UNROLL for (int i = 0; i < m; i++) x[i] = (const R *)x_ + off[i];                                       \
        KN_UNROLL for (int i = 0; i < m; i++)                                                                      \
            KN_UNROLL for (int j = 0; j < nv; j++)                                                                 \
                acc[i][j] = (V){0};                                                                                \
        for (ptrdiff_t r = 0, at = 0; r < rows; r++, at += gap) {                                                  \
            const R *end = dy + n * nv * KN_LANES;                                                                 \
            for (; dy < end; dy += nv * KN_LANES, at += step) {                                                    \
                V d[nv];                                                                                           \
                KN_UNROLL for (int j = 0; j < nv; j++) d[j] = v_load(dy + j * KN_LANES);                           \
                KN_UNROLL for (int i = 0; i < m; i++)                                                              \
                    KN_UNROLL for (int j = 0; j < nv; j++) acc[i][j] += x[i][at] * d[j];                           \
            }                                                                                                      \
        }                                                                                                          \
        if (accumulate) {                                                                                          \
            KN_UNROLL for (int i = 0; i < m; i++)                                                                  \
                KN_UNROLL for (int j = 0; j < nv; j++) acc[i][j] += v_load(c + (i * nv + j) * KN_LANES);           \
        }                                                                                                          \
        KN_UNROLL for (int i = 0; i < m; i++)                                                                      \
            KN_UNROLL for (int j = 0; j < nv; j++) v_store(c + (i * nv + j) * KN_LANES, acc[i][j]);                \
    }

#define KN_CAST_WEIGHT(m)                                                                                          \
    KN_CAST_WEIGHT_TILE(m, 1, 1) KN_CAST_WEIGHT_TILE(m, 2, 1) KN_CAST_WEIGHT_TILE(m, 1, 2)                         \
    KN_CAST_WEIGHT_TILE(m, 2, 2)
KN_CAST_WEIGHT_TILES(KN_CAST_WEIGHT)
