/* One channel under one small kernel, for convolutions where each filter reads one channel (depthwise): there is no
 * product to tile, so rows are filtered straight from the staged plane to the result. Tap t of output (r, q) stands at
 * off[t] + r * src_step + q.
 *
 * Results are written along the rows, four rows at a time: memory likes streams. Of a 3x3 kernel whose taps lie side by
 * side the six rows of the source that these see are loaded once. */

static inline int KN(is_3x3)(const ptrdiff_t *off, ptrdiff_t taps, ptrdiff_t step)
{
    if (taps != 9) return 0;
    for (ptrdiff_t t = 0; t < 9; t++)
        if (off[t] != off[0] + t / 3 * step + t % 3) return 0;
    return 1;
}

static inline __attribute__((always_inline)) void KN(window_put)(V v, R bias, R low, R high, R *dst, ptrdiff_t step,
                                                                 ptrdiff_t n)
{
    KN(store_step)(dst, KN(clip)(v + bias, low, high), step, n);
}

/* dst[r * dst_step + q * step] = clip(sum_t w[t] src[off[t] + r * src_step + q] + bias);  r < rows, q < n */
static void KN(window)(const void *src_, ptrdiff_t src_step, const ptrdiff_t *off, const void *w_, ptrdiff_t taps,
                       ptrdiff_t rows, ptrdiff_t n, double bias_, double low_, double high_, void *dst_,
                       ptrdiff_t dst_step, ptrdiff_t step)
{
    const R *src = src_, *w = w_, bias = (R)bias_, low = (R)low_, high = (R)high_;
    R *dst = dst_;
    const int square = KN(is_3x3)(off, taps, src_step);
    V weight[9];
    for (int t = 0; t < 9; t++) weight[t] = square ? w[t] - (V){0} : (V){0};
    ptrdiff_t r = 0;
    for (; r + 4 <= rows; r += 4) {
        for (ptrdiff_t q = 0; q < n; q += KN_LANES) {
            V s[4] = {{0}, {0}, {0}, {0}};
            if (square) {
                const R *from = src + off[0] + r * src_step + q;
                KN_UNROLL for (int i = 0; i < 6; i++, from += src_step) {
                    const V a = v_load(from), b = v_load(from + 1), c = v_load(from + 2);
                    KN_UNROLL for (int o = i < 2 ? 0 : i - 2; o <= (i < 3 ? i : 3); o++) {
                        s[o] += weight[3 * (i - o)] * a;
                        s[o] += weight[3 * (i - o) + 1] * b;
                        s[o] += weight[3 * (i - o) + 2] * c;
                    }
                }
            } else {
                for (ptrdiff_t t = 0; t < taps; t++) {
                    const R *from = src + off[t] + r * src_step + q;
                    KN_UNROLL for (int o = 0; o < 4; o++) s[o] += w[t] * v_load(from + o * src_step);
                }
            }
            KN_UNROLL for (int o = 0; o < 4; o++)
                KN(window_put)(s[o], bias, low, high, dst + (r + o) * dst_step + q * step, step, n - q);
        }
    }
    for (; r < rows; r++)
        for (ptrdiff_t q = 0; q < n; q += KN_LANES) {
            V s = (V){0};
            for (ptrdiff_t t = 0; t < taps; t++) s += w[t] * v_load(src + off[t] + r * src_step + q);
            KN(window_put)(s, bias, low, high, dst + r * dst_step + q * step, step, n - q);
        }
}

/* dw[t] (+)= sum over r < rows, q < n of dy[r * dy_step + q] * src[off[t] + r * src_step + q]. Nothing behind the n-th
 * column has a say: 0 times what stands there need not be 0. */
static void KN(window_weight)(const void *dy_, ptrdiff_t dy_step, const void *src_, ptrdiff_t src_step,
                              const ptrdiff_t *off, ptrdiff_t taps, ptrdiff_t rows, ptrdiff_t n, void *dw_,
                              int accumulate)
{
    const R *dy = dy_, *src = src_;
    R *dw = dw_;
    if (KN(is_3x3)(off, taps, src_step)) {
        V s[9] = {{0}, {0}, {0}, {0}, {0}, {0}, {0}, {0}, {0}};
        for (ptrdiff_t r = 0; r < rows; r += 4)
            for (ptrdiff_t q = 0; q < n; q += KN_LANES) {
                const R *from = src + off[0] + r * src_step + q;
                V d[4];
                KN_UNROLL for (int o = 0; o < 4; o++)
                    d[o] = r + o < rows ? KN(load_clamped)(dy + (r + o) * dy_step + q, n - q) : (V){0};
                KN_UNROLL for (int i = 0; i < 6; i++, from += src_step) {
                    if (r + i >= rows + 2) break;
                    const V a = KN(load_clamped)(from, n - q), b = KN(load_clamped)(from + 1, n - q);
                    const V c = KN(load_clamped)(from + 2, n - q);
                    KN_UNROLL for (int o = i < 2 ? 0 : i - 2; o <= (i < 3 ? i : 3); o++) {
                        s[3 * (i - o)] += d[o] * a;
                        s[3 * (i - o) + 1] += d[o] * b;
                        s[3 * (i - o) + 2] += d[o] * c;
                    }
                }
            }
        KN_UNROLL for (int t = 0; t < 9; t++) dw[t] = v_sum(s[t]) + (accumulate ? dw[t] : 0);
        return;
    }
    for (ptrdiff_t t = 0; t < taps; t++) {
        V s0 = (V){0}, s1 = (V){0};
        for (ptrdiff_t q = 0; q < n; q += KN_LANES) {
            ptrdiff_t r = 0;
            for (; r + 2 <= rows; r += 2) {
                const R *d = dy + r * dy_step + q, *x = src + off[t] + r * src_step + q;
                s0 += KN(load_clamped)(d, n - q) * KN(load_clamped)(x, n - q);
                s1 += KN(load_clamped)(d + dy_step, n - q) * KN(load_clamped)(x + src_step, n - q);
            }
            if (r < rows)
                s0 += KN(load_clamped)(dy + r * dy_step + q, n - q)
                      * KN(load_clamped)(src + off[t] + r * src_step + q, n - q);
        }
        dw[t] = v_sum(s0 + s1) + (accumulate ? dw[t] : 0);
    }
}
