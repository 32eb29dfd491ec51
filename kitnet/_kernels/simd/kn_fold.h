/* fold: one row of the image, as the sum over the windows that see it.
 *
 * A column j of the image meets window o by tap k where o * stride - pad + k * dilation = j. The columns of one phase
 * (equal remainder by the stride) meet the same taps, each at a constant distance: along a phase everything is
 * contiguous, so it goes by vectors, all taps summed in registers in ascending order. Where a tap does not meet all
 * lanes, only those that it meets are loaded. Phases go to lines of their own, which are then woven together. */

/* dst = the columns [q, q + n) of a phase: the sum of cols[rows[r] + k * apart + o]; inside: n is KN_LANES, and every
 * tap meets all columns. ahead: how far to prefetch. */
KN_BODY KN(fold_lanes)(const kn_row *g, const kn_phase *f, const R *cols, ptrdiff_t apart, ptrdiff_t ahead, ptrdiff_t q,
                       ptrdiff_t n, int inside, R *dst)
{
    const ptrdiff_t step = g->period * apart - g->step, place = f->start + q - f->place;
    V sum = {0};
    for (ptrdiff_t r = 0; r < g->count; r++) {
        const R *p = cols + g->rows[r] + f->tap * apart + place;
        ptrdiff_t a = -place, b = g->out - place;
        for (ptrdiff_t i = 0; i < f->taps; i++, p += step, a += g->step, b += g->step) {
            __builtin_prefetch(p + ahead, 0, 2);
            sum += inside ? v_load(p) : KN(load_between)(p, a, b < n ? b : n);
        }
    }
    KN(store_first)(dst + q, sum, n);
}

KN_BODY KN(fold_phase)(const kn_row *g, const kn_phase *f, const R *cols, ptrdiff_t apart, ptrdiff_t ahead, R *dst)
{
    const ptrdiff_t low = f->place + (f->taps - 1) * g->step - f->start, high = g->out + f->place - f->start;
    for (ptrdiff_t q = 0; q < f->columns; q += KN_LANES) { /* the last vector overlaps the one before */
        if (q + KN_LANES > f->columns) q = f->columns > KN_LANES ? f->columns - KN_LANES : 0;
        const ptrdiff_t n = f->columns < KN_LANES ? f->columns : KN_LANES;
        if (n == KN_LANES && f->taps && q >= low && q + n <= high)
            KN(fold_lanes)(g, f, cols, apart, ahead, q, n, 1, dst);
        else
            KN(fold_lanes)(g, f, cols, apart, ahead, q, n, 0, dst);
    }
}

/* dst[q * step + s] = lines[s * pitch + q]: lines woven together to n columns */
static void KN(weave)(const R *restrict lines, ptrdiff_t pitch, ptrdiff_t step, ptrdiff_t n, R *restrict dst)
{
    ptrdiff_t q = 0;
    if (step == 2)
        for (; q < n / 2; q += KN_LANES) {
            const V a = v_load(lines + q), b = v_load(lines + pitch + q);
            const ptrdiff_t left = n - 2 * q;
            KN(store_first)(dst + 2 * q, KN(zip_low)(a, b), left < KN_LANES ? left : KN_LANES);
            if (left > KN_LANES)
                KN(store_first)(dst + 2 * q + KN_LANES, KN(zip_high)(a, b),
                                left < 2 * KN_LANES ? left - KN_LANES : KN_LANES);
        }
    for (; q * step < n; q++)
        for (ptrdiff_t s = 0; s < step && q * step + s < n; s++) dst[q * step + s] = lines[s * pitch + q];
}

/* lines: for strides above 1, room for (columns of the first phase + KN_LANES) elements a phase */
static void KN(fold_row)(const kn_row *g, const void *cols, ptrdiff_t apart, ptrdiff_t ahead, void *lines, void *x)
{
    const ptrdiff_t pitch = g->phase->columns + KN_LANES;
    if (g->stride == 1) {
        KN(fold_phase)(g, g->phase, cols, apart, ahead, x);
        return;
    }
    for (ptrdiff_t s = 0; s < g->phases; s++)
        KN(fold_phase)(g, g->phase + s, cols, apart, ahead, (R *)lines + s * pitch);
    KN(weave)(lines, pitch, g->phases, g->size, x);
}
