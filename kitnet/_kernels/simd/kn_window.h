/* One channel under one small kernel, for convolutions where each filter reads one channel (depthwise): there is no
 * product to tile, so rows are filtered straight from the staged plane to the result. Tap t of output (r, q) stands at
 * off[t] + r * src_step + q.
 *
 * A 3x3 kernel whose taps lie side by side rolls down the plane: each row of the source is loaded once and feeds the
 * three rows of results that it is part of, which wait in registers. */

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
    v = KN(clip)(v + bias, low, high);
    if (step == 1 && n >= KN_LANES) {
        v_store(dst, v);
    } else if (step == 1) {
        v_store_part(dst, v, n);
    } else {
        const union { V v; R r[KN_VBYTES / KN_SIZE]; } u = {.v = v};
        for (ptrdiff_t i = 0; i < n && i < KN_LANES; i++) dst[i * step] = u.r[i];
    }
}

/* dst[r * dst_step + q * step] = clip(sum_t w[t] src[off[t] + r * src_step + q] + bias);  r < rows, q < n */
static void KN(window)(const void *src_, ptrdiff_t src_step, const ptrdiff_t *off, const void *w_, ptrdiff_t taps,
                       ptrdiff_t rows, ptrdiff_t n, double bias_, double low_, double high_, void *dst_,
                       ptrdiff_t dst_step, ptrdiff_t step)
{
    const R *src = src_, *w = w_, bias = (R)bias_, low = (R)low_, high = (R)high_;
    R *dst = dst_;
    const int rolling = KN(is_3x3)(off, taps, src_step);
    for (ptrdiff_t q = 0; q < n; q += KN_LANES) {
        ptrdiff_t r = 0;
        if (rolling) {
            const R *from = src + off[0] + q;
            V one = (V){0}, two = (V){0}; /* sums of the row above with two of its rows, and with one */
            for (; r < rows + 2; r++, from += src_step) {
                const V a = v_load(from), b = v_load(from + 1), c = v_load(from + 2);
                V done = two + w[6] * a;
                done += w[7] * b;
                done += w[8] * c;
                two = one + w[3] * a;
                two += w[4] * b;
                two += w[5] * c;
                one = w[0] * a;
                one += w[1] * b;
                one += w[2] * c;
                if (r >= 2) KN(window_put)(done, bias, low, high, dst + (r - 2) * dst_step + q * step, step, n - q);
            }
            continue;
        }
        for (; r + 4 <= rows; r += 4) {
            const R *from = src + r * src_step + q;
            V s0 = (V){0}, s1 = (V){0}, s2 = (V){0}, s3 = (V){0};
            for (ptrdiff_t t = 0; t < taps; t++) {
                const R *x = from + off[t];
                s0 += w[t] * v_load(x);
                s1 += w[t] * v_load(x + src_step);
                s2 += w[t] * v_load(x + 2 * src_step);
                s3 += w[t] * v_load(x + 3 * src_step);
            }
            R *to = dst + r * dst_step + q * step;
            KN(window_put)(s0, bias, low, high, to, step, n - q);
            KN(window_put)(s1, bias, low, high, to + dst_step, step, n - q);
            KN(window_put)(s2, bias, low, high, to + 2 * dst_step, step, n - q);
            KN(window_put)(s3, bias, low, high, to + 3 * dst_step, step, n - q);
        }
        for (; r < rows; r++) {
            V s0 = (V){0};
            for (ptrdiff_t t = 0; t < taps; t++) s0 += w[t] * v_load(src + r * src_step + q + off[t]);
            KN(window_put)(s0, bias, low, high, dst + r * dst_step + q * step, step, n - q);
        }
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
        for (ptrdiff_t q = 0; q < n; q += KN_LANES) {
            const R *from = src + off[0] + q;
            V above = (V){0}, two_above = (V){0};
            for (ptrdiff_t r = 0; r < rows + 2; r++, from += src_step) {
                const V d = r < rows ? KN(load_clamped)(dy + r * dy_step + q, n - q) : (V){0};
                const V a = KN(load_clamped)(from, n - q), b = KN(load_clamped)(from + 1, n - q);
                const V c = KN(load_clamped)(from + 2, n - q);
                s[0] += d * a;
                s[1] += d * b;
                s[2] += d * c;
                s[3] += above * a;
                s[4] += above * b;
                s[5] += above * c;
                s[6] += two_above * a;
                s[7] += two_above * b;
                s[8] += two_above * c;
                two_above = above;
                above = d;
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
