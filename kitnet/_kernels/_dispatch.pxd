"""The micro-kernels of the instruction set in use: ``table.ops[0]`` for float, ``table.ops[1]`` for double."""

from libc.stdint cimport int64_t

cdef extern from "kn_grid.h" nogil:
    ctypedef struct kn_span:
        Py_ssize_t count
        Py_ssize_t tap
        Py_ssize_t at
    ctypedef struct kn_phase:
        Py_ssize_t first
        Py_ssize_t columns
        Py_ssize_t start
        Py_ssize_t taps
        Py_ssize_t tap
        Py_ssize_t place
    ctypedef struct kn_row:
        Py_ssize_t size
        Py_ssize_t out
        Py_ssize_t kernel
        Py_ssize_t stride
        Py_ssize_t pad
        Py_ssize_t dilation
        Py_ssize_t low
        Py_ssize_t high
        const Py_ssize_t* enter
        const Py_ssize_t* leave
        Py_ssize_t phases
        Py_ssize_t period
        Py_ssize_t step
        const kn_phase* phase
        const kn_span* span
        Py_ssize_t span_step
        Py_ssize_t count
        const Py_ssize_t* rows
    ctypedef struct kn_sheet:
        const kn_row* row
        const kn_span* d
        const kn_span* h
        Py_ssize_t rows
        Py_ssize_t whole
        Py_ssize_t step
        Py_ssize_t width
        Py_ssize_t height
        Py_ssize_t cells
        Py_ssize_t own
        Py_ssize_t planes
        Py_ssize_t joined
        Py_ssize_t lines
        Py_ssize_t pitch
        Py_ssize_t before
    ctypedef struct kn_pick:
        Py_ssize_t cell, cells, result, results, taps
        const void* number
        const void* weight
    ctypedef struct kn_lists:
        const int* start
        const int* index
        const void* weight
        Py_ssize_t size
        Py_ssize_t out
        const kn_pick* picks
    Py_ssize_t kn_enter(Py_ssize_t start, Py_ssize_t step, Py_ssize_t n)
    Py_ssize_t kn_gcd(Py_ssize_t a, Py_ssize_t b)

cdef extern from "kn_kinds.h" nogil:
    const char* kn_activation_name(int number)
    const char* kn_loss_name(int number)

cdef extern from "kn_table.h" nogil:
    ctypedef void (*kn_mac)(Py_ssize_t kc, const void* a, Py_ssize_t lda, const void* b, const Py_ssize_t* off,
                            void* c, Py_ssize_t ldc, int accumulate) noexcept nogil
    ctypedef void (*kn_dot)(Py_ssize_t n, const void* a, Py_ssize_t lda, const void* b, const Py_ssize_t* off,
                            void* c, Py_ssize_t ldc, Py_ssize_t cols, int accumulate) noexcept nogil

    ctypedef void (*kn_cast)(Py_ssize_t kc, const void* x, const Py_ssize_t* off, const void* w, void* c,
                             Py_ssize_t pitch, int accumulate, Py_ssize_t ahead) noexcept nogil

    ctypedef void (*kn_cast_weight)(Py_ssize_t rows, Py_ssize_t n, const void* x, const Py_ssize_t* off,
                                    Py_ssize_t gap, const void* dy, void* c, int accumulate) noexcept nogil

    ctypedef void (*kn_threes_tile)(Py_ssize_t lines, const void* x, const Py_ssize_t* off, const void* w, int before,
                                    int behind, void* c, int accumulate) noexcept nogil

    ctypedef struct kn_threes:
        Py_ssize_t rows, n, height, width, y, step, apart
        int before, behind

    Py_ssize_t KN_NOWHERE

    ctypedef struct kn_piece:
        Py_ssize_t shift[3]
        Py_ssize_t high
        Py_ssize_t wide

    ctypedef struct kn_tiles:
        Py_ssize_t[4][6] off
        Py_ssize_t[4] low
        Py_ssize_t[4] high
        Py_ssize_t strips
        Py_ssize_t tiles
        Py_ssize_t place
        Py_ssize_t woven
        Py_ssize_t down, along

    ctypedef struct kn_winograd:
        void (*source)(const void* plane, const kn_tiles* tiles, void* dst, Py_ssize_t step) noexcept nogil
        void (*filter)(const void* w, const kn_piece* piece, Py_ssize_t row, Py_ssize_t column, Py_ssize_t n,
                       void* dst, Py_ssize_t step) noexcept nogil
        void (*result)(const void* src, Py_ssize_t step, Py_ssize_t n, Py_ssize_t woven, void* dst,
                       Py_ssize_t line) noexcept nogil
        void (*source_lanes)(const void* src, Py_ssize_t line, Py_ssize_t column, Py_ssize_t tiles, void* dst,
                             Py_ssize_t step, Py_ssize_t pitch) noexcept nogil
        void (*gradient_lanes)(const void* src, Py_ssize_t line, Py_ssize_t column, Py_ssize_t tiles, void* dst,
                               Py_ssize_t step, Py_ssize_t pitch) noexcept nogil
        void (*weight)(const void* m, Py_ssize_t step, Py_ssize_t n, const kn_piece* piece, void* w,
                       Py_ssize_t apart, Py_ssize_t row) noexcept nogil

    ctypedef struct kn_plane:
        Py_ssize_t height, width, rows, columns, lines, taps, square, step_h, step_w, to_row, to_step, past
        const Py_ssize_t* base
        const Py_ssize_t* top
        const Py_ssize_t* left

    ctypedef struct kn_response:
        Py_ssize_t channels, inner, before, after
        double share, base, beta, below

    ctypedef void (*kn_update)(void* param, const void* grad, void** state, Py_ssize_t n,
                               const double* c) noexcept nogil

    ctypedef struct kn_ops:
        Py_ssize_t lanes
        Py_ssize_t pick_cells
        Py_ssize_t mac_rows
        Py_ssize_t dot_rows
        Py_ssize_t dot_cols
        Py_ssize_t* mac_vectors
        kn_mac* mac
        kn_mac* mac_half
        kn_dot* dot
        Py_ssize_t cast_rows
        kn_cast[4][15] cast
        kn_threes_tile[15] threes
        Py_ssize_t cast_weight_rows
        kn_cast_weight[4][10] cast_weight
        void (*threes_weight)(const kn_threes* g, const void* x, Py_ssize_t channels, Py_ssize_t plane,
                              const void* zeros, const void* dy, void* c, int accumulate) noexcept nogil
        void (*fetch)(const void* src, Py_ssize_t n) noexcept nogil
        void (*cast_ahead)(const void* dst, Py_ssize_t filters, Py_ssize_t plane) noexcept nogil
        void (*cast_out)(const void* c, Py_ssize_t pitch, Py_ssize_t m, Py_ssize_t filters, const void* bias,
                         const void* add, double low, double high, void* dst, Py_ssize_t plane,
                         Py_ssize_t step) noexcept nogil
        void (*rows_in)(const void* src, Py_ssize_t src_step, Py_ssize_t rows, Py_ssize_t size, Py_ssize_t first,
                        Py_ssize_t step, void* dst, Py_ssize_t dst_step, Py_ssize_t n) noexcept nogil
        void (*rows_apart)(const void* src, Py_ssize_t src_step, Py_ssize_t rows, Py_ssize_t low, Py_ssize_t high,
                           Py_ssize_t size, Py_ssize_t first, void* dst, Py_ssize_t odd, Py_ssize_t other,
                           Py_ssize_t dst_step, Py_ssize_t n) noexcept nogil
        void (*rows_out)(const void* src, Py_ssize_t src_step, Py_ssize_t rows, Py_ssize_t n, double bias,
                         const void* add, double low, double high, void* dst, Py_ssize_t dst_step,
                         Py_ssize_t step) noexcept nogil
        void (*window)(const kn_plane* g, const void* src, const void* w, double bias, double low, double high,
                       void* dst) noexcept nogil
        void (*window_pair)(const kn_plane* even, const kn_plane* odd, const void* src, const void* even_w,
                            const void* odd_w, double bias, double low, double high, void* dst) noexcept nogil
        int (*window_back)(const kn_plane** g, const void* src, const void** w, double bias, double low, double high,
                           void* dst) noexcept nogil
        double (*window_weight)(const kn_plane* g, const void* dy, Py_ssize_t dy_ahead, const void* src,
                                Py_ssize_t src_ahead, void* sums) noexcept nogil
        kn_winograd[2] winograd
        void (*turn)(const void* src, Py_ssize_t plane, Py_ssize_t channels, Py_ssize_t size, Py_ssize_t first,
                     void* dst, Py_ssize_t step, Py_ssize_t n) noexcept nogil
        int (*finite)(const void* x, Py_ssize_t n) noexcept nogil
        double (*total)(const void* x, Py_ssize_t n) noexcept nogil
        void (*activation)(int kind, const void* x, void* y, Py_ssize_t n, double a, double b) noexcept nogil
        void (*activation_backward)(int kind, const void* dy, const void* x, void* dx, Py_ssize_t n, double a,
                                    double b) noexcept nogil
        void (*prelu)(const void* x, const void* weight, void* y, Py_ssize_t rows, Py_ssize_t n) noexcept nogil
        void (*prelu_backward)(const void* dy, const void* x, const void* weight, void* dx, double* sums,
                               Py_ssize_t rows, Py_ssize_t n) noexcept nogil
        void (*glu)(const void* x, void* y, Py_ssize_t rows, Py_ssize_t n) noexcept nogil
        void (*glu_backward)(const void* dy, const void* x, void* dx, Py_ssize_t rows, Py_ssize_t n) noexcept nogil
        double (*loss)(int kind, const void* x, const void* target, void* y, Py_ssize_t n, double a,
                       double b) noexcept nogil
        void (*loss_backward)(int kind, const void* dy, bint one, const void* x, const void* target, void* dx,
                              Py_ssize_t n, double a, double b) noexcept nogil
        void (*multiply)(const void* a, const void* b, void* y, Py_ssize_t n) noexcept nogil
        void (*add)(const void* a, const void* b, void* y, Py_ssize_t n) noexcept nogil
        void (*softmax)(const void* x, void* y, Py_ssize_t rows, Py_ssize_t n) noexcept nogil
        void (*softmax_backward)(const void* dy, const void* y, void* dx, Py_ssize_t rows, Py_ssize_t n) noexcept nogil
        void (*log_softmax)(const void* x, void* y, Py_ssize_t rows, Py_ssize_t n) noexcept nogil
        void (*log_softmax_backward)(const void* dy, const void* y, void* dx, Py_ssize_t rows,
                                     Py_ssize_t n) noexcept nogil
        void (*softmax_across)(const void* x, void* y, Py_ssize_t n, Py_ssize_t inner, Py_ssize_t width,
                               bint log) noexcept nogil
        void (*softmax_across_backward)(const void* dy, const void* y, void* dx, Py_ssize_t n, Py_ssize_t inner,
                                        Py_ssize_t width, bint log) noexcept nogil
        void (*cross_entropy)(const void* x, const int64_t* target, const void* soft, const void* weight,
                              double smoothing, void* prob, void* loss, Py_ssize_t rows, Py_ssize_t n) noexcept nogil
        void (*cross_entropy_backward)(const void* dloss, const void* prob, const int64_t* target, const void* soft,
                                       const void* weight, double smoothing, void* dx, Py_ssize_t rows,
                                       Py_ssize_t n) noexcept nogil
        void (*norm_moments)(const void* x, Py_ssize_t stride, Py_ssize_t rows, Py_ssize_t n, int by_columns,
                             double* out) noexcept nogil
        void (*norm_slopes)(const void* dy, const void* x, const void* mean, Py_ssize_t stride, Py_ssize_t rows,
                            Py_ssize_t n, int by_columns, double* out) noexcept nogil
        void (*norm_apply)(const void* x, const void* coefficients, Py_ssize_t step, double low, double high, void* y,
                           Py_ssize_t stride, Py_ssize_t rows, Py_ssize_t n, int by_columns) noexcept nogil
        void (*norm_gradient)(const void* dy, const void* x, const void* coefficients, Py_ssize_t step, void* dx,
                              Py_ssize_t stride, Py_ssize_t rows, Py_ssize_t n, int by_columns) noexcept nogil
        void (*rownorm_apply)(const void* x, const void* gamma, const void* beta, double mean, double scale, void* y,
                              Py_ssize_t n) noexcept nogil
        void (*rownorm_slopes)(const void* dy, const void* x, const void* gamma, double mean, Py_ssize_t n,
                               double* out) noexcept nogil
        void (*rownorm_gradient)(const void* dy, const void* x, const void* gamma, const double* found,
                                 Py_ssize_t step, void* dx, void* dgamma, void* dbeta, Py_ssize_t n, Py_ssize_t rows,
                                 Py_ssize_t stride) noexcept nogil
        void (*response)(const kn_response* g, const void* x, void* y, Py_ssize_t width, void* memory) noexcept nogil
        void (*response_backward)(const kn_response* g, const void* dy, const void* x, void* dx, Py_ssize_t width,
                                  void* memory) noexcept nogil
        kn_update sgd, asgd, rprop, lion, adam, adamax, lamb, rmsprop, adadelta, average
        double (*inner)(const void* a, const void* b, Py_ssize_t n) noexcept nogil
        void (*max_row)(const kn_row* g, const void* frame, int absolute, const Py_ssize_t* places, void* y,
                        void* index) noexcept nogil
        void (*scatter)(const void* dy, const int* index, Py_ssize_t n, void* dx, Py_ssize_t plane) noexcept nogil
        void (*sum_row)(const kn_row* g, const void* frame, int absolute, const void* count, double scale,
                        void* y) noexcept nogil
        void (*norm_row)(const kn_row* g, const void* frame, double p, void* y) noexcept nogil
        void (*slope_row)(const kn_row* g, const void* dy, const void* y, const void* x, double p,
                          void* dx) noexcept nogil
        void (*weigh)(void* frame, const void* weight, double scale, Py_ssize_t n) noexcept nogil
        void (*planes_in)(const void* src, Py_ssize_t pitch, Py_ssize_t planes, Py_ssize_t n, Py_ssize_t ahead,
                          void* dst, Py_ssize_t step) noexcept nogil
        void (*planes_out)(const void* src, Py_ssize_t n, Py_ssize_t planes, void* dst, Py_ssize_t pitch,
                           int index) noexcept nogil
        void (*mean_rows)(const kn_sheet* s, const void* x, const void* by_row, const void* by_column, void* lines,
                          void* y) noexcept nogil
        void (*spread_rows)(const kn_sheet* s, const void* dy, const void* by_row, const void* by_column, void* lines,
                            void* dx) noexcept nogil
        void (*peak_rows)(const kn_sheet* s, const void* x, void* lines, void* y, int* index) noexcept nogil
        void (*resample_plane)(const kn_lists* h, const kn_lists* w, const void* x, void* y, Py_ssize_t first,
                               Py_ssize_t end) noexcept nogil
        void (*resample_across)(const kn_lists* axis, Py_ssize_t first, Py_ssize_t end, const void* x, Py_ssize_t base,
                                void* y, Py_ssize_t inner) noexcept nogil
        void (*resample_along)(const kn_lists* axis, const void* x, void* y, Py_ssize_t lines) noexcept nogil
        void (*fold_row)(const kn_row* g, const void* cols, Py_ssize_t apart, Py_ssize_t ahead, void* lines,
                         void* x) noexcept nogil
        void (*unfold_row)(const kn_row* g, const void* x, Py_ssize_t pitch, Py_ssize_t k, Py_ssize_t rows,
                           void* dst) noexcept nogil
        void (*im2col_row)(const kn_row* g, const void* x, Py_ssize_t channels, Py_ssize_t plane,
                           Py_ssize_t ahead, void* cols) noexcept nogil
        void (*clear)(void* dst, Py_ssize_t n) noexcept nogil

    ctypedef struct kn_table:
        const char* isa
        const kn_ops** ops

cdef extern from "kn_float.h" nogil:
    unsigned long long flush_on "kn_flush_on"()
    void flush_restore "kn_flush_restore"(unsigned long long mode)

# Every module of kernels reads this pointer anew in each call, so that the choice can be lowered for tests.
cdef const kn_table* table
