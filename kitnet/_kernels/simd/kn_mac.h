/* mac: the outer-product micro-kernel of every GEMM and convolution.
 *
 * A tile of m rows (filters) by KN_NV vectors (pixels) stays in registers while k runs over the taps; b is read at
 * an offset a tap, so a packed panel (off[k] = k * width) and a padded image in place (off[k] = where tap k begins)
 * are the same kernel. Where few columns are left, a tile of half the width does. m <= width: the m broadcasts are kept
 * in registers and b streams by; else the other way. */

#define KN_MAC_TILE(name, m, nv)                                                                                   \
    static void KN(name)(ptrdiff_t kc, const void *a_, ptrdiff_t lda, const void *b_,                              \
                         const ptrdiff_t *restrict off, void *c_, ptrdiff_t ldc, int accumulate)                   \
    {                                                                                                              \
        const R *restrict a = a_, *b = b_;                                                                         \
        R *c = c_;                                                                                                 \
        V acc[m][nv];                                                                                              \
        KN_UNROLL for (int i = 0; i < m; i++)                                                                      \
            KN_UNROLL for (int j = 0; j < nv; j++)                                                                 \
                acc[i][j] = (V){0};                                                                                \
        for (ptrdiff_t k = 0; k < kc; k++, a += lda) {                                                             \
            const R *bk = b + off[k];                                                                              \
            if (m <= nv) {                                                                                         \
                KN_UNROLL for (int j = 0; j < nv; j++) {                                                           \
                    const V bv = v_load(bk + j * KN_LANES);                                                        \
                    KN_UNROLL for (int i = 0; i < m; i++) acc[i][j] += a[i] * bv;                                  \
                }                                                                                                  \
            } else {                                                                                               \
                V bv[nv];                                                                                          \
                KN_UNROLL for (int j = 0; j < nv; j++) bv[j] = v_load(bk + j * KN_LANES);                          \
                KN_UNROLL for (int i = 0; i < m; i++)                                                              \
                    KN_UNROLL for (int j = 0; j < nv; j++) acc[i][j] += a[i] * bv[j];                              \
            }                                                                                                      \
        }                                                                                                          \
        if (accumulate) {                                                                                          \
            KN_UNROLL for (int i = 0; i < m; i++, c += ldc)                                                        \
                KN_UNROLL for (int j = 0; j < nv; j++)                                                             \
                    v_store(c + j * KN_LANES, acc[i][j] + v_load(c + j * KN_LANES));                               \
        } else {                                                                                                   \
            KN_UNROLL for (int i = 0; i < m; i++, c += ldc)                                                        \
                KN_UNROLL for (int j = 0; j < nv; j++) v_store(c + j * KN_LANES, acc[i][j]);                       \
        }                                                                                                          \
    }

#define KN_MAC(m, nv) KN_MAC_TILE(mac_##m, m, nv) KN_MAC_TILE(mac_half_##m, m, (nv + 1) / 2)
KN_MAC_TILES(KN_MAC)
