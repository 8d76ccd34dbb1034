// CUDA twin of lrla/kernels/philox.py: the same bits, to be compiled without fused multiply-add.
// Every thread works off its blocks in a grid-stride loop; none of them talks to another.

typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

struct Words { u32 w[4]; };

// Salmon, Moraes, Dror, Shaw, SC'11: ten rounds of Philox4x32
__device__ inline Words philox(i64 position, u32 block, u32 tag, u32 k0, u32 k1) {
    u32 c0 = (u32)position, c1 = (u32)((u64)position >> 32), c2 = block, c3 = tag;
    for (int round = 0; round < 10; ++round) {
        u64 p0 = (u64)c0 * 0xD2511F53u, p1 = (u64)c2 * 0xCD9E8D57u;
        u32 n0 = (u32)(p1 >> 32) ^ c1 ^ k0, n2 = (u32)(p0 >> 32) ^ c3 ^ k1;
        c0 = n0; c1 = (u32)p1; c2 = n2; c3 = (u32)p0;
        k0 += 0x9E3779B9u; k1 += 0xBB67AE85u;
    }
    return Words{{c0, c1, c2, c3}};
}

__device__ inline void box_muller(u32 x, u32 y, float* z) {
    float f = (float)x + 0.5f;
    u32 bits = __float_as_uint(f);
    int e = (int)(bits >> 23) - 127;
    float m = __uint_as_float((bits & 0x7FFFFFu) | 0x3F800000u);
    if (m > 1.4142135f) { m = m * 0.5f; ++e; }
    float s = (m - 1.0f) / (m + 1.0f), s2 = s * s;
    float p = 0.2857143f + s2 * 0.22222222f;
    p = 0.4f + s2 * p;
    p = 0.6666667f + s2 * p;
    float log_m = s * (2.0f + s2 * p);
    float r2 = -2.0f * (log_m + (float)(e - 32) * 0.69314718f);
    float r = sqrtf(r2 > 0.0f ? r2 : 0.0f);

    u32 quadrant = (y + (1u << 29)) >> 30;
    float t = (float)(int)(y - (quadrant << 30)) * 9.31322574615478515625e-10f;  // 2^-30
    float t2 = t * t;
    p = 0.0796926f + t2 * -0.0046817541f;
    p = -0.6459641f + t2 * p;
    float sine = t * (1.5707963f + t2 * p);
    p = -0.0208634808f + t2 * 0.00091926027f;
    p = 0.2536695f + t2 * p;
    p = -1.2337006f + t2 * p;
    float cosine = 1.0f + t2 * p;
    float c = quadrant & 1 ? sine : cosine, q = quadrant & 1 ? cosine : sine;
    z[0] = r * ((quadrant + 1) & 2 ? -c : c);
    z[1] = r * (quadrant & 2 ? -q : q);
}

// Where a thread begins and how far it strides.
#define FOR_EACH(g, n)                                                    \
    for (i64 g = (i64)blockIdx.x * blockDim.x + threadIdx.x; g < (n);     \
         g += (i64)gridDim.x * blockDim.x)

extern "C" __global__ void words(i64* out, u32 k0, u32 k1, u32 tag, i64 start, i64 rows, u32 first,
                                 i64 blocks) {
    FOR_EACH(g, rows * blocks) {
        Words x = philox(start + g / blocks, first + (u32)(g % blocks), tag, k0, k1);
        for (int k = 0; k < 4; ++k) out[4 * g + k] = x.w[k];
    }
}

extern "C" __global__ void words_at(i64* out, const i64* positions, u32 k0, u32 k1, u32 tag, i64 n,
                                    u32 block) {
    FOR_EACH(g, n) {
        Words x = philox(positions[g], block, tag, k0, k1);
        for (int k = 0; k < 4; ++k) out[4 * g + k] = x.w[k];
    }
}

extern "C" __global__ void normal(float* out, u32 k0, u32 k1, u32 tag, i64 start, i64 rows,
                                  i64 count) {
    i64 blocks = (count + 3) / 4;
    FOR_EACH(g, rows * blocks) {
        i64 j = g / blocks, b = g % blocks;
        Words x = philox(start + j, (u32)b, tag, k0, k1);
        float z[4];
        box_muller(x.w[0], x.w[1], z);
        box_muller(x.w[2], x.w[3], z + 2);
        for (int k = 0; k < 4 && 4 * b + k < count; ++k) out[j * count + 4 * b + k] = z[k];
    }
}

// One thread for 8 signs, so that neighbours write neighbouring bytes.
extern "C" __global__ void sign(signed char* out, u32 k0, u32 k1, u32 tag, i64 start, i64 rows,
                                i64 count) {
    i64 octets = (count + 7) / 8;
    FOR_EACH(g, rows * octets) {
        i64 j = g / octets, i = g % octets * 8;
        Words x = philox(start + j, (u32)(i / 128), tag, k0, k1);
        u32 bits = x.w[i % 128 / 32] >> (i % 32);
        for (int k = 0; k < 8 && i + k < count; ++k) out[j * count + i + k] = 1 - 2 * (bits >> k & 1);
    }
}

extern "C" __global__ void uniform(double* out, u32 k0, u32 k1, u32 tag, i64 start, i64 rows,
                                   i64 count) {
    i64 blocks = (count + 1) / 2;
    FOR_EACH(g, rows * blocks) {
        i64 j = g / blocks, b = g % blocks;
        Words x = philox(start + j, (u32)b, tag, k0, k1);
        for (int k = 0; k < 2 && 2 * b + k < count; ++k) {
            i64 bits = ((i64)(x.w[2 * k] >> 5) << 26) + (x.w[2 * k + 1] >> 6);
            out[j * count + 2 * b + k] = (double)bits * 1.1102230246251565404e-16;  // 2^-53
        }
    }
}

extern "C" __global__ void integer(i64* out, u32 k0, u32 k1, u32 tag, i64 start, i64 rows,
                                   i64 count, i64 bound) {
    i64 blocks = (count + 3) / 4;
    FOR_EACH(g, rows * blocks) {
        i64 j = g / blocks, b = g % blocks;
        Words x = philox(start + j, (u32)b, tag, k0, k1);
        for (int k = 0; k < 4 && 4 * b + k < count; ++k)
            out[j * count + 4 * b + k] = (i64)(x.w[k] >> 1) * bound >> 31;
    }
}

extern "C" __global__ void permute(i64* out, const i64* positions, u32 k0, u32 k1, u32 tag, i64 n,
                                   i64 size, int h) {
    i64 mask = ((i64)1 << h) - 1;
    FOR_EACH(g, n) {
        i64 x = positions[g];
        do {
            i64 left = x >> h, right = x & mask;
            for (u32 round = 0; round < 4; ++round) {
                i64 mixed = left ^ (philox(right, round, tag, k0, k1).w[0] & mask);
                left = right;
                right = mixed;
            }
            x = left << h | right;
        } while (x >= size);
        out[g] = x;
    }
}
