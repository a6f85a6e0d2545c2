// Vectors as wide as the machine's, by the vector extensions of GCC and Clang.
#include <string.h>

#if defined(__AVX512F__)
enum { VL = 16, REGISTERS = 32 };
#define EVEN_ODD(LOW, HIGH)                                            \
  LOW(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)           \
  HIGH(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#elif defined(__AVX__)
enum { VL = 8, REGISTERS = 16 };
#define EVEN_ODD(LOW, HIGH) LOW(0, 8, 1, 9, 2, 10, 3, 11) HIGH(4, 12, 5, 13, 6, 14, 7, 15)
#else
#if defined(__aarch64__)
enum { VL = 4, REGISTERS = 32 };
#else
enum { VL = 4, REGISTERS = 16 };
#endif
#define EVEN_ODD(LOW, HIGH) LOW(0, 4, 1, 5) HIGH(2, 6, 3, 7)
#endif

typedef float vf __attribute__((vector_size(4 * VL)));
typedef int32_t vi __attribute__((vector_size(4 * VL)));
typedef float unaligned __attribute__((vector_size(4 * VL), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))

#if defined(__clang__) || __GNUC__ >= 12
#define SHUFFLE(name, ...) \
  INLINE vf name(vf a, vf b) { return __builtin_shufflevector(a, b, __VA_ARGS__); }
#else
#define SHUFFLE(name, ...) \
  INLINE vf name(vf a, vf b) { return __builtin_shuffle(a, b, (vi){__VA_ARGS__}); }
#endif
#define LOW(...) SHUFFLE(lowHalves, __VA_ARGS__)
#define HIGH(...) SHUFFLE(highHalves, __VA_ARGS__)
EVEN_ODD(LOW, HIGH) // the elements of two vectors in turn: a0 b0 a1 b1 …

INLINE vf load(const float *p) { return *(const unaligned *)p; }
INLINE void store(float *p, vf x) { *(unaligned *)p = x; }
INLINE vf splat(float x) { return x - (vf){0}; }

/** The first n < VL floats, and zeros. */
INLINE vf loadPart(const float *p, int n) {
  vf x = {0};
  memcpy(&x, p, 4 * (size_t)n);
  return x;
}

INLINE void storePart(float *p, vf x, int n) { memcpy(p, &x, 4 * (size_t)n); }

/** a where the mask is set, else b. */
INLINE vf choose(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }

/** Sum of all elements, pairwise. */
INLINE float sum(vf x) {
  float lanes[VL];
  memcpy(lanes, &x, sizeof lanes);
  for (int n = VL / 2; n; n /= 2)
    for (int i = 0; i < n; i++) lanes[i] += lanes[i + n];
  return lanes[0];
}

/**
 * eˣ, relative error about 1e-7 (Cephes' expf: eˣ = 2ⁿ·eᶠ with n = round(x/ln 2), eᶠ by a polynomial). Below −87.3 it stays at 1e-38, above 88.3 at 2e38.
 * NaN stays NaN.
 */
INLINE vf expv(vf x) {
  x = choose(x > splat(88.3762626647949f), splat(88.3762626647949f), x);
  x = choose(x < splat(-87.3365478515625f), splat(-87.3365478515625f), x);
  const vf magic = splat(12582912.f); // 1.5·2²³: a float of this size has no room for a fraction, and its last bits are the whole number
  vf shifted = x * 1.44269504088896341f + magic;
  vf n = shifted - magic;
  x = x - n * 0.693359375f;
  x = x - n * -2.12194440e-4f;
  vf y = splat(1.9875691500e-4f);
  y = y * x + 1.3981999507e-3f;
  y = y * x + 8.3334519073e-3f;
  y = y * x + 4.1665795894e-2f;
  y = y * x + 1.6666665459e-1f;
  y = y * x + 5.0000001201e-1f;
  y = y * (x * x) + (x + 1.f);
  return y * (vf)(((vi)shifted - (vi)magic + 127) << 23);
}

/** σ(x) = 1/(1 + e⁻ˣ). */
INLINE vf sigmoidv(vf x) { return 1.f / (1.f + expv(-x)); }

/** tanh x = 2σ(2x) − 1. */
INLINE vf tanhv(vf x) { return 2.f * sigmoidv(x + x) - 1.f; }

// The moments of a row without gradient shrink for ever. Numbers below 2⁻¹²⁶ (denormals) cost a hundred times the time, so what is below this becomes 0.
#define TINY 1e-30f

INLINE vf flush(vf x) { return choose((x < splat(TINY)) & (x > splat(-TINY)), (vf){0}, x); }
