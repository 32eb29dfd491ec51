/* Rows of memory: short ones copied without a call, and those asked for that come later. */
#ifndef KN_MOVES_H
#define KN_MOVES_H
#include <stddef.h>
#include <string.h>

/* Pieces of 16 bytes, the last one over the one before; 4 and 8 bytes are the smallest that there are. */
static inline void kn_copy(char *to, const char *from, ptrdiff_t size)
{
    if (size > 512)
        memcpy(to, from, size);
    else if (size >= 16) {
        ptrdiff_t i = 0;
        for (; i <= size - 64; i += 64) memcpy(to + i, from + i, 64);
        for (; i < size - 16; i += 16) memcpy(to + i, from + i, 16);
        memcpy(to + size - 16, from + size - 16, 16);
    } else if (size >= 8) {
        memcpy(to, from, 8);
        memcpy(to + size - 8, from + size - 8, 8);
    } else
        memcpy(to, from, 4);
}

/* The prefetchers of the hardware lose their way where rows are left out. */
static inline void kn_prefetch(const char *p, ptrdiff_t size)
{
#ifdef __GNUC__
    for (ptrdiff_t i = 0; i < size; i += 64) __builtin_prefetch(p + i);
#else
    (void)p, (void)size;
#endif
}
#endif
