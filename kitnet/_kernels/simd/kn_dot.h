/* dot: the inner-product micro-kernel, for reductions along the contiguous axis of both operands: the weight gradient
 * of a convolution (over pixels) and Linear (over features).
 *
 * m rows of a by n rows of b, each pair with its own vector of partial sums in a register. */

#define KN_DOT(m, n)                                                                                               \
    static void KN(dot_##m)(ptrdiff_t len, const void *a_, ptrdiff_t lda, const void *b_, const ptrdiff_t *off,    \
                            void *c_, ptrdiff_t ldc, ptrdiff_t cols, int accumulate)                               \
    {                                                                                                              \
        const R *a = a_, *b[n];                                                                                    \
        R *c = c_;                                                                                                 \
        V acc[m][n], bv[n], av;                                                                                    \
        KN_UNROLL for (int j = 0; j < n; j++) b[j] = (const R *)b_ + off[j];                                       \
        KN_UNROLL for (int i = 0; i < m; i++)                                                                      \
            KN_UNROLL for (int j = 0; j < n; j++)                                                                  \
                acc[i][j] = (V){0};                                                                                \
        ptrdiff_t p = 0;                                                                                           \
        for (; p + KN_LANES <= len; p += KN_LANES) {                                                               \
            KN_UNROLL for (int j = 0; j < n; j++) bv[j] = v_load(b[j] + p);                                        \
            KN_UNROLL for (int i = 0; i < m; i++) {                                                                \
                av = v_load(a + i * lda + p);                                                                      \
                KN_UNROLL for (int j = 0; j < n; j++) acc[i][j] += av * bv[j];                                     \
            }                                                                                                      \
        }                                                                                                          \
        if (p < len) {                                                                                             \
            KN_UNROLL for (int j = 0; j < n; j++) bv[j] = v_load_part(b[j] + p, len - p);                          \
            KN_UNROLL for (int i = 0; i < m; i++) {                                                                \
                av = v_load_part(a + i * lda + p, len - p);                                                        \
                KN_UNROLL for (int j = 0; j < n; j++) acc[i][j] += av * bv[j];                                     \
            }                                                                                                      \
        }                                                                                                          \
        KN_UNROLL for (int i = 0; i < m; i++)                                                                      \
            KN_UNROLL for (int j = 0; j < n; j++)                                                                  \
                if (j < cols) c[i * ldc + j] = v_sum(acc[i][j]) + (accumulate ? c[i * ldc + j] : 0);               \
    }

KN_DOT_TILES(KN_DOT)
