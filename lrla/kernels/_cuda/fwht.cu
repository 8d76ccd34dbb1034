// CUDA twin of lrla/kernels/fwht.py: one, two or three stages of all transforms for every pass over
// the data. Every thread does its butterflies in registers; none of them talks to another.

typedef long long i64;

// Where a thread begins and how far it strides.
#define FOR_EACH(g, n)                                                    \
    for (i64 g = (i64)blockIdx.x * blockDim.x + threadIdx.x; g < (n);     \
         g += (i64)gridDim.x * blockDim.x)

// The stages with strides s, 2 s, ..., R s / 2; neighbouring threads touch neighbouring numbers.
template <typename T, int R> __device__ inline void pass(T* y, i64 size, i64 s) {
    FOR_EACH(g, size / R) {
        T* x = y + g / s * s * R + g % s;
        T v[R];
        for (int r = 0; r < R; ++r) v[r] = x[r * s];
        for (int h = 1; h < R; h *= 2)
            for (int r = 0; r < R; ++r)
                if (!(r & h)) {
                    T a = v[r], b = v[r + h];
                    v[r] = a + b;
                    v[r + h] = a - b;
                }
        for (int r = 0; r < R; ++r) x[r * s] = v[r];
    }
}

#define PASS(name, T, R) \
    extern "C" __global__ void name(T* y, i64 size, i64 s) { pass<T, R>(y, size, s); }

PASS(radix2_f4, float, 2)
PASS(radix4_f4, float, 4)
PASS(radix8_f4, float, 8)
PASS(radix2_f8, double, 2)
PASS(radix4_f8, double, 4)
PASS(radix8_f8, double, 8)
