/* Element-wise micro-kernels: plain loops, which the compiler vectorises for the instruction set of the region.
 * Comparisons are written so that NaN passes through. */

static void KN(multiply)(const void *a_, const void *b_, void *y_, ptrdiff_t n)
{
    const R *restrict a = a_, *restrict b = b_;
    R *restrict y = y_;
    for (ptrdiff_t i = 0; i < n; i++) y[i] = a[i] * b[i];
}
