// CUDA twin of lrla/kernels/sparse_sign.py. Matrices are real and in C order; the loader shows
// complex ones as pairs of columns. There are no atomics: every sum belongs to one thread, which
// forms it in the order of the rows, so that the bits are those of the host.

typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

#define FOR_EACH(g, n)                                                    \
    for (i64 g = (i64)blockIdx.x * blockDim.x + threadIdx.x; g < (n);     \
         g += (i64)gridDim.x * blockDim.x)

// words: rows x pitch, of which the first nnz of each row are used
extern "C" __global__ void table(int* out, const i64* words, i64 rows, i64 pitch, i64 nnz, i64 d) {
    FOR_EACH(g, rows * nnz) {
        i64 i = g / nnz, q = g % nnz, longer = d % nnz;
        i64 height = d / nnz + (q < longer), offset = q * (d / nnz) + (q < longer ? q : longer);
        i64 w = words[i * pitch + q], row = offset + ((w >> 1) * height >> 31);
        out[g] = (int)(w & 1 ? ~row : row);
    }
}

// One thread for each (block of rows of S, column of A): neighbours read neighbouring columns.
template <typename Sum, typename T>
__device__ void spread(Sum* sums, const T* A, const int* codes, i64 rows, i64 n, i64 nnz) {
    FOR_EACH(g, nnz * n) {
        i64 q = g / n, c = g % n;
        for (i64 i = 0; i < rows; ++i) {
            i64 t = codes[i * nnz + q];
            Sum x = (Sum)A[i * n + c];
            sums[(t < 0 ? ~t : t) * n + c] += t < 0 ? -x : x;
        }
    }
}

extern "C" __global__ void apply_f8(double* sums, const double* A, const int* codes, i64 rows,
                                    i64 n, i64 nnz) {
    spread(sums, A, codes, rows, n, nnz);
}

extern "C" __global__ void apply_f4(double* sums, const float* A, const int* codes, i64 rows,
                                    i64 n, i64 nnz) {
    spread(sums, A, codes, rows, n, nnz);
}

extern "C" __global__ void apply_f4_single(float* sums, const float* A, const int* codes, i64 rows,
                                           i64 n, i64 nnz) {
    spread(sums, A, codes, rows, n, nnz);
}

template <typename T>
__device__ void gather(T* out, const T* Y, const int* codes, i64 rows, i64 n, i64 nnz) {
    FOR_EACH(g, rows * n) {
        i64 i = g / n, c = g % n;
        T sum = 0;
        for (i64 q = 0; q < nnz; ++q) {
            i64 t = codes[i * nnz + q];
            T y = Y[(t < 0 ? ~t : t) * n + c];
            sum += t < 0 ? -y : y;
        }
        out[g] = sum;
    }
}

extern "C" __global__ void adjoint_f8(double* out, const double* Y, const int* codes, i64 rows,
                                      i64 n, i64 nnz) {
    gather(out, Y, codes, rows, n, nnz);
}

extern "C" __global__ void adjoint_f4(float* out, const float* Y, const int* codes, i64 rows,
                                      i64 n, i64 nnz) {
    gather(out, Y, codes, rows, n, nnz);
}
