/* A counter from which several threads draw numbers. */
#ifndef KN_ATOMIC_H
#define KN_ATOMIC_H
#include <stddef.h>
#ifdef _MSC_VER
#include <intrin.h>
#ifdef _WIN64
#define KN_ADD _InterlockedExchangeAdd64
typedef volatile __int64 kn_counter;
#else
#define KN_ADD _InterlockedExchangeAdd
typedef volatile long kn_counter;
#endif
#define KN_LOAD(counter) (*(kn_counter *)(counter))
#define KN_DRAW(counter) KN_ADD((kn_counter *)(counter), 1)
#else
#define KN_LOAD(counter) __atomic_load_n(counter, __ATOMIC_RELAXED)
#define KN_DRAW(counter) __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED)
#endif
/* The counter's number, which nobody else gets, or one that is not below the end. */
static inline ptrdiff_t kn_draw(ptrdiff_t *counter, ptrdiff_t end)
{
    return KN_LOAD(counter) < end ? KN_DRAW(counter) : end; /* a look doesn't take the line from the others */
}
#endif
