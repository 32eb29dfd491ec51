/* Element-wise micro-kernels: plain loops, which the compiler vectorises for the instruction set of the region.
 * Comparisons are written so that NaN passes through. */

static void KN(relu)(const void *x_, void *y_, ptrdiff_t n)
{
    const R *restrict x = x_;
    R *restrict y = y_;
    for (ptrdiff_t i = 0; i < n; i++) y[i] = x[i] < 0 ? 0 : x[i];
}

static void KN(relu_backward)(const void *dy_, const void *y_, void *dx_, ptrdiff_t n)
{
    const R *restrict dy = dy_, *restrict y = y_;
    R *restrict dx = dx_;
    for (ptrdiff_t i = 0; i < n; i++) dx[i] = y[i] <= 0 ? 0 : dy[i];
}

static void KN(multiply)(const void *a_, const void *b_, void *y_, ptrdiff_t n)
{
    const R *restrict a = a_, *restrict b = b_;
    R *restrict y = y_;
    for (ptrdiff_t i = 0; i < n; i++) y[i] = a[i] * b[i];
}
