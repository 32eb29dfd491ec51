/* Activations: for each a function of a vector, y from x, and its gradient, dx from dy and x (or y: see below); a and b
 * are parameters. Comparisons are written so that NaN passes through. */

#define KN_FORWARD(kind) static inline V KN(kind##_forward)(V x, V a, V b)
#define KN_BACKWARD(kind) static inline V KN(kind##_backward)(V dy, V x, V a, V b)

/* These four, whose gradient is as easily told from the output, are given y instead of x. */
KN_FORWARD(relu) { return v_select(x < 0, (V){0}, x); }
KN_BACKWARD(relu) { return v_select(x <= 0, (V){0}, dy); }

KN_FORWARD(clip) { return v_select(x < a, a, v_select(x > b, b, x)); }
KN_BACKWARD(clip) { return v_select((x <= a) | (x >= b), (V){0}, dy); }

KN_FORWARD(sigmoid) { return KN(sigmoid)(x); }
KN_BACKWARD(sigmoid) { return dy * ((1 - x) * x); }

KN_FORWARD(tanh) { return KN(tanh)(x); }
KN_BACKWARD(tanh) { return dy * (1 - x * x); }

KN_FORWARD(threshold) { return v_select(x <= a, b, x); }
KN_BACKWARD(threshold) { return v_select(x <= a, (V){0}, dy); }

KN_FORWARD(leaky_relu) { return v_select(x > 0, x, a * x); }
KN_BACKWARD(leaky_relu) { return v_select(x > 0, dy, a * dy); }

/* x, or a (exp(b x) - 1) for negative x */
KN_FORWARD(elu) { return v_select(x > 0, x, a * KN(expm1)(b * x)); }
KN_BACKWARD(elu) { return v_select(x > 0, dy, dy * (a * b) * v_exp(b * x)); }

#define KN_SELU_SCALE ((R)1.0507009873554804934193349852946)
#define KN_SELU_ALPHA ((R)1.6732632423543772848170429916717)
KN_FORWARD(selu)
{
    return KN_SELU_SCALE * v_select(x > 0, x, KN_SELU_ALPHA * KN(expm1)(x));
}
KN_BACKWARD(selu)
{
    return KN_SELU_SCALE * v_select(x > 0, dy, dy * KN_SELU_ALPHA * v_exp(x));
}

KN_FORWARD(gelu)
{
    V bell;
    const V beyond = KN(normal_tail)(x, &bell) * bell;
    return x * v_select(x < 0, beyond, 1 - beyond);
}
KN_BACKWARD(gelu)
{
    V bell;
    const V tail = KN(normal_tail)(x, &bell);
    const V turn = bell * (KN(magnitude)(x) * (R)0.39894228040143267794 - tail); /* 1 / sqrt(2 pi) */
    return dy * v_select(x < 0, -turn, 1 + turn);
}

/* x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3); far out the slope of the sigmoid is 0, whatever x^2 is */
#define KN_GELU_1 ((R)1.5957691216057307117)
#define KN_GELU_3 ((R)0.071354816272600245)
KN_FORWARD(gelu_tanh)
{
    return x * KN(sigmoid)(x * (KN_GELU_1 + KN_GELU_3 * (x * x)));
}
KN_BACKWARD(gelu_tanh)
{
    const V v = v_max(v_of(-30), v_min(v_of(30), x)), square = v * v;
    V rest;
    const V s = KN(logistic)(v * (KN_GELU_1 + KN_GELU_3 * square), &rest);
    return dy * (s + (s * rest) * (v * (KN_GELU_1 + 3 * KN_GELU_3 * square)));
}

KN_FORWARD(silu) { return x / (1 + v_exp(-x)); }
KN_BACKWARD(silu)
{
    V rest;
    const V s = KN(logistic)(x, &rest);
    return dy * (s * (1 + x * rest));
}

/* x tanh(log(1 + exp(x))) is x n / d with n = (1 + exp(x))^2 - 1 and d = n + 2, both times w^2 for positive x, where
 * w = exp(-|x|). */
KN_FORWARD(mish)
{
    const V w = v_exp(-KN(magnitude)(x));
    const M negative = x < 0;
    const V n = v_select(negative, w * (w + 2), 2 * w + 1);
    return x * (n / (n + 2 * v_select(negative, v_of(1), w * w)));
}
KN_BACKWARD(mish)
{
    const V w = v_exp(-KN(magnitude)(x));
    const M negative = x < 0;
    const V n = v_select(negative, w * (w + 2), 2 * w + 1);
    const V per_d = 1 / (n + 2 * v_select(negative, v_of(1), w * w));
    const V slope = 4 * v_select(negative, w, w * w) * (1 + w) * per_d * per_d;
    return dy * (n * per_d + x * slope);
}

/* log(1 + exp(a x)) / a, and x itself where a x > b */
KN_FORWARD(softplus) { return v_select(a * x > b, x, KN(softplus)(a * x) * (1 / a)); }
KN_BACKWARD(softplus) { return v_select(a * x > b, dy, dy * KN(sigmoid)(a * x)); }

KN_FORWARD(softsign) { return x / (1 + KN(magnitude)(x)); }
KN_BACKWARD(softsign)
{
    const V d = 1 / (1 + KN(magnitude)(x));
    return dy * d * d;
}

KN_FORWARD(logsigmoid) { return -KN(softplus)(-x); }
KN_BACKWARD(logsigmoid) { return dy * KN(sigmoid)(-x); }

KN_FORWARD(hardsigmoid) { return v_max((V){0}, v_min(v_of(6), x + 3)) * (R)(1. / 6); }
KN_BACKWARD(hardsigmoid) { return v_select((x <= -3) | (x >= 3), (V){0}, dy * (R)(1. / 6)); }

KN_FORWARD(hardswish) { return x * (v_max((V){0}, v_min(v_of(6), x + 3)) * (R)(1. / 6)); }
KN_BACKWARD(hardswish)
{
    return v_select(x <= -3, (V){0}, v_select(x >= 3, dy, dy * (x * (R)(1. / 3) + (R)0.5)));
}

KN_FORWARD(hardshrink) { return v_select(KN(magnitude)(x) <= a, (V){0}, x); }
KN_BACKWARD(hardshrink) { return v_select(KN(magnitude)(x) <= a, (V){0}, dy); }

KN_FORWARD(softshrink) { return v_select(KN(magnitude)(x) <= a, (V){0}, x - KN(signed)(a, x)); }
KN_BACKWARD(softshrink) { return v_select(KN(magnitude)(x) <= a, (V){0}, dy); }

KN_FORWARD(tanhshrink) { return x - KN(tanh)(x); }
KN_BACKWARD(tanhshrink)
{
    const V y = KN(tanh)(x);
    return dy * (y * y);
}

#define KN_ACTIVATION_LOOPS(kind) KN_EACH(kind##_forward) KN_EACH_PAIR(kind##_backward)
KN_ACTIVATIONS(KN_ACTIVATION_LOOPS)

#define KN_FORWARD_LOOP(kind) KN(kind##_forward_loop),
#define KN_BACKWARD_LOOP(kind) KN(kind##_backward_loop),

static void KN(activation)(int kind, const void *x, void *y, ptrdiff_t n, double a, double b)
{
    static const KN(loop) loops[] = {KN_ACTIVATIONS(KN_FORWARD_LOOP)};
    KN(each)(loops[kind], x, y, n, (R)a, (R)b);
}

static void KN(activation_backward)(int kind, const void *dy, const void *x, void *dx, ptrdiff_t n, double a, double b)
{
    static const KN(pair_loop) loops[] = {KN_ACTIVATIONS(KN_BACKWARD_LOOP)};
    KN(each_pair)(loops[kind], dy, x, dx, n, (R)a, (R)b);
}
