/* Mathematics for libopus on wasm32: one instruction where wasm has it, else the crate libm. */
#ifndef SIDETONE_MATH_H
#define SIDETONE_MATH_H

#define M_PI 3.14159265358979323846
#define HUGE_VAL (__builtin_huge_val())
#define isnan(x) __builtin_isnan(x)
#define isinf(x) __builtin_isinf(x)
#define INFINITY __builtin_inff()
#define NAN __builtin_nanf("")

double acos(double);
double atan(double);
double atan2(double, double);
double cos(double);
float cosf(float);
double exp(double);
double log(double);
double log10(double);
double pow(double, double);
double sin(double);
float sinf(float);

static inline double fabs(double x) { return __builtin_fabs(x); }
static inline float fabsf(float x) { return __builtin_fabsf(x); }
static inline double floor(double x) { return __builtin_floor(x); }
static inline float floorf(float x) { return __builtin_floorf(x); }
static inline double ceil(double x) { return __builtin_ceil(x); }
static inline double sqrt(double x) { return __builtin_sqrt(x); }
static inline float sqrtf(float x) { return __builtin_sqrtf(x); }

/* Round half to even, as SSE's cvtss2si does. Out of range saturates (cvtss2si: INT_MIN). */
static inline long lrintf(float x) { return __builtin_wasm_trunc_saturate_s_i32_f32(__builtin_nearbyintf(x)); }
static inline long lrint(double x) { return __builtin_wasm_trunc_saturate_s_i32_f64(__builtin_nearbyint(x)); }

#endif
