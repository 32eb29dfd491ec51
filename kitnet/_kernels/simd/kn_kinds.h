/* The element-wise functions that the table knows by number, in order: kn_activation.h and kn_loss.h say what each is.
 * Kernels take them by name. */
#ifndef KN_KINDS_H
#define KN_KINDS_H

#define KN_ACTIVATIONS(X) \
    X(relu) X(clip) X(threshold) X(leaky_relu) X(elu) X(selu) X(gelu) X(gelu_tanh) X(silu) X(mish) X(softplus) \
    X(softsign) X(sigmoid) X(logsigmoid) X(tanh) X(hardsigmoid) X(hardswish) X(hardshrink) X(softshrink) X(tanhshrink)

#define KN_LOSSES(X) \
    X(mse) X(l1) X(smooth_l1) X(huber) X(bce) X(bce_with_logits) X(focal) X(kl_div) X(kl_div_log) X(poisson) \
    X(poisson_log) X(soft_margin) X(hinge) X(hinge_embedding)

#define KN_KIND_NAME(kind) #kind,

/* Their names, and NULL after the last one. */
static inline const char *kn_activation_name(int number)
{
    static const char *const names[] = {KN_ACTIVATIONS(KN_KIND_NAME) NULL};
    return names[number];
}

static inline const char *kn_loss_name(int number)
{
    static const char *const names[] = {KN_LOSSES(KN_KIND_NAME) NULL};
    return names[number];
}

#endif
