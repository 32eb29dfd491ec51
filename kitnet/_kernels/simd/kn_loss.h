/* Losses of single elements: for each a function of two vectors, the loss from x and the target t, and its derivative by
 * x; a and b are parameters. They run over blocks that stay in the L1 cache, where the losses are then summed, and the
 * derivatives multiplied by the gradient of the losses. */

#define KN_VALUE(kind) static inline V KN(kind##_value)(V x, V t, V a, V b)
#define KN_SLOPE(kind) static inline V KN(kind##_slope)(V x, V t, V a, V b)

KN_VALUE(mse) { return (x - t) * (x - t); }
KN_SLOPE(mse) { return 2 * (x - t); }

KN_VALUE(l1) { return KN(magnitude)(x - t); }
KN_SLOPE(l1) { return KN(sign)(x - t); }

KN_VALUE(smooth_l1)
{
    const V d = KN(magnitude)(x - t);
    return v_select(d < a, d * d * ((R)0.5 / a), d - (R)0.5 * a);
}
KN_SLOPE(smooth_l1) { return v_select(KN(magnitude)(x - t) < a, (x - t) * (1 / a), KN(sign)(x - t)); }

KN_VALUE(huber)
{
    const V d = KN(magnitude)(x - t);
    return v_select(d <= a, (R)0.5 * d * d, a * (d - (R)0.5 * a));
}
KN_SLOPE(huber) { return v_max(-a, v_min(a, x - t)); }

/* x is a probability; logarithms end at -100 */
KN_VALUE(bce) { return -(t * v_max(v_of(-100), KN(ln)(x)) + (1 - t) * v_max(v_of(-100), KN(log_rest)(x))); }
KN_SLOPE(bce) { return (x - t) / v_max(v_of((R)1e-12), (1 - x) * x); }

/* a and b: the weights of the positive and the negative. Neither sum has anything to cancel. */
KN_VALUE(bce_with_logits)
{
    const V l = KN(log1p)(v_exp(-KN(magnitude)(x)));
    return a * t * (v_max((V){0}, -x) + l) + b * (1 - t) * (v_max((V){0}, x) + l);
}
KN_SLOPE(bce_with_logits)
{
    V rest;
    const V s = KN(logistic)(x, &rest);
    return b * (1 - t) * s - a * t * rest;
}

/* Binary cross-entropy times m^b and the weight of the class, a or 1 - a (none for negative a), where m is how far the
 * probability is from t. */
static inline V KN(focal_weight)(V t, V a) { return v_select(a < 0, v_of(1), a * t + (1 - a) * (1 - t)); }
static inline V KN(focal_power)(V m, V b)
{
    return v_exp(b * v_log(v_max(v_of((R)KN_BY_TYPE(__FLT_MIN__, __DBL_MIN__)), m)));
}
KN_VALUE(focal)
{
    V rest;
    const V s = KN(logistic)(x, &rest), m = s * (1 - t) + rest * t;
    return KN(focal_weight)(t, a) * KN(bce_with_logits_value)(x, t, v_of(1), v_of(1)) * KN(focal_power)(m, b);
}
KN_SLOPE(focal)
{
    V rest;
    const V s = KN(logistic)(x, &rest), m = s * (1 - t) + rest * t;
    const V share = s * rest / v_max(v_of((R)KN_BY_TYPE(__FLT_MIN__, __DBL_MIN__)), m); /* (dm/dx) / m but for 1 - 2 t */
    const V loss = KN(bce_with_logits_value)(x, t, v_of(1), v_of(1));
    const V slope = (1 - t) * s - t * rest + b * loss * share * (1 - 2 * t);
    return KN(focal_weight)(t, a) * slope * KN(focal_power)(m, b);
}

/* t is a probability, x the logarithm of one; in kl_div_log both are logarithms. */
KN_VALUE(kl_div) { return v_select(t == 0, (V){0}, t * KN(ln)(t)) - t * x; }
KN_SLOPE(kl_div) { return -t; }

KN_VALUE(kl_div_log) { return v_exp(t) * (t - x); }
KN_SLOPE(kl_div_log) { return -v_exp(t); }

/* x is a rate (a keeps its logarithm finite), or the logarithm of one; b: 1 to add what depends on t alone, else 0 */
static inline V KN(stirling)(V t, V b)
{
    if (b[0] == 0) return (V){0};
    return v_select(t > 1, (t + (R)0.5) * KN(ln)(t) - t + (R)0.91893853320467274178 /* ln(2 pi) / 2 */, (V){0});
}
KN_VALUE(poisson) { return x - t * KN(ln)(x + a) + KN(stirling)(t, b); }
KN_SLOPE(poisson) { return 1 - t / (x + a); }

KN_VALUE(poisson_log) { return v_exp(x) - t * x + KN(stirling)(t, b); }
KN_SLOPE(poisson_log) { return v_exp(x) - t; }

/* t is 1 or -1 */
KN_VALUE(soft_margin) { return KN(softplus)(-t * x); }
KN_SLOPE(soft_margin) { return -t * KN(sigmoid)(-t * x); }

/* a: the margin; b: the power, 1 or 2 */
KN_VALUE(hinge)
{
    const V m = v_max((V){0}, a - t * x);
    return v_select(b == 2, m * m, m);
}
KN_SLOPE(hinge)
{
    const V m = a - t * x;
    return v_select(m < 0, (V){0}, -t * v_select(b == 2, 2 * m, v_of(1)));
}

KN_VALUE(hinge_embedding)
{
    return v_select(t == -1, (V){0}, x) + v_select(t == 1, (V){0}, v_max((V){0}, a - x));
}
KN_SLOPE(hinge_embedding)
{
    return v_select(t == -1, (V){0}, v_of(1)) - v_select((t == 1) | (a - x < 0), (V){0}, v_of(1));
}

#define KN_LOSS_LOOPS(kind) KN_EACH_PAIR(kind##_value) KN_EACH_PAIR(kind##_slope)
KN_LOSSES(KN_LOSS_LOOPS)

#define KN_VALUE_LOOP(kind) KN(kind##_value_loop),
#define KN_SLOPE_LOOP(kind) KN(kind##_slope_loop),
#define KN_LOSS_BLOCK 1024

static double KN(loss)(int kind, const void *x_, const void *t_, void *y_, ptrdiff_t n, double a, double b)
{
    static const KN(pair_loop) loops[] = {KN_LOSSES(KN_VALUE_LOOP)};
    const R *x = x_, *t = t_;
    double total = 0;
    for (ptrdiff_t i = 0; i < n; i += KN_LOSS_BLOCK) {
        const ptrdiff_t m = n - i < KN_LOSS_BLOCK ? n - i : KN_LOSS_BLOCK;
        R block[KN_LOSS_BLOCK], *y = y_ ? (R *)y_ + i : block;
        KN(each_pair)(loops[kind], x + i, t + i, y, m, (R)a, (R)b);
        total += KN(total)(y, m);
    }
    return total;
}

/* dy has n elements, or one for all */
static void KN(loss_backward)(int kind, const void *dy_, int one, const void *x_, const void *t_, void *dx_, ptrdiff_t n,
                              double a, double b)
{
    static const KN(pair_loop) loops[] = {KN_LOSSES(KN_SLOPE_LOOP)};
    const R *dy = dy_, *x = x_, *t = t_;
    R *dx = dx_;
    for (ptrdiff_t i = 0; i < n; i += KN_LOSS_BLOCK) {
        const ptrdiff_t m = n - i < KN_LOSS_BLOCK ? n - i : KN_LOSS_BLOCK;
        KN(each_pair)(loops[kind], x + i, t + i, dx + i, m, (R)a, (R)b);
        if (one)
            for (ptrdiff_t j = i; j < i + m; j++) dx[j] *= *dy;
        else
            for (ptrdiff_t j = i; j < i + m; j++) dx[j] *= dy[j];
    }
}
