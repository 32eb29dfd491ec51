/* Loops that apply a function of vectors to each element of one array, or of two. They run over whole vectors; the last
 * elements of an array go through the same loop on a copy, so that equal numbers give equal bits in any place. */

/* Two arrays are fetched so far ahead: the prefetchers of the hardware stop at the end of each page. */
#define KN_ONWARD (8192 / KN_SIZE)

typedef void (*KN(loop))(const R *, R *, ptrdiff_t, R, R);
typedef void (*KN(pair_loop))(const R *, const R *, R *, ptrdiff_t, R, R);

#define KN_EACH(name) \
    static void KN(name##_loop)(const R *x, R *y, ptrdiff_t n, R a, R b) \
    { \
        for (ptrdiff_t i = 0; i < n; i += KN_LANES) v_store(y + i, KN(name)(v_load(x + i), v_of(a), v_of(b))); \
    }
#define KN_EACH_PAIR(name) \
    static void KN(name##_loop)(const R *x, const R *z, R *y, ptrdiff_t n, R a, R b) \
    { \
        for (ptrdiff_t i = 0; i < n; i += KN_LANES) { \
            __builtin_prefetch(x + i + KN_ONWARD); \
            __builtin_prefetch(z + i + KN_ONWARD); \
            v_store(y + i, KN(name)(v_load(x + i), v_load(z + i), v_of(a), v_of(b))); \
        } \
    }

static void KN(each)(KN(loop) loop, const R *x, R *y, ptrdiff_t n, R a, R b)
{
    const ptrdiff_t left = n % KN_LANES, whole = n - left;
    loop(x, y, whole, a, b);
    if (left) {
        R last[KN_VBYTES / sizeof(R)];
        v_store(last, v_load_part(x + whole, left));
        loop(last, last, KN_LANES, a, b);
        v_store_part(y + whole, v_load(last), left);
    }
}

static void KN(each_pair)(KN(pair_loop) loop, const R *x, const R *z, R *y, ptrdiff_t n, R a, R b)
{
    const ptrdiff_t left = n % KN_LANES, whole = n - left;
    loop(x, z, y, whole, a, b);
    if (left) {
        R last[2][KN_VBYTES / sizeof(R)];
        v_store(last[0], v_load_part(x + whole, left));
        v_store(last[1], v_load_part(z + whole, left));
        loop(last[0], last[1], last[0], KN_LANES, a, b);
        v_store_part(y + whole, v_load(last[0]), left);
    }
}
