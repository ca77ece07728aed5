/* Makes a picture smaller by the mean of what each new pixel covers; medimg/detect/shrink.py says what it gives.
 * Rows first, a few thousand samples at a time so that they stay in the nearest cache. C99 with GCC's vectors.
 */
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__)
#define QUICK __attribute__((optimize("O3"), target_clones("avx2", "default")))
#else
#define QUICK
#endif

#define CHANNELS 3
#define PART 4096

typedef float four __attribute__((vector_size(16)));

/* Weighted sum of rows. */
QUICK static void rows(const uint8_t *from, int64_t samples, int64_t stride, const float *weights, int64_t count,
                       float *out)
{
    for (int64_t start = 0; start < samples; start += PART) {
        int64_t n = samples - start < PART ? samples - start : PART;
        float *restrict sum = out + start;
        for (int64_t i = 0; i < n; i++)
            sum[i] = 0.0f;
        for (int64_t k = 0; k < count; k++) {
            const uint8_t *restrict row = from + k * stride + start;
            float weight = weights[k];
            for (int64_t i = 0; i < n; i++)
                sum[i] += weight * (float)row[i];
        }
    }
}

/* Weighted sums of pixels along a row; ``out`` has room for one sample more. */
QUICK static void along(const float *row, const int32_t *first, const float *weights, int64_t most, int64_t width,
                        float *out)
{
    for (int64_t x = 0; x < width; x++) {
        const float *at = row + CHANNELS * (int64_t)first[x];
        four sum = {0.0f, 0.0f, 0.0f, 0.0f}, pixel;
        for (int64_t k = 0; k < most; k++) {
            memcpy(&pixel, at + CHANNELS * k, sizeof pixel);
            sum += weights[x * most + k] * pixel;
        }
        memcpy(out + CHANNELS * x, &sum, sizeof sum);
    }
}

QUICK static void rounded(const float *from, int64_t samples, uint8_t *to)
{
    for (int64_t i = 0; i < samples; i++) {
        float near = from[i] + 12582912.0f;       /* 1.5 * 2^23: the last bits are now the nearest whole number */
        uint32_t bits;
        memcpy(&bits, &near, sizeof bits);
        to[i] = (uint8_t)bits;
    }
}

/* first, weights: for each new row (column) the first old one it covers and the shares of ``most`` from there on; the
 * table must keep first + most within the picture. work: 3 * (width + new_width) + 8 floats.
 */
void medimg_shrink(const uint8_t *from, int64_t width, int64_t stride, uint8_t *to, int64_t new_width,
                   int64_t new_height, const int32_t *row_first, const float *row_weights, int64_t row_most,
                   const int32_t *first, const float *weights, int64_t most, float *work)
{
    float *sums = work, *line = work + CHANNELS * width + 4;
    for (int64_t y = 0; y < new_height; y++) {
        rows(from + row_first[y] * stride, CHANNELS * width, stride, row_weights + y * row_most, row_most, sums);
        along(sums, first, weights, most, new_width, line);
        rounded(line, CHANNELS * new_width, to + y * CHANNELS * new_width);
    }
}
