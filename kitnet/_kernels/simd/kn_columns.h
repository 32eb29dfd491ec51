/* Images to columns: the work of im2col and unfold. */

/* Copies (from not NULL) or clears exactly n elements, without a call: whole vectors, the last one overlapping the one
 * before, or two overlapping pieces of a smaller power of two. */
#define KN_PIECES(bytes)                                                                                           \
    if (size >= (bytes)) {                                                                                         \
        if (src) {                                                                                                 \
            memcpy(to, from, bytes);                                                                               \
            memcpy(to + size - (bytes), from + size - (bytes), bytes);                                             \
        } else {                                                                                                   \
            memset(to, 0, bytes);                                                                                  \
            memset(to + size - (bytes), 0, bytes);                                                                 \
        }                                                                                                          \
        return;                                                                                                    \
    }
KN_BODY KN(copy)(R *dst, const R *src, ptrdiff_t n)
{
    char *to = (char *)dst;
    const char *from = (const char *)src;
    const ptrdiff_t size = n * KN_SIZE;
    if (n >= KN_LANES) {
        ptrdiff_t i = 0;
        for (; i + KN_LANES <= n; i += KN_LANES) v_store(dst + i, src ? v_load(src + i) : (V){0});
        if (i < n) v_store(dst + n - KN_LANES, src ? v_load(src + n - KN_LANES) : (V){0});
        return;
    }
    KN_PIECES(32)
    KN_PIECES(16)
    KN_PIECES(8)
    KN_PIECES(4)
}
#undef KN_PIECES

/* ---- unfold ---- */

/* dst[i] = src[i * step], i < n */
KN_BODY KN(take)(R *restrict dst, const R *restrict src, ptrdiff_t step, ptrdiff_t n)
{
    if (step == 1) {
        KN(copy)(dst, src, n);
        return;
    }
    ptrdiff_t i = 0;
    if (step == 2) {
        for (; i + KN_LANES <= n; i += KN_LANES) v_store(dst + i, KN(load_step)(src + 2 * i, 2, 0, n, 1));
        if (i < n) v_store_part(dst + i, KN(load_step)(src + 2 * i, 2, 0, n - i, 0), n - i);
        return;
    }
    for (; i < n; i++) dst[i] = src[i * step];
}

KN_BODY KN(unfold_rows)(const kn_row *g, const R *x, ptrdiff_t pitch, ptrdiff_t k, ptrdiff_t rows, ptrdiff_t step,
                        R *dst)
{
    const ptrdiff_t first = g->enter[k], end = g->leave[k];
    x += k * g->dilation - g->pad + first * step;
    for (ptrdiff_t r = 0; r < rows; r++, x += pitch, dst += g->out) {
        KN(copy)(dst, NULL, first);
        KN(take)(dst + first, x, step, end - first);
        KN(copy)(dst + end, NULL, g->out - end);
    }
}

/* What tap k meets in all windows of some rows: dst[r * out + o], from x[r * pitch ...]; zeros outside of the row. */
static void KN(unfold_row)(const kn_row *g, const void *x, ptrdiff_t pitch, ptrdiff_t k, ptrdiff_t rows, void *dst)
{
    if (g->stride == 1)
        KN(unfold_rows)(g, x, pitch, k, rows, 1, dst);
    else if (g->stride == 2)
        KN(unfold_rows)(g, x, pitch, k, rows, 2, dst);
    else
        KN(unfold_rows)(g, x, pitch, k, rows, g->stride, dst);
}

/* ---- im2col: squares of KN_LANES taps by KN_LANES windows, transposed in registers ---- */

/* The rows of a square: dst[i * pitch + j] = v[i][j], i < n, j < m */
KN_BODY KN(store_square)(const V *v, R *dst, ptrdiff_t pitch, ptrdiff_t n, ptrdiff_t m)
{
    if (n == KN_LANES && m == KN_LANES)
        KN_UNROLL for (int i = 0; i < KN_LANES; i++) {
            v_store(dst + i * pitch, v[i]);
            __builtin_prefetch(dst + i * pitch + 4 * KN_LANES, 1, 3);
        }
    else
        for (ptrdiff_t i = 0; i < n; i++) KN(store_first)(dst + i * pitch, v[i], m);
}

/* A row of windows, one a row of cols (pitch elements apart): for each of the channels and each of the rows of the
 * image (-1: zeros) the taps along the row. A vector of what one tap meets in neighbouring windows for each tap. */
KN_BODY KN(im2col_any)(const kn_row *g, const R *x, ptrdiff_t channels, ptrdiff_t plane, ptrdiff_t ahead,
                       ptrdiff_t step, R *cols)
{
    const ptrdiff_t taps = channels * g->count * g->kernel;
    for (ptrdiff_t o = 0; o < g->out; o += KN_LANES) {
        const ptrdiff_t n = g->out - o < KN_LANES ? g->out - o : KN_LANES;
        const int inside = n == KN_LANES && o >= g->low && o + n <= g->high;
        const R *image = x + o * step - g->pad;
        ptrdiff_t r = 0, k = 0;
        for (ptrdiff_t t = 0; t < taps; t += KN_LANES) {
            const ptrdiff_t m = taps - t < KN_LANES ? taps - t : KN_LANES;
            V v[KN_VBYTES / KN_SIZE] = {{0}};
            for (ptrdiff_t i = 0; i < m; i++) {
                const R *p = image + g->rows[r] + k * g->dilation;
                const ptrdiff_t a = g->enter[k] - o, b = g->leave[k] - o < n ? g->leave[k] - o : n;
                if (k == 0) __builtin_prefetch(p + ahead, 0, 2);
                if (g->rows[r] < 0) {
                    v[i] = (V){0};
                } else if (step <= 2) {
                    v[i] = inside ? KN(load_step)(p, (int)step, 0, n, 1)
                                  : KN(load_step)(p, (int)step, a, b, 0);
                } else {
                    union { V v; R r[KN_VBYTES / KN_SIZE]; } u = {.r = {0}};
                    for (ptrdiff_t j = a < 0 ? 0 : a; j < b; j++) u.r[j] = p[j * step];
                    v[i] = u.v;
                }
                if (++k == g->kernel) {
                    k = 0;
                    if (++r == g->count) {
                        r = 0;
                        image += plane;
                    }
                }
            }
            KN(transpose)(v);
            KN(store_square)(v, cols + o * taps + t, taps, n, m);
        }
    }
}

static void KN(im2col_row)(const kn_row *g, const void *x, ptrdiff_t channels, ptrdiff_t plane, ptrdiff_t ahead,
                           void *cols)
{
    if (g->stride == 1)
        KN(im2col_any)(g, x, channels, plane, ahead, 1, cols);
    else if (g->stride == 2)
        KN(im2col_any)(g, x, channels, plane, ahead, 2, cols);
    else
        KN(im2col_any)(g, x, channels, plane, ahead, g->stride, cols);
}

static void KN(clear)(void *dst, ptrdiff_t n) { KN(copy)(dst, NULL, n); }
