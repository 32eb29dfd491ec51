/* Rows between an image and its staged copy: in, with zeros around and every step-th element; out, with bias and
 * clipping, to every step-th element. */

#define KN_AHEAD 256

#if defined(KN_AVX512) || defined(KN_AVX2)
#define KN_SHORT (2 * KN_LANES)
/* rows_in for rows of so many vectors, step 1 or 2: what lies in the source is the same in each row, a few masks.
 * half: 2 * n <= lanes. */
static inline __attribute__((always_inline)) void KN(short_rows_in)(
    const R *src, ptrdiff_t src_step, ptrdiff_t rows, ptrdiff_t size, ptrdiff_t first, const int step, R *dst,
    ptrdiff_t dst_step, ptrdiff_t n, const int vectors, const int half)
{
    const ptrdiff_t end = (n - 1) * step + 1 < size - first ? (n - 1) * step + 1 : size - first;
    KN(lanes) inside[4];
    for (int j = 0; j < vectors * step; j++)
        inside[j] = KN(lanes_between)(-first - j * KN_LANES, end - j * KN_LANES);
    src += first;
    for (ptrdiff_t r = 0; r < rows; r++, src += src_step, dst += dst_step) {
        __builtin_prefetch(src + KN_AHEAD);
        KN_UNROLL for (int j = 0; j < vectors; j++) {
            const V v = KN(load_lanes)(src + j * step * KN_LANES, inside[j * step]);
            if (step == 1)
                v_store(dst + j * KN_LANES, v);
            else if (half)
                v_store(dst, KN(even)(v, (V){0}));
            else
                v_store(dst + j * KN_LANES,
                        KN(even)(v, KN(load_lanes)(src + (2 * j + 1) * KN_LANES, inside[2 * j + 1])));
        }
    }
}
#endif

/* dst[r][q] = src[r * src_step][first + q * step] where that index is in [0, size), else 0;  r < rows, q < n.
 * Whole vectors are written: up to a vector, less one element, behind the n-th of each row. */
static void KN(rows_in)(const void *src_, ptrdiff_t src_step, ptrdiff_t rows, ptrdiff_t size, ptrdiff_t first,
                        ptrdiff_t step, void *dst_, ptrdiff_t dst_step, ptrdiff_t n)
{
    const R *src = src_;
    R *dst = dst_;
#if defined(KN_SHORT)
    if (n <= KN_SHORT && (step == 1 || step == 2)) {
        if (step == 1 && n <= KN_LANES)
            KN(short_rows_in)(src, src_step, rows, size, first, 1, dst, dst_step, n, 1, 0);
        else if (step == 1)
            KN(short_rows_in)(src, src_step, rows, size, first, 1, dst, dst_step, n, 2, 0);
        else if (2 * n <= KN_LANES)
            KN(short_rows_in)(src, src_step, rows, size, first, 2, dst, dst_step, n, 1, 1);
        else if (n <= KN_LANES)
            KN(short_rows_in)(src, src_step, rows, size, first, 2, dst, dst_step, n, 1, 0);
        else
            KN(short_rows_in)(src, src_step, rows, size, first, 2, dst, dst_step, n, 2, 0);
        return;
    }
#endif
    /* The places [low, high) lie in the source. Divisions only at its edges. */
    ptrdiff_t low = first < 0 ? (-first + step - 1) / step : 0;
    ptrdiff_t high = first + (n - 1) * step < size ? n : first < size ? (size - first + step - 1) / step : 0;
    if (low > n) low = n;
    if (high < low) high = low;
    src += first + low * step;
    size -= first + low * step;
    /* Where rows of the source are left out, a line that far ahead may lie in one of these: whole rows ahead instead. */
    /* Rows without a stride may be a few of each plane: those behind them are of the next block of columns. */
    const ptrdiff_t far = step == 1 ? 4 * KN_AHEAD : KN_AHEAD;
    const ptrdiff_t ahead = src_step > size && src_step < far ? (far + src_step - 1) / src_step * src_step
                            : src_step > size && src_step < 4 * far ? src_step : far;
    for (ptrdiff_t r = 0; r < rows; r++, src += src_step, dst += dst_step) {
        ptrdiff_t q = 0;
        for (; q < low; q += KN_LANES) v_store(dst + q, (V){0});
        const R *from = src;
        q = low;
        if (step == 1) {
            for (; q + KN_LANES <= high; q += KN_LANES, from += KN_LANES) {
                __builtin_prefetch(from + ahead);
                v_store(dst + q, v_load(from));
            }
            if (q < high) {
                v_store(dst + q, v_load_part(from, high - q));
                q += KN_LANES;
            }
        } else if (step == 2) {
            ptrdiff_t left = size;
            for (; q < high && left >= 2 * KN_LANES; q += KN_LANES, from += 2 * KN_LANES, left -= 2 * KN_LANES) {
                __builtin_prefetch(from + ahead);
                __builtin_prefetch(from + ahead + KN_LANES);
                v_store(dst + q, KN(even)(v_load(from), v_load(from + KN_LANES)));
            }
            if (q < high) {
                __builtin_prefetch(from + ahead);
                __builtin_prefetch(from + ahead + KN_LANES);
                v_store(dst + q, KN(even)(KN(load_clamped)(from, left),
                                          KN(load_clamped)(from + KN_LANES, left - KN_LANES)));
                q += KN_LANES;
            }
        } else if (step == 4) {
            ptrdiff_t left = size;
            for (; q < high; q += KN_LANES, from += 4 * KN_LANES, left -= 4 * KN_LANES) {
                V v[4];
                __builtin_prefetch(from + ahead);
                __builtin_prefetch(from + ahead + 2 * KN_LANES);
                if (left >= 4 * KN_LANES)
                    KN_UNROLL for (int j = 0; j < 4; j++) v[j] = v_load(from + j * KN_LANES);
                else
                    KN_UNROLL for (int j = 0; j < 4; j++)
                        v[j] = KN(load_clamped)(from + j * KN_LANES, left - j * KN_LANES);
                v_store(dst + q, KN(even)(KN(even)(v[0], v[1]), KN(even)(v[2], v[3])));
            }
        } else {
            for (; q < high; q++, from += step) dst[q] = *from;
        }
        for (; q < n; q += KN_LANES) v_store(dst + q, (V){0});
    }
}

/* The first n of the even elements of a and b, and `odd` further those of the odd ones. */
static inline __attribute__((always_inline)) void KN(apart)(V a, V b, R *dst, ptrdiff_t odd, ptrdiff_t n)
{
    if (n >= KN_LANES) {
        v_store(dst, KN(even)(a, b));
        v_store(dst + odd, KN(odd)(a, b));
    } else {
        v_store_part(dst, KN(even)(a, b), n);
        v_store_part(dst + odd, KN(odd)(a, b), n);
    }
}

#if defined(KN_SHORT)
/* rows_apart for rows of so many vectors, as short_rows_in. */
static inline __attribute__((always_inline)) void KN(short_apart)(
    const R *src, ptrdiff_t src_step, ptrdiff_t rows, ptrdiff_t low, ptrdiff_t high, ptrdiff_t size, ptrdiff_t first,
    R *dst, ptrdiff_t odd, ptrdiff_t other, ptrdiff_t dst_step, ptrdiff_t n, const int vectors, const int half)
{
    KN(lanes) inside[4];
    for (int j = 0; j < 2 * vectors; j++)
        inside[j] = KN(lanes_between)(-first - j * KN_LANES, size - first - j * KN_LANES);
    const ptrdiff_t whole = rows - 2 * ((vectors * KN_LANES - n) / dst_step + 1);
    src += first;
    for (ptrdiff_t r = 0; r < rows; r++, src += src_step) {
        R *to = dst + r / 2 * dst_step + r % 2 * other;
        V v[4] = {{0}, {0}, {0}, {0}};
        if (r >= low && r < high) {
            __builtin_prefetch(src + KN_AHEAD);
            __builtin_prefetch(src + KN_AHEAD + 2 * KN_LANES);
            KN_UNROLL for (int j = 0; j < 2 * vectors - half; j++)
                v[j] = KN(load_lanes)(src + j * KN_LANES, inside[j]);
        }
        KN_UNROLL for (int j = 0; j < vectors; j++)
            KN(apart)(v[2 * j], v[2 * j + 1], to + j * KN_LANES, odd, r < whole ? KN_LANES : n - j * KN_LANES);
    }
}
#endif

/* Both phases of a stride of two, from one reading: e = src[r * src_step][first + 2 * q] goes to dst[r / 2 * dst_step +
 * r % 2 * other + q], the element behind e to the place `odd` further, zeros where that is outside of [0, size) or r of
 * [low, high);  r < rows, q < n. Whole vectors are written, but to the last rows, behind which there may be others. */
static void KN(rows_apart)(const void *src_, ptrdiff_t src_step, ptrdiff_t rows, ptrdiff_t low, ptrdiff_t high,
                           ptrdiff_t size, ptrdiff_t first, void *dst_, ptrdiff_t odd, ptrdiff_t other,
                           ptrdiff_t dst_step, ptrdiff_t n)
{
    const R *src = src_;
    R *dst = dst_;
#if defined(KN_SHORT)
    if (n <= KN_SHORT) {
        if (2 * n <= KN_LANES)
            KN(short_apart)(src, src_step, rows, low, high, size, first, dst, odd, other, dst_step, n, 1, 1);
        else if (n <= KN_LANES)
            KN(short_apart)(src, src_step, rows, low, high, size, first, dst, odd, other, dst_step, n, 1, 0);
        else
            KN(short_apart)(src, src_step, rows, low, high, size, first, dst, odd, other, dst_step, n, 2, 0);
        return;
    }
#endif
    const ptrdiff_t whole = rows - 2 * ((KN_LANES - 1) / dst_step + 1);
    const ptrdiff_t ahead = (2 * KN_AHEAD + src_step - 1) / src_step * src_step;
    for (ptrdiff_t r = 0; r < rows; r++, src += src_step) {
        R *to = dst + r / 2 * dst_step + r % 2 * other;
        const ptrdiff_t begin = r < low || r >= high ? size : 0;
        for (ptrdiff_t q = 0, at = first; q < n; q += KN_LANES, at += 2 * KN_LANES) {
            __builtin_prefetch(src + at + ahead);
            __builtin_prefetch(src + at + ahead + 64 / KN_SIZE);
            KN(apart)(KN(load_between)(src + at, begin - at, size - at),
                      KN(load_between)(src + at + KN_LANES, begin - at - KN_LANES, size - at - KN_LANES), to + q, odd,
                      r < whole ? KN_LANES : n - q);
        }
    }
}

/* v where low <= v <= high or v is NaN, else the bound that it passes. */
static inline V KN(clip)(V v, R low, R high)
{
    return v_min(high - (V){0}, v_max(low - (V){0}, v));
}

/* dst[i * step] = v[i] for i < n, a vector at most. */
static inline __attribute__((always_inline)) void KN(store_step)(R *dst, V v, ptrdiff_t step, ptrdiff_t n)
{
    if (step == 1 && n >= KN_LANES) {
        v_store(dst, v);
    } else if (step == 1) {
        v_store_part(dst, v, n);
#if defined(KN_AVX512)
    } else if (step == 2) { /* what stands between keeps its value */
        const unsigned mask = n >= KN_LANES ? ~0u : (1u << 2 * n) - 1;
        KN(store_even)(dst, KN(zip_low)(v, v), mask);
        KN(store_even)(dst + KN_LANES, KN(zip_high)(v, v), mask >> KN_LANES);
#endif
    } else {
        const union { V v; R r[KN_VBYTES / KN_SIZE]; } u = {.v = v};
        for (ptrdiff_t i = 0; i < n && i < KN_LANES; i++) dst[i * step] = u.r[i];
    }
}

/* dst[r][q * step] = clip(src[r][q] + bias + add[r][q], low, high), NaN kept;  r < rows, q < n; src and dst may be the
 * same; add is NULL, or lies as dst, with a step of 1 */
static void KN(rows_out)(const void *src_, ptrdiff_t src_step, ptrdiff_t rows, ptrdiff_t n, double bias_,
                         const void *add_, double low_, double high_, void *dst_, ptrdiff_t dst_step, ptrdiff_t step)
{
    const R *src = src_, *add = add_, bias = (R)bias_, low = (R)low_, high = (R)high_;
    R *dst = dst_;
    if (add) {
        for (ptrdiff_t r = 0; r < rows; r++, src += src_step, dst += dst_step, add += dst_step) {
            ptrdiff_t q = 0;
            for (; q + KN_LANES <= n; q += KN_LANES)
                v_store(dst + q, KN(clip)(v_load(src + q) + bias + v_load(add + q), low, high));
            if (q < n)
                v_store_part(dst + q, KN(clip)(v_load_part(src + q, n - q) + bias + v_load_part(add + q, n - q), low,
                                               high), n - q);
        }
        return;
    }
    for (ptrdiff_t r = 0; r < rows; r++, src += src_step, dst += dst_step) {
        ptrdiff_t q = 0;
        if (step == 1) {
            for (; q + KN_LANES <= n; q += KN_LANES) v_store(dst + q, KN(clip)(v_load(src + q) + bias, low, high));
            if (q < n) v_store_part(dst + q, KN(clip)(v_load_part(src + q, n - q) + bias, low, high), n - q);
        } else {
            for (; q < n; q += KN_LANES)
                KN(store_step)(dst + q * step, KN(clip)(KN(load_clamped)(src + q, n - q) + bias, low, high), step,
                               n - q);
        }
    }
}

#define KN_QUARTER (16 / KN_SIZE)    /* elements of a quarter: 16 bytes, though some vectors have but two, or one */
#define KN_QUARTERS (KN_VBYTES / 16) /* of a vector */

/* Squares of quarters, turned: after log2(elements) rounds of zipping the halves of each KN_QUARTER vectors, element j of
 * each quarter of vector i is element i of that quarter of vector j. */
static inline __attribute__((always_inline)) void KN(turn_quarters)(V v[KN_VBYTES / KN_SIZE])
{
    V t[KN_VBYTES / KN_SIZE];
    KN_UNROLL for (int round = 1; round < KN_QUARTER; round *= 2) {
        KN_UNROLL for (int i = 0; i < KN_LANES / 2; i++) {
            const int at = i / (KN_QUARTER / 2) * KN_QUARTER + i % (KN_QUARTER / 2);
            t[2 * i] = KN(quarters_low)(v[at], v[at + KN_QUARTER / 2]);
            t[2 * i + 1] = KN(quarters_high)(v[at], v[at + KN_QUARTER / 2]);
        }
        KN_UNROLL for (int i = 0; i < KN_LANES; i++) v[i] = t[i];
    }
}

/* A vector of quarters that lie `apart`. */
static inline __attribute__((always_inline)) V KN(load_quarters)(const R *p, ptrdiff_t apart)
{
#if defined(KN_AVX512)
    __m512 v = _mm512_castps128_ps512(_mm_loadu_ps((const float *)p));
    v = _mm512_mask_broadcast_f32x4(v, 0x00f0, _mm_loadu_ps((const float *)(p + apart)));
    v = _mm512_mask_broadcast_f32x4(v, 0x0f00, _mm_loadu_ps((const float *)(p + 2 * apart)));
    return (V)_mm512_mask_broadcast_f32x4(v, 0xf000, _mm_loadu_ps((const float *)(p + 3 * apart)));
#elif defined(KN_AVX2)
    const __m256 v = _mm256_castps128_ps256(_mm_loadu_ps((const float *)p));
    return (V)_mm256_insertf128_ps(v, _mm_loadu_ps((const float *)(p + apart)), 1);
#else
    (void)apart;
    return v_load(p);
#endif
}

/* A square of vectors, turned: lane j of vector i is p[j * pitch + i]. The quarters go where they belong as they are
 * loaded, which takes no shuffles. */
static inline __attribute__((always_inline)) void KN(load_turned)(const R *p, ptrdiff_t pitch,
                                                                  V v[KN_VBYTES / KN_SIZE])
{
    KN_UNROLL for (int i = 0; i < KN_LANES; i++)
        v[i] = KN(load_quarters)(p + i % KN_QUARTER * pitch + i / KN_QUARTER * KN_QUARTER, KN_QUARTER * pitch);
    KN(turn_quarters)(v);
}

/* The same of vectors in registers: lane j of vector i is lane i of vector j. */
static inline __attribute__((always_inline)) void KN(transpose)(V v[KN_VBYTES / KN_SIZE])
{
#if KN_VBYTES > 16
    typedef long long pairs __attribute__((vector_size(KN_VBYTES)));
    V t[KN_VBYTES / KN_SIZE];
    KN_UNROLL for (int round = 1; round < KN_QUARTERS; round *= 2) {
        KN_UNROLL for (int i = 0; i < KN_LANES / 2; i++) {
            const int from = i / KN_QUARTER * 2 * KN_QUARTER + i % KN_QUARTER;
            const pairs a = (pairs)v[from], b = (pairs)v[from + KN_QUARTER];
#if KN_VBYTES == 64
            t[i] = (V)__builtin_shufflevector(a, b, 0, 1, 4, 5, 8, 9, 12, 13);
            t[i + KN_LANES / 2] = (V)__builtin_shufflevector(a, b, 2, 3, 6, 7, 10, 11, 14, 15);
#else
            t[i] = (V)__builtin_shufflevector(a, b, 0, 1, 4, 5);
            t[i + KN_LANES / 2] = (V)__builtin_shufflevector(a, b, 2, 3, 6, 7);
#endif
        }
        KN_UNROLL for (int i = 0; i < KN_LANES; i++) v[i] = t[i];
    }
#endif
    KN(turn_quarters)(v);
}

/* Rows turned to columns: dst[q * step + c] = src[c * plane + first + q] where that index of the row is in [0, size) and
 * c < channels, else 0;  q < n, channels <= lanes, step >= channels. Of each vector ``step`` elements are kept: what lies
 * behind them is overwritten by the next vector, and not written at all behind the last. */
static void KN(turn)(const void *src_, ptrdiff_t plane, ptrdiff_t channels, ptrdiff_t size, ptrdiff_t first, void *dst_,
                     ptrdiff_t step, ptrdiff_t n)
{
    const R *src = (const R *)src_ + first;
    R *dst = dst_;
    const ptrdiff_t kept = step < KN_LANES ? step : KN_LANES, whole = (n - 1) * step - KN_LANES + kept;
    for (ptrdiff_t q = 0; q < n; q += KN_LANES) {
        V v[KN_VBYTES / KN_SIZE];
        if (channels == KN_LANES && first + q >= 0 && q + KN_LANES <= size - first && q + KN_LANES <= n
            && (q + KN_LANES - 1) * step <= whole) {
            KN(load_turned)(src + q, plane, v);
            KN_UNROLL for (ptrdiff_t i = 0; i < KN_LANES; i++) v_store(dst + (q + i) * step, v[i]);
            continue;
        }
        const ptrdiff_t count = n - q < KN_LANES ? n - q : KN_LANES;
        for (ptrdiff_t c = 0; c < KN_LANES; c++)
            v[c] = c < channels ? KN(load_between)(src + c * plane + q, -first - q, size - first - q) : (V){0};
        KN(transpose)(v);
        for (ptrdiff_t i = 0; i < count; i++)
            if ((q + i) * step <= whole)
                v_store(dst + (q + i) * step, v[i]);
            else
                v_store_part(dst + (q + i) * step, v[i], kept);
    }
}

/* Whether n elements are all finite: 0 * x is 0 for these alone. */
static int KN(finite)(const void *x_, ptrdiff_t n)
{
    const R *x = x_;
    V s[4] = {{0}, {0}, {0}, {0}};
    ptrdiff_t i = 0;
    for (; i + 4 * KN_LANES <= n; i += 4 * KN_LANES)
        KN_UNROLL for (int j = 0; j < 4; j++) s[j] += 0 * v_load(x + i + j * KN_LANES);
    for (; i < n; i += KN_LANES) s[0] += 0 * KN(load_clamped)(x + i, n - i);
    return v_sum((s[0] + s[1]) + (s[2] + s[3])) == 0;
}

/* The sum of n elements, in four vectors of partial sums and a fixed tree. */
static double KN(total)(const void *x_, ptrdiff_t n)
{
    const R *x = x_;
    V s[4] = {{0}, {0}, {0}, {0}};
    ptrdiff_t i = 0;
    for (; i + 4 * KN_LANES <= n; i += 4 * KN_LANES)
        KN_UNROLL for (int j = 0; j < 4; j++) s[j] += v_load(x + i + j * KN_LANES);
    for (; i + KN_LANES <= n; i += KN_LANES) s[0] += v_load(x + i);
    if (i < n) s[1] += v_load_part(x + i, n - i);
    return v_sum((s[0] + s[1]) + (s[2] + s[3]));
}
