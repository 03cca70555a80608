/* libopus's own functions under the names that tests and timings give them, and random input for both. */
#ifndef SIDETONE_REFERENCE_H
#define SIDETONE_REFERENCE_H

#include "celt_lpc.h"
#include "kiss_fft.h"
#include "main.h"
#include "main_FLP.h"
#include "mdct.h"
#include "modes.h"
#include "pitch.h"
#include "range_decoder.h"
#include "range_encoder.h"
#include "resampler_private.h"
#include "vq.h"
#undef ec_dec_icdf
#undef ec_enc_icdf

typedef void nsq(const silk_encoder_state *, silk_nsq_state *, SideInfoIndices *, const opus_int16 *, opus_int8 *,
                 const opus_int16 *, const opus_int16 *, const opus_int16 *, const opus_int *, const opus_int *,
                 const opus_int32 *, const opus_int32 *, const opus_int *, const opus_int, const opus_int);
nsq ref_silk_NSQ_c, ref_silk_NSQ_del_dec_c;
opus_int32 ref_silk_NLSF_del_dec_quant(opus_int8 *, const opus_int16 *, const opus_int16 *, const opus_uint8 *,
                                       const opus_int16 *, const opus_uint8 *, const opus_int, const opus_int16,
                                       const opus_int32, const opus_int16);
void ref_silk_decode_core(silk_decoder_state *, silk_decoder_control *, opus_int16 *, const opus_int16 *, int);
void ref_silk_LPC_analysis_filter(opus_int16 *, const opus_int16 *, const opus_int16 *, opus_int32, opus_int32, int);
void ref_silk_resampler_private_down_FIR(void *, opus_int16 *, const opus_int16 *, opus_int32);
void ref_silk_resampler_private_IIR_FIR(void *, opus_int16 *, const opus_int16 *, opus_int32);
void ref_silk_resampler_private_up2_HQ_wrapper(void *, opus_int16 *, const opus_int16 *, opus_int32);
void ref_clt_mdct_forward_c(const mdct_lookup *, float *, float *, const float *, int, int, int, int);
void ref_clt_mdct_backward_c(const mdct_lookup *, float *, float *, const float *, int, int, int, int);
void ref_opus_fft_impl(const kiss_fft_state *, kiss_fft_cpx *);
double ref_silk_inner_product_FLP_c(const silk_float *, const silk_float *, opus_int);
double ref_silk_energy_FLP(const silk_float *, opus_int);
void ref_silk_autocorrelation_FLP(silk_float *, const silk_float *, opus_int, opus_int, int);
void ref_silk_warped_autocorrelation_FLP(silk_float *, const silk_float *, silk_float, opus_int, opus_int);
silk_float ref_silk_burg_modified_FLP(silk_float *, const silk_float *, silk_float, opus_int, opus_int, opus_int, int);

void ref_silk_LPC_analysis_filter_FLP(silk_float *, const silk_float *, const silk_float *, const opus_int, const opus_int);
void ref_silk_NLSF_VQ(opus_int32 *, const opus_int16 *, const opus_uint8 *, const opus_int16 *, const opus_int, const opus_int);
void ref_silk_k2a_FLP(silk_float *, const silk_float *, opus_int32);
void ref_silk_LTP_analysis_filter_FLP(silk_float *, const silk_float *, const silk_float *, const opus_int *,
                                      const silk_float *, const opus_int, const opus_int, const opus_int);
silk_float ref_silk_schur_FLP(silk_float *, const silk_float *, opus_int);

static int differ(const void *a, const void *b, int n) { return memcmp(a, b, n) != 0; }

static opus_uint32 state;
static opus_uint32 bits(void) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}
static int below(int n) { return (int)(bits() % (opus_uint32)n); }
static int between(int low, int high) { return low + below(high - low + 1); }

/* Pitch lags of 2 to 18 ms; within a frame they differ little. */
static int near_lag(int lag, int fs_kHz) {
    lag += between(-4, 4);
    return silk_LIMIT(lag, 2 * fs_kHz, 18 * fs_kHz);
}

/* How large the numbers of this run are: small, as in speech, or as large as they can be. */
static int size;
static void seed_numbers(opus_uint32 seed) {
    state = seed * 2654435761u + 1;
    for (int i = 0; i < 8; i++) bits();
    size = below(3);
}
static opus_int32 number(int width) {
    int shift = 32 - width;
    opus_int32 x = (opus_int32)bits() >> shift;
    return size == 0 ? x >> width / 3 : size == 1 ? x >> 2 : below(4) ? x : (x < 0 ? -1 - ((1 << (width - 2)) * 2 - 1) : (1 << (width - 2)) * 2 - 1);
}
static void fill16(opus_int16 *x, int n) { for (int i = 0; i < n; i++) x[i] = (opus_int16)number(16); }
static void fill32(opus_int32 *x, int n, int width) { for (int i = 0; i < n; i++) x[i] = number(width); }
static void fill(float *x, int n) { for (int i = 0; i < n; i++) x[i] = number(16) * (size == 0 ? 1e-3f : 1); }

#endif
