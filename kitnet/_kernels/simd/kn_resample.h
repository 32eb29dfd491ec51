/* Axes by lists of cells with weights (kn_lists): a plane at once, or across rows, or along lines.
 *
 * Across, a list weights whole rows. Along a line, neighbours read other cells with other weights. Where cells can be
 * picked from two vectors by number, this goes by tables that are made once: a block of results reads a window, whose
 * rows are weighted and added as they come, and from their sum each result picks its cells; so a plane is read and
 * written once, with nothing in between. Elsewhere, and where a window is too wide for its results, an axis goes at a
 * time, and along lines as many go together as there are lanes: a square of them is turned, so that a cell of all lines
 * is one vector, and a list costs a multiply-add for each of its entries; the results are turned back. The squares that
 * were turned last are kept, so that lists in order turn each but once, however long the lines are. */

#define KN_SQUARES 8

/* Columns [i, inner) of a row, ``vectors`` of them, the last of which may be a part of one: what that writes too much,
 * the next rows overwrite, and the last ones do not write. */
KN_INLINE void KN(across_columns)(const R *x, const int *index, const R *weight, ptrdiff_t n, R *y, ptrdiff_t i,
                                  ptrdiff_t inner, int vectors, int part, int last)
{
    V sum[4] = {KN_ZERO, KN_ZERO, KN_ZERO, KN_ZERO};
    const ptrdiff_t rest = inner - i - (vectors - 1) * KN_LANES;
    for (ptrdiff_t t = 0; t < n; t++) {
        const R *row = x + index[t] * inner + i;
        KN_UNROLL for (int k = 0; k < vectors; k++) {
            const V v = part && k == vectors - 1 ? v_load_part(row + k * KN_LANES, rest) : v_load(row + k * KN_LANES);
            sum[k] = t ? sum[k] + weight[t] * v : weight[t] * v;
        }
    }
    KN_UNROLL for (int k = 0; k < vectors; k++) {
        if (part && last && k == vectors - 1)
            v_store_part(y + i + k * KN_LANES, sum[k], rest);
        else
            v_store(y + i + k * KN_LANES, sum[k]);
    }
}

/* y[j - from] = the sum of weight x[index - base] over list j, rows of ``inner`` elements;  from <= j < to */
static void KN(resample_across)(const kn_lists *axis, ptrdiff_t from, ptrdiff_t to, const void *x_, ptrdiff_t base,
                                void *y_, ptrdiff_t inner)
{
    const R *x = (const R *)x_ - base * inner;
    R *y = y_;
    for (ptrdiff_t j = from; j < to; j++, y += inner) {
        const int *index = axis->index + axis->start[j];
        const R *weight = (const R *)axis->weight + axis->start[j];
        const ptrdiff_t n = axis->start[j + 1] - axis->start[j];
        const int last = (to - 1 - j) * inner < KN_LANES;
        ptrdiff_t i = 0;
#define KN_COLUMNS(taps, vectors, part)                                                                              \
    KN(across_columns)(x, index, weight, taps, y, i, inner, vectors, part, last)
#define KN_COLUMNS_LEFT(taps)                                                                                        \
    for (; i + 4 * KN_LANES <= inner; i += 4 * KN_LANES) KN_COLUMNS(taps, 4, 0);                                       \
    if (i + 3 * KN_LANES < inner) KN_COLUMNS(taps, 4, 1);                                                              \
    else if (i + 2 * KN_LANES < inner) KN_COLUMNS(taps, 3, 1);                                                         \
    else if (i + KN_LANES < inner) KN_COLUMNS(taps, 2, 1);                                                             \
    else if (i < inner) KN_COLUMNS(taps, 1, 1);
        if (n == 1) { KN_COLUMNS_LEFT(1) }
        else if (n == 2) { KN_COLUMNS_LEFT(2) }
        else { KN_COLUMNS_LEFT(n) }
#undef KN_COLUMNS
#undef KN_COLUMNS_LEFT
    }
}

#if defined(KN_AVX512) || defined(KN_AVX2) && KN_SIZE == 4
#define KN_PICKS

/* In each lane the element of that number of the pair (a, b), and 0 where the number is negative. */
KN_INLINE V KN(pick_pair)(V a, V b, M number)
{
#if defined(KN_AVX512) && KN_SIZE == 4
    return _mm512_maskz_permutex2var_ps(~_mm512_movepi32_mask((__m512i)number), a, (__m512i)number, b);
#elif defined(KN_AVX512)
    return _mm512_maskz_permutex2var_pd(~_mm512_movepi64_mask((__m512i)number), a, (__m512i)number, b);
#else
    const V low = _mm256_permutevar8x32_ps(a, (__m256i)number), high = _mm256_permutevar8x32_ps(b, (__m256i)number);
    return (V)((M)_mm256_blendv_ps(low, high, (__m256)(number << 28)) & ~(number >> 31));
#endif
}

/* The rows that some results read, where their lists along H are equally long, or where there are none: rows of x. */
typedef struct {
    const R *row[4][4];
    R weight[4][4];
} KN(plane_lists);

/* One block of ``count`` rows of results, from row j on; taps: -1 where that is not the same for all of them. */
KN_INLINE void KN(plane_block)(const kn_lists *h, const KN(plane_lists) *f, const kn_pick *p, const R *x,
                               ptrdiff_t size, ptrdiff_t j, R *y, ptrdiff_t out, int count, int taps, int wide)
{
    V a[4], b[4], sum[4];
    const KN(lanes) near = KN(lanes_between)(0, p->cells), far = KN(lanes_between)(0, p->cells - KN_LANES);
    KN_UNROLL for (int l = 0; l < count; l++) {
        a[l] = b[l] = (V){0};
        if (taps == 0) {
            a[l] = KN(load_lanes)(f->row[l][0] + p->cell, near);
            if (wide) b[l] = KN(load_lanes)(f->row[l][0] + p->cell + KN_LANES, far);
        } else if (taps > 0) {
            KN_UNROLL for (int t = 0; t < taps; t++) {
                const V v = KN(load_lanes)(f->row[l][t] + p->cell, near);
                a[l] = t ? a[l] + f->weight[l][t] * v : f->weight[l][t] * v;
                if (wide) {
                    const V u = KN(load_lanes)(f->row[l][t] + p->cell + KN_LANES, far);
                    b[l] = t ? b[l] + f->weight[l][t] * u : f->weight[l][t] * u;
                }
            }
        } else {
            const R *weight = h->weight;
            for (ptrdiff_t t = h->start[j + l]; t < h->start[j + l + 1]; t++) {
                const R *row = x + h->index[t] * size + p->cell;
                a[l] += weight[t] * KN(load_lanes)(row, near);
                if (wide) b[l] += weight[t] * KN(load_lanes)(row + KN_LANES, far);
            }
        }
        if (!wide) b[l] = a[l];
        sum[l] = (V){0};
    }
    for (ptrdiff_t t = 0; t < p->taps; t++) {
        const M number = (M)v_load((const R *)p->number + t * KN_LANES);
        const V weight = v_load((const R *)p->weight + t * KN_LANES);
        KN_UNROLL for (int l = 0; l < count; l++) sum[l] += weight * KN(pick_pair)(a[l], b[l], number);
    }
    y += p->result;
    if (p->result + KN_LANES <= out) { /* what is too much, the next block overwrites */
        KN_UNROLL for (int l = 0; l < count; l++) v_store(y + (j + l) * out, sum[l]);
    } else {
        KN_UNROLL for (int l = 0; l < count; l++) v_store_part(y + (j + l) * out, sum[l], p->results);
    }
}

KN_INLINE void KN(plane_rows)(const kn_lists *h, const kn_lists *w, const R *x, ptrdiff_t j, R *y, int count, int taps)
{
    KN(plane_lists) f;
    KN_UNROLL for (int l = 0; l < count; l++) {
        if (taps == 0) f.row[l][0] = x + (j + l) * w->size;
        KN_UNROLL for (int t = 0; t < taps; t++) {
            f.row[l][t] = x + h->index[h->start[j + l] + t] * w->size;
            f.weight[l][t] = ((const R *)h->weight)[h->start[j + l] + t];
        }
    }
    for (const kn_pick *p = w->picks; p->results; p++)
        if (p->cells > KN_LANES)
            KN(plane_block)(h, &f, p, x, w->size, j, y, w->out, count, taps, 1);
        else
            KN(plane_block)(h, &f, p, x, w->size, j, y, w->out, count, taps, 0);
}

/* ``count`` planes by picks without weights: results are cells as they are, and windows lie within the plane. The lines
 * of the next planes are asked for meanwhile. */
KN_INLINE void KN(copied_planes)(const kn_lists *line, const R *x, R *y, int count)
{
    const ptrdiff_t size = line->size, out = line->out;
    for (const kn_pick *p = line->picks; p->results; p++) {
        const M number = (M)v_load((const R *)p->number);
        const ptrdiff_t n = p->results;
        const R *cell = x + p->cell;
        R *to = y + p->result;
        V v[4];
        KN_UNROLL for (int l = 0; l < count; l++)
            v[l] = KN(pick_pair)(v_load(cell + l * size), v_load(cell + l * size + KN_LANES), number);
        if (n == KN_LANES) {
            KN_UNROLL for (int l = 0; l < count; l++) v_store(to + l * out, v[l]);
        } else {
            KN_UNROLL for (int l = 0; l < count; l++) v_store_part(to + l * out, v[l], n);
        }
        KN_UNROLL for (int l = 0; l < count; l++) __builtin_prefetch(to + (count + l) * out, 1);
    }
}

/* The number of taps that each list in [from, to) has, or -1 where they differ. */
static inline ptrdiff_t KN(common_taps)(const kn_lists *h, ptrdiff_t from, ptrdiff_t to)
{
    const ptrdiff_t n = h->start[from + 1] - h->start[from];
    for (ptrdiff_t j = from + 1; j < to; j++)
        if (h->start[j + 1] - h->start[j] != n) return -1;
    return n;
}
#endif

/* Rows [from, to) of a plane of results: the lists of h, or where it has none the rows of x, and the picks of w. Picks
 * without weights have no h. */
static void KN(resample_plane)(const kn_lists *h, const kn_lists *w, const void *x_, void *y_, ptrdiff_t from,
                               ptrdiff_t to)
{
#ifdef KN_PICKS
    const R *x = x_;
    R *y = y_;
    if (w->weight == NULL) {
        for (; from + 4 <= to; from += 4) KN(copied_planes)(w, x + from * w->size, y + from * w->out, 4);
        for (; from < to; from++) KN(copied_planes)(w, x + from * w->size, y + from * w->out, 1);
        return;
    }
    const ptrdiff_t fresh = h->start ? 4 * w->size * h->size / h->out : 4 * w->size; /* elements of x for 4 rows */
    ptrdiff_t j = from;
    for (; to - from >= 4 && j < to; j += 4) {
        if (j + 4 > to) j = to - 4; /* the last rows are made with some of those before */
        const R *next = x + (h->start ? h->index[h->start[j]] : j) * w->size + KN_ONWARD;
        for (ptrdiff_t i = 0; i < fresh; i += 64 / KN_SIZE) __builtin_prefetch(next + i);
        for (ptrdiff_t i = 0; i < 4 * w->out; i += 64 / KN_SIZE)
            __builtin_prefetch(y + j * w->out + KN_ONWARD + i, 1);
        const ptrdiff_t taps = h->start ? KN(common_taps)(h, j, j + 4) : 0;
        if (!h->start)
            KN(plane_rows)(h, w, x, j, y, 4, 0);
        else if (taps == 1)
            KN(plane_rows)(h, w, x, j, y, 4, 1);
        else if (taps == 2)
            KN(plane_rows)(h, w, x, j, y, 4, 2);
        else if (taps == 4)
            KN(plane_rows)(h, w, x, j, y, 4, 4);
        else
            KN(plane_rows)(h, w, x, j, y, 4, -1);
    }
    for (; j < to; j++)
        if (h->start)
            KN(plane_rows)(h, w, x, j, y, 1, -1);
        else
            KN(plane_rows)(h, w, x, j, y, 1, 0);
#endif
}

/* Cells [first, first + lanes) of ``lines`` lines of ``size`` cells, turned: zeros where there are none. */
KN_INLINE void KN(turn_square)(const R *x, ptrdiff_t size, ptrdiff_t lines, ptrdiff_t first, V *to)
{
    V v[KN_VBYTES / KN_SIZE];
    KN_UNROLL for (int r = 0; r < KN_LANES; r++)
        v[r] = r < lines ? KN(load_clamped)(x + r * size + first, size - first) : (V){0};
    KN(transpose)(v);
    KN_UNROLL for (int r = 0; r < KN_LANES; r++) to[r] = v[r];
}

/* y[l][j] = the sum of weight x[l][index] over list j, for each line */
static void KN(resample_along)(const kn_lists *axis, const void *x_, void *y_, ptrdiff_t lines)
{
    const R *weight = axis->weight, *x = x_;
    const int *index = axis->index, *start = axis->start;
    const ptrdiff_t size = axis->size, out = axis->out, lanes = KN_LANES;
    R *y = y_;
    for (; lines > 0; lines -= lanes, x += lanes * size, y += lanes * out) {
        V turned[KN_SQUARES * KN_VBYTES / KN_SIZE];
        ptrdiff_t kept[KN_SQUARES];
        for (int s = 0; s < KN_SQUARES; s++) kept[s] = -1;
        for (ptrdiff_t j = 0; j < out; j += lanes) {
            V v[KN_VBYTES / KN_SIZE];
            const ptrdiff_t n = out - j < lanes ? out - j : lanes;
            for (ptrdiff_t k = 0; k < n; k++) {
                V sum = {0};
                for (ptrdiff_t t = start[j + k]; t < start[j + k + 1]; t++) {
                    const ptrdiff_t i = index[t], square = i / lanes;
                    if (kept[square % KN_SQUARES] != square) {
                        KN(turn_square)(x, size, lines, square * lanes, turned + square % KN_SQUARES * lanes);
                        kept[square % KN_SQUARES] = square;
                    }
                    const V cell = turned[i % (KN_SQUARES * lanes)];
                    sum = t == start[j + k] ? weight[t] * cell : sum + weight[t] * cell;
                }
                v[k] = sum;
            }
            for (ptrdiff_t k = n; k < lanes; k++) v[k] = (V){0};
            KN(transpose)(v);
            for (ptrdiff_t r = 0; r < lanes && r < lines; r++) KN(store_first)(y + r * out + j, v[r], n);
        }
    }
}

#ifdef KN_PICKS
#define KN_PICK_CELLS (2 * KN_LANES)
#else
#define KN_PICK_CELLS 0
#endif
