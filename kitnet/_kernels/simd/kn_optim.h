/* Optimizer steps: one pass over the parameters, plain loops that the compiler vectorises; the tests of flags move
 * out of the loops. */

static void KN(sgd)(void *param_, const void *grad_, void *velocity_, ptrdiff_t n, const kn_sgd *c)
{
    R *restrict param = param_, *restrict velocity = velocity_;
    const R *restrict grad = grad_;
    const R lr = (R)c->lr, momentum = (R)c->momentum, share = (R)(1 - c->dampening), decay = (R)c->weight_decay;
    if (c->momentum == 0) {
        for (ptrdiff_t i = 0; i < n; i++) param[i] -= lr * (grad[i] + decay * param[i]);
        return;
    }
    const int nesterov = c->nesterov;
    for (ptrdiff_t i = 0; i < n; i++) {
        const R g = grad[i] + decay * param[i];
        const R v = momentum * velocity[i] + share * g;
        velocity[i] = v;
        param[i] -= lr * (nesterov ? g + momentum * v : v);
    }
}

#if KN_SIZE == 4
#define KN_SQRT __builtin_sqrtf
#else
#define KN_SQRT __builtin_sqrt
#endif

static void KN(adam)(void *param_, const void *grad_, void *m_, void *v_, ptrdiff_t n, const kn_adam *c)
{
    R *restrict param = param_, *restrict m = m_, *restrict v = v_;
    const R *restrict grad = grad_;
    const R beta1 = (R)c->beta1, share1 = (R)(1 - c->beta1), beta2 = (R)c->beta2, share2 = (R)(1 - c->beta2);
    const R rate = (R)(c->lr / c->correction1), root = (R)(1 / __builtin_sqrt(c->correction2)), eps = (R)c->eps;
    const R decay = (R)c->weight_decay, keep = (R)(c->decoupled ? 1 - c->lr * c->weight_decay : 1);
    const int coupled = !c->decoupled;
    for (ptrdiff_t i = 0; i < n; i++) {
        const R g = coupled ? grad[i] + decay * param[i] : grad[i];
        m[i] = beta1 * m[i] + share1 * g;
        v[i] = beta2 * v[i] + share2 * (g * g);
        param[i] = keep * param[i] - rate * m[i] / (KN_SQRT(v[i]) * root + eps);
    }
}
