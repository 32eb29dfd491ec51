/* Optimizer steps: one pass over the arrays, in whole vectors. ``n`` is a multiple of their length: what does not fill
 * a vector is copied into one by the caller, so that each element goes through the same instructions, and has the same
 * bits, wherever it stands. What is the same for all elements is a constant of an inlined body. ``state`` and ``c``,
 * the coefficients, are in the order in which the kernels in reference/optim.py have them. */

#define KN_EACH_BLOCK for (ptrdiff_t i = 0; i < n; i += KN_LANES)
#define v_signum KN(signum)

/* 1, -1, or x itself where that is 0 or NaN */
static inline V KN(signum)(V x)
{
    const V one = (R)1 - (V){0};
    return v_select(x > (R)0, one, v_select(x < (R)0, -one, x));
}

KN_INLINE void KN(sgd_body)(R *param, const R *grad, R *velocity, ptrdiff_t n, const double *c, int moving,
                            int nesterov)
{
    const R scale = (R)c[0], decay = (R)c[1], momentum = (R)c[2], share = (R)c[3], rate = (R)c[4];
    KN_EACH_BLOCK {
        const V p = v_load(param + i), g = scale * v_load(grad + i) + decay * p;
        V step = g;
        if (moving) {
            step = momentum * v_load(velocity + i) + share * g;
            v_store(velocity + i, step);
        }
        v_store(param + i, p - rate * (nesterov ? g + momentum * step : step));
    }
}

static void KN(sgd)(void *param, const void *grad, void *const *state, ptrdiff_t n, const double *c)
{
    if (!state[0]) KN(sgd_body)(param, grad, NULL, n, c, 0, 0);
    else if (c[5] == 0) KN(sgd_body)(param, grad, state[0], n, c, 1, 0);
    else KN(sgd_body)(param, grad, state[0], n, c, 1, 1);
}

static void KN(asgd)(void *param_, const void *grad_, void *const *state, ptrdiff_t n, const double *c)
{
    R *param = param_, *average = state[0];
    const R *grad = grad_;
    const R scale = (R)c[0], decay = (R)c[1], keep = (R)c[2], rate = (R)c[3], weight = (R)c[4];
    const M anew = (weight - (V){0}) == (R)1;
    KN_EACH_BLOCK {
        const V old = v_load(param + i), p = keep * old - rate * (scale * v_load(grad + i) + decay * old);
        const V a = v_load(average + i);
        v_store(param + i, p);
        v_store(average + i, v_select(anew, p, a + weight * (p - a)));
    }
}

static void KN(rprop)(void *param_, const void *grad_, void *const *state, ptrdiff_t n, const double *c)
{
    R *param = param_, *previous = state[0], *size = state[1];
    const R *grad = grad_;
    const R scale = (R)c[0];
    const V one = (R)1 - (V){0}, shrink = (R)c[1] * one, grow = (R)c[2] * one;
    const V least = (R)c[3] * one, most = (R)c[4] * one;
    KN_EACH_BLOCK {
        const V g = scale * v_load(grad + i), agreement = v_signum(g) * v_load(previous + i), zero = {0};
        const V factor = v_select(agreement > (R)0, grow, v_select(agreement < (R)0, shrink, one));
        const V s = v_min(most, v_max(least, factor * v_load(size + i)));
        const V taken = v_select(agreement < (R)0, zero, g);
        v_store(size + i, s);
        v_store(previous + i, taken);
        v_store(param + i, v_load(param + i) - v_signum(taken) * s);
    }
}

static void KN(lion)(void *param_, const void *grad_, void *const *state, ptrdiff_t n, const double *c)
{
    R *param = param_, *m = state[0];
    const R *grad = grad_;
    const R scale = (R)c[0], keep = (R)c[1], rate = (R)c[4];
    const R beta1 = (R)c[2], share1 = (R)(1 - c[2]), beta2 = (R)c[3], share2 = (R)(1 - c[3]);
    KN_EACH_BLOCK {
        const V g = scale * v_load(grad + i), old = v_load(m + i);
        v_store(m + i, beta2 * old + share2 * g);
        v_store(param + i, keep * v_load(param + i) - rate * v_signum(beta1 * old + share1 * g));
    }
}

KN_INLINE void KN(adam_body)(R *param, const R *grad, R *m, R *v, R *top, ptrdiff_t n, const double *c, int capped,
                             int plain)
{
    const R scale = (R)c[0], decay = (R)c[1], keep = (R)c[2], rate = (R)c[5], boost = (R)c[6], root = (R)c[7];
    const R beta1 = (R)c[3], share1 = (R)(1 - c[3]), beta2 = (R)c[4], share2 = (R)(1 - c[4]);
    const V eps = (R)c[8] - (V){0};
    KN_EACH_BLOCK {
        const V p = v_load(param + i), g = scale * v_load(grad + i) + decay * p;
        const V first = beta1 * v_load(m + i) + share1 * g;
        V second = beta2 * v_load(v + i) + share2 * (g * g);
        v_store(m + i, first);
        v_store(v + i, second);
        if (capped) {
            second = v_max(v_load(top + i), second);
            v_store(top + i, second);
        }
        v_store(param + i, keep * p - (rate * first + boost * g) / (plain ? eps : v_root(second) * root + eps));
    }
}

static void KN(adam)(void *param, const void *grad, void *const *state, ptrdiff_t n, const double *c)
{
    if (state[2]) KN(adam_body)(param, grad, state[0], state[1], state[2], n, c, 1, 0);
    else if (c[7] != 0) KN(adam_body)(param, grad, state[0], state[1], NULL, n, c, 0, 0);
    else KN(adam_body)(param, grad, state[0], state[1], NULL, n, c, 0, 1);
}

static void KN(adamax)(void *param_, const void *grad_, void *const *state, ptrdiff_t n, const double *c)
{
    R *param = param_, *m = state[0], *u = state[1];
    const R *grad = grad_;
    const R scale = (R)c[0], decay = (R)c[1], beta1 = (R)c[2], share1 = (R)(1 - c[2]), beta2 = (R)c[3];
    const R eps = (R)c[4], rate = (R)c[5];
    KN_EACH_BLOCK {
        const V p = v_load(param + i), g = scale * v_load(grad + i) + decay * p;
        const V first = beta1 * v_load(m + i) + share1 * g;
        const V largest = v_max(beta2 * v_load(u + i), v_max(g, -g) + eps);
        v_store(m + i, first);
        v_store(u + i, largest);
        v_store(param + i, p - rate * first / largest);
    }
}

/* The first half of LAMB: ``param`` is read, and the direction is state[2]. */
static void KN(lamb)(void *param_, const void *grad_, void *const *state, ptrdiff_t n, const double *c)
{
    R *m = state[0], *v = state[1], *direction = state[2];
    const R *param = param_, *grad = grad_;
    const R scale = (R)c[0], decay = (R)c[1], rate = (R)c[4], root = (R)c[5], eps = (R)c[6];
    const R beta1 = (R)c[2], share1 = (R)(1 - c[2]), beta2 = (R)c[3], share2 = (R)(1 - c[3]);
    KN_EACH_BLOCK {
        const V g = scale * v_load(grad + i), first = beta1 * v_load(m + i) + share1 * g;
        const V second = beta2 * v_load(v + i) + share2 * (g * g);
        v_store(m + i, first);
        v_store(v + i, second);
        v_store(direction + i, rate * first / (v_root(second) * root + eps) + decay * v_load(param + i));
    }
}

KN_INLINE void KN(rmsprop_body)(R *param, const R *grad, R *square, R *mean, R *velocity, ptrdiff_t n,
                                const double *c, int centered, int moving)
{
    const R scale = (R)c[0], decay = (R)c[1], alpha = (R)c[2], share = (R)c[3], eps = (R)c[4], momentum = (R)c[5];
    const R rate = (R)c[6];
    KN_EACH_BLOCK {
        const V p = v_load(param + i), g = scale * v_load(grad + i) + decay * p, zero = {0};
        V spread = alpha * v_load(square + i) + share * (g * g);
        v_store(square + i, spread);
        if (centered) {
            const V centre = alpha * v_load(mean + i) + share * g;
            v_store(mean + i, centre);
            spread = v_max(zero, spread - centre * centre);
        }
        V step = g / (v_root(spread) + eps);
        if (moving) {
            step = momentum * v_load(velocity + i) + step;
            v_store(velocity + i, step);
        }
        v_store(param + i, p - rate * step);
    }
}

static void KN(rmsprop)(void *param, const void *grad, void *const *state, ptrdiff_t n, const double *c)
{
    if (state[1] && state[2]) KN(rmsprop_body)(param, grad, state[0], state[1], state[2], n, c, 1, 1);
    else if (state[1]) KN(rmsprop_body)(param, grad, state[0], state[1], NULL, n, c, 1, 0);
    else if (state[2]) KN(rmsprop_body)(param, grad, state[0], NULL, state[2], n, c, 0, 1);
    else KN(rmsprop_body)(param, grad, state[0], NULL, NULL, n, c, 0, 0);
}

static void KN(adadelta)(void *param_, const void *grad_, void *const *state, ptrdiff_t n, const double *c)
{
    R *param = param_, *square = state[0], *change = state[1];
    const R *grad = grad_;
    const R scale = (R)c[0], decay = (R)c[1], rho = (R)c[2], share = (R)(1 - c[2]), eps = (R)c[3], rate = (R)c[4];
    KN_EACH_BLOCK {
        const V p = v_load(param + i), g = scale * v_load(grad + i) + decay * p, before = v_load(change + i);
        const V size = rho * v_load(square + i) + share * (g * g);
        const V step = v_root((before + eps) / (size + eps)) * g;
        v_store(square + i, size);
        v_store(change + i, rho * before + share * (step * step));
        v_store(param + i, p - rate * step);
    }
}

/* average += weight (x - average) */
static void KN(average)(void *average_, const void *x_, void *const *state, ptrdiff_t n, const double *c)
{
    R *average = average_;
    const R *x = x_;
    const R weight = (R)c[0];
    (void)state;
    KN_EACH_BLOCK {
        const V a = v_load(average + i);
        v_store(average + i, a + weight * (v_load(x + i) - a));
    }
}

/* The sum of a[i] b[i], for any n, in double: four vectors of partial sums, joined in their order. */
static double KN(inner)(const void *a_, const void *b_, ptrdiff_t n)
{
    enum { LANES = KN_VBYTES / 8 };
    typedef double wide __attribute__((vector_size(KN_VBYTES)));
    typedef R narrow __attribute__((vector_size(LANES * sizeof(R)), aligned(sizeof(R)), may_alias));
    const R *a = a_, *b = b_;
    wide s[4] = {{0}, {0}, {0}, {0}};
    double sum = 0;
    ptrdiff_t i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES)
        KN_UNROLL for (int j = 0; j < 4; j++)
            s[j] += __builtin_convertvector(*(const narrow *)(a + i + j * LANES), wide) *
                    __builtin_convertvector(*(const narrow *)(b + i + j * LANES), wide);
    const union { wide v; double r[LANES]; } u = {.v = (s[0] + s[1]) + (s[2] + s[3])};
    for (int j = 0; j < LANES; j++) sum += u.r[j];
    for (; i < n; i++) sum += (double)a[i] * b[i];
    return sum;
}
