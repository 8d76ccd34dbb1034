// CUDA twin of lrla/kernels/sparse_uniform.py. Matrices are real and in C order; the loader shows
// complex ones as pairs of columns, and sorts the entries of S by row. There are no atomics: every
// sum belongs to one thread, which forms it in the order of the rows of A, as the host does.

typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

#define FOR_EACH(g, n)                                                    \
    for (i64 g = (i64)blockIdx.x * blockDim.x + threadIdx.x; g < (n);     \
         g += (i64)gridDim.x * blockDim.x)

// words: rows x pitch, of which the first nnz of each row are used
extern "C" __global__ void table(int* out, const i64* words, i64 rows, i64 pitch, i64 nnz, i64 d) {
    FOR_EACH(i, rows) {
        for (i64 q = 0; q < nnz; ++q) {
            i64 last = d - nnz + q, w = words[i * pitch + q], row = (w >> 1) * (last + 1) >> 31;
            for (i64 p = 0; p < q; ++p) {
                i64 t = out[i * nnz + p];
                if ((t < 0 ? ~t : t) == row) row = last;
            }
            out[i * nnz + q] = (int)(w & 1 ? ~row : row);
        }
    }
}

// One thread for each entry of the result: neighbours read neighbouring columns. Row r of S has the
// entries order[first[r]] .. order[first[r + 1] - 1] of the flattened table.
template <typename Sum, typename T>
__device__ void collect(Sum* sums, const T* A, const int* codes, const i64* order, const i64* first,
                        i64 d, i64 n, i64 nnz) {
    FOR_EACH(g, d * n) {
        i64 r = g / n, c = g % n;
        Sum sum = 0;
        for (i64 e = first[r]; e < first[r + 1]; ++e) {
            i64 entry = order[e];
            Sum x = (Sum)A[entry / nnz * n + c];
            sum += codes[entry] < 0 ? -x : x;
        }
        sums[g] = sum;
    }
}

extern "C" __global__ void apply_f8(double* sums, const double* A, const int* codes,
                                    const i64* order, const i64* first, i64 d, i64 n, i64 nnz) {
    collect(sums, A, codes, order, first, d, n, nnz);
}

extern "C" __global__ void apply_f4(double* sums, const float* A, const int* codes,
                                    const i64* order, const i64* first, i64 d, i64 n, i64 nnz) {
    collect(sums, A, codes, order, first, d, n, nnz);
}

extern "C" __global__ void apply_f4_single(float* sums, const float* A, const int* codes,
                                           const i64* order, const i64* first, i64 d, i64 n,
                                           i64 nnz) {
    collect(sums, A, codes, order, first, d, n, nnz);
}
