/* OpenMP's run-time functions, or what they would say without OpenMP. */
#ifndef KN_OPENMP_H
#define KN_OPENMP_H
#ifdef _OPENMP
#include <omp.h>
enum { KN_OPENMP = 1 };
#else
enum { KN_OPENMP = 0 };
static inline int omp_get_max_threads(void) { return 1; }
static inline int omp_get_thread_num(void) { return 0; }
static inline int omp_in_parallel(void) { return 0; }
#endif
#endif
