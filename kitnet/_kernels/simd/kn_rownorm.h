/* Normalisation of one row whose every element has a weight of its own: the passes that batch normalisation lacks.
 * The sweep over a row is that of kn_norm.h. What lies ``ahead`` of the arrays is fetched. */

static void KN(rownorm_apply)(const void *x_, const void *gamma_, const void *beta_, double mean_, double scale_,
                              void *y_, ptrdiff_t n, ptrdiff_t ahead)
{
    const R *x = x_, *gamma = gamma_, *beta = beta_;
    R *y = y_;
    const ptrdiff_t rows = 1, stride = 0;
    const V mean = KN_ZERO + (R)mean_, scale = KN_ZERO + (R)scale_;
#define KN_STEP(k, at, LOAD, STORE)                                                                                \
    {                                                                                                              \
        __builtin_prefetch(x + (at) + ahead);                                                                      \
        __builtin_prefetch(y + (at) + ahead, 1, 2);                                                                \
        const V v = (LOAD(x + (at), KN_ZERO) - mean) * scale;                                                      \
        STORE(y + (at), v * LOAD(gamma + (at), KN_ZERO) + LOAD(beta + (at), KN_ZERO));                             \
    }
    KN_SWEEP(KN_STEP)
#undef KN_STEP
}

static void KN(rownorm_slopes)(const void *dy_, const void *x_, const void *gamma_, double mean_, ptrdiff_t n,
                               double *out, ptrdiff_t ahead)
{
    const R *dy = dy_, *x = x_, *gamma = gamma_;
    const ptrdiff_t rows = 1, stride = 0;
    const V mean = KN_ZERO + (R)mean_;
    V s[4] = {KN_ZERO, KN_ZERO, KN_ZERO, KN_ZERO}, q[4] = {KN_ZERO, KN_ZERO, KN_ZERO, KN_ZERO};
#define KN_STEP(k, at, LOAD, STORE)                                                                                \
    {                                                                                                              \
        __builtin_prefetch(dy + (at) + ahead);                                                                     \
        __builtin_prefetch(x + (at) + ahead);                                                                      \
        const V g = LOAD(dy + (at), KN_ZERO) * LOAD(gamma + (at), KN_ZERO);                                        \
        s[k] += g;                                                                                                 \
        q[k] += g * (LOAD(x + (at), KN_ZERO) - mean);                                                              \
    }
    KN_SWEEP(KN_STEP)
#undef KN_STEP
    out[0] = KN_TOTAL(s);
    out[1] = KN_TOTAL(q);
}

static void KN(rownorm_gradient)(const void *dy_, const void *x_, const void *gamma_, const double *row, void *dx_,
                                 void *dgamma_, void *dbeta_, ptrdiff_t n, ptrdiff_t ahead)
{
    const R *dy = dy_, *x = x_, *gamma = gamma_;
    R *dx = dx_, *dgamma = dgamma_, *dbeta = dbeta_;
    const ptrdiff_t rows = 1, stride = 0;
    const V mean = KN_ZERO + (R)row[0], delta = KN_ZERO + (R)row[1], slope = KN_ZERO + (R)row[2];
    const V scale = KN_ZERO + (R)row[3];
#define KN_STEP(k, at, LOAD, STORE)                                                                                \
    {                                                                                                              \
        __builtin_prefetch(dy + (at) + ahead, 0, 2);                                                               \
        __builtin_prefetch(x + (at) + ahead, 0, 2);                                                                \
        __builtin_prefetch(dx + (at) + ahead, 1, 2);                                                               \
        const V g = LOAD(dy + (at), KN_ZERO), d = LOAD(x + (at), KN_ZERO) - mean;                                  \
        const V h = g * LOAD(gamma + (at), KN_ZERO) - delta;                                                       \
        STORE(dx + (at), (h + d * slope) * scale);                                                                 \
        STORE(dgamma + (at), LOAD(dgamma + (at), KN_ZERO) + g * (d * scale));                                      \
        STORE(dbeta + (at), LOAD(dbeta + (at), KN_ZERO) + g);                                                      \
    }
    KN_SWEEP(KN_STEP)
#undef KN_STEP
}
