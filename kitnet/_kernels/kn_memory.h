/* Aligned memory from the system; large blocks on huge pages where the system has them. */
#ifndef KN_MEMORY_H
#define KN_MEMORY_H
#include <stddef.h>
#include <stdlib.h>
#ifdef _WIN32
#include <malloc.h>
static inline void *kn_allocate(size_t size) { return _aligned_malloc(size, 64); }
static inline void kn_free(void *p) { _aligned_free(p); }
#else
#ifdef __linux__
#include <sys/mman.h>
#endif
static inline void *kn_allocate(size_t size)
{
    void *p = NULL;
    const size_t huge = (size_t)1 << 21;
    if (posix_memalign(&p, size >= 2 * huge ? huge : 64, size)) return NULL;
#ifdef MADV_HUGEPAGE
    if (size >= 2 * huge) madvise(p, size, MADV_HUGEPAGE);
#endif
    return p;
}
static inline void kn_free(void *p) { free(p); }
#endif
#endif
