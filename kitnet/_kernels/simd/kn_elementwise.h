/* Element-wise micro-kernels: plain loops, which the compiler vectorises for the instruction set of the region.
 * Comparisons are written so that NaN passes through. */

static void KN(multiply)(const void *a_, const void *b_, void *y_, ptrdiff_t n)
{
    const R *restrict a = a_, *restrict b = b_;
    R *restrict y = y_;
    for (ptrdiff_t i = 0; i < n; i++) y[i] = a[i] * b[i];
}

/* By whole vectors, since y may be a: a plain loop that allows for that is not vectorised. */
static void KN(add)(const void *a_, const void *b_, void *y_, ptrdiff_t n)
{
    const R *a = a_, *b = b_;
    R *y = y_;
    ptrdiff_t i = 0;
    for (; i + KN_LANES <= n; i += KN_LANES) {
        __builtin_prefetch(a + i + KN_ONWARD);
        __builtin_prefetch(b + i + KN_ONWARD);
        v_store(y + i, v_load(a + i) + v_load(b + i));
    }
    if (i < n) v_store_part(y + i, v_load_part(a + i, n - i) + v_load_part(b + i, n - i), n - i);
}
