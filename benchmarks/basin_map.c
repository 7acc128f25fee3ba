/* The basin map of Ackley's function under Adam as one fused loop: what this processor can do.

   Compiled by benchmarks/rivals.py with -O3 -march=native -ffast-math -fopenmp. Runs go in blocks of LANES through all
   steps, so that everything stays in the nearest memory; exp, sine and cosine are polynomials that the compiler turns
   into vector code. Numbers too small for a full mantissa are 0, as XLA has it. The rules for stopping and arriving are
   those of engine/maps.py. */

#include <math.h>
#include <stdint.h>
#include <string.h>

#define LANES 64

/* While a block runs, and no longer: the thread is the caller's, whose own numbers are to stay. */
#if defined(__x86_64__)
#include <xmmintrin.h>
#define FLUSH 0x8040u /* what comes of a computation, and what goes into it */
static inline unsigned flush_to_zero(void) {
  unsigned before = _mm_getcsr();
  _mm_setcsr(before | FLUSH);
  return before;
}
static inline void restore(unsigned before) { _mm_setcsr(before); }
#else
static inline unsigned flush_to_zero(void) { return 0; }
static inline void restore(unsigned before) { (void)before; }
#endif

static inline int finite_(float x) { /* -ffast-math takes isfinite for granted */
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return (bits & 0x7f800000u) != 0x7f800000u;
}

static inline float exp_(float x) {
  x = fmaxf(fminf(x, 88.0f), -87.0f) * 1.44269504f;
  float whole = rintf(x), part = x - whole;
  float value = 1.0f + part * (0.69314718f + part * (0.24022651f + part * (0.05550411f + part * (0.00961812f
                + part * (0.00133336f + part * 0.00015469f)))));
  int32_t power = ((int32_t)whole + 127) << 23;
  float scale;
  memcpy(&scale, &power, 4);
  return value * scale;
}

/* sine and cosine of x full turns */
static inline void turns(float x, float *sine, float *cosine) {
  float halves = rintf(2 * x), rest = x - halves / 2, s = rest * rest;
  float sign = 1 - 2 * (halves - 2 * floorf(halves / 2));
  *cosine = sign * (1.0f + s * (-19.73920855f + s * (64.93934656f + s * (-85.45356831f + s * (60.14395329f
            + s * -24.98183634f)))));
  *sine = sign * rest * (6.283185307f + s * (-41.34170212f + s * (81.60522621f + s * (-76.70428138f + s * (42.00980619f
          + s * -14.39413547f)))));
}

void basin_map(const float *starts, int count, int steps, float rate, float beta1, float beta2, float eps,
               float tolerance, const float *goals, int goal_count, float *ends, int *nearest, int *reached_at,
               int *stopped_at) {
#pragma omp parallel for schedule(dynamic, 4)
  for (int first = 0; first < count; first += LANES) {
    unsigned before = flush_to_zero();
    int lanes = count - first < LANES ? count - first : LANES;
    float x[LANES], y[LANES], mx[LANES], my[LANES], vx[LANES], vy[LANES], end_x[LANES], end_y[LANES];
    int stopped[LANES], reached[LANES], goal[LANES];
    for (int l = 0; l < LANES; l++) {
      int from = first + (l < lanes ? l : 0);
      x[l] = end_x[l] = starts[2 * from];
      y[l] = end_y[l] = starts[2 * from + 1];
      mx[l] = my[l] = vx[l] = vy[l] = 0;
      stopped[l] = reached[l] = goal[l] = -1;
    }
    float power1 = 1, power2 = 1;
    for (int i = 0; i <= steps; i++) {
      power1 *= beta1;
      power2 *= beta2;
      float correct1 = 1 / (1 - power1), correct2 = 1 / (1 - power2);
      for (int g = 0; g < goal_count; g++) {
        float goal_x = goals[2 * g], goal_y = goals[2 * g + 1];
#pragma omp simd
        for (int l = 0; l < LANES; l++) {
          int arrives = (reached[l] < 0) & (stopped[l] < 0) & (fabsf(x[l] - goal_x) < tolerance)
                        & (fabsf(y[l] - goal_y) < tolerance);
          reached[l] = arrives ? i : reached[l];
          goal[l] = arrives ? g : goal[l];
        }
      }
#pragma omp simd
      for (int l = 0; l < LANES; l++) {
        float sx, cx, sy, cy;
        turns(x[l], &sx, &cx);
        turns(y[l], &sy, &cy);
        float square = 0.5f * (x[l] * x[l] + y[l] * y[l]);
        float inverse = 1 / sqrtf(fmaxf(square, 1e-30f));
        float funnel = exp_(-0.2f * square * inverse), dents = exp_(0.5f * (cx + cy));
        float value = 22.71828183f - 20 * funnel - dents;
        float steep = 2 * funnel * inverse, wave = 3.14159265f * dents;
        float gx = steep * x[l] + wave * sx, gy = steep * y[l] + wave * sy;
        int going = (stopped[l] < 0) & finite_(value + x[l] + y[l] + gx + gy);
        stopped[l] = going | (stopped[l] >= 0) ? stopped[l] : i;
        end_x[l] = going ? x[l] : end_x[l];
        end_y[l] = going ? y[l] : end_y[l];
        mx[l] = beta1 * mx[l] + (1 - beta1) * gx;
        my[l] = beta1 * my[l] + (1 - beta1) * gy;
        vx[l] = beta2 * vx[l] + (1 - beta2) * gx * gx;
        vy[l] = beta2 * vy[l] + (1 - beta2) * gy * gy;
        x[l] -= rate * correct1 * mx[l] / (sqrtf(correct2 * vx[l]) + eps);
        y[l] -= rate * correct1 * my[l] / (sqrtf(correct2 * vy[l]) + eps);
      }
    }
    for (int l = 0; l < lanes; l++) {
      ends[2 * (first + l)] = end_x[l];
      ends[2 * (first + l) + 1] = end_y[l];
      nearest[first + l] = goal[l];
      reached_at[first + l] = reached[l];
      stopped_at[first + l] = stopped[l];
    }
    restore(before);
  }
}
