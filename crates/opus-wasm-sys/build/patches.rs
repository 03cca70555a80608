//! Places in libopus's own files that are written anew for this target, where a whole file in `simd128/` would say too
//! little that is ours.
//!
//! Each is a text of libopus that must occur exactly once: the build fails where libopus is another.

use std::fs;
use std::path::{Path, PathBuf};

/// Loops that are unrolled: the file, and how many times which. Each turn of a loop costs a look at the deadline, and
/// with it the engine moves what the loop keeps in registers through memory. (Unrolling everything is slower: there are
/// loops whose turns are few, and code that does not fit the caches.)
const UNROLLED: &[(&str, &[(u32, &str)])] = &[
    ("celt/celt_encoder.c", &[(8, "      for (i=12;i<len2-5;i+=4)")]),
    (
        "celt/rate.c",
        &[
            (2, "   for (j=end;j-->start;)\n   {"),
            (2, "   for (j=start;j<codedBands;j++)\n      bits[j] +="),
            (2, "   for (j=start;j<codedBands;j++)\n   {\n      int tmp ="),
            (2, "   for (j=start;j<end;j++)\n   {\n      /* Below this"),
            (2, "      for (j=end;j-->start;)\n      {\n         int bitsj;"),
            (2, "   for (j=start;j<end;j++)\n   {\n      int bits1j, bits2j;"),
        ],
    ),
    ("silk/float/apply_sine_window_FLP.c", &[(8, "    for( k = 0; k < length; k += 4 ) {")]),
    (
        "silk/float/wrappers_FLP.c",
        &[(8, "    for( i = 0; i < psEnc->sCmn.frame_length; i++ ) {\n        x16[ i ] = silk_float2int( x[ i ] );")],
    ),
    (
        "src/opus_encoder.c",
        &[
            (8, "      for (i=0;i<len;i++)\n      {\n         opus_val32 x, y;\n         x = in[i];"),
            (
                5,
                "       for (i=0;i<overlap;i++)\n       {\n          opus_val16 g, w;\n          w = COEF2VAL16(window[i*inc]);\n          w = MULT16_16_Q15(w, w);\n          g = SHR32(MAC16_16(MULT16_16(w,g2),\n                Q15ONE-w, g1), 15);\n          out[i] =",
            ),
        ],
    ),
    (
        "celt/bands.c",
        &[
            (4, "      for (j=0;j<N0;j++)\n      {\n         opus_val32 tmp1, tmp2;"),
            (4, "      for (i=0;i<end;i++)\n      {\n         opus_val32 sum;\n         sum = 1e-27f"),
            (4, "      for (i=0;i<end;i++)\n      {\n         int j;\n         opus_val16 g = 1.f/"),
        ],
    ),
    (
        "silk/NLSF_decode.c",
        &[
            (16, "    for( i = order-1; i >= 0; i-- ) {"),
            (16, "    for( i = 0; i < psNLSF_CB->order; i++ ) {\n        NLSF_Q15_tmp"),
        ],
    ),
    ("silk/decode_pulses.c", &[(4, "    for( i = 0; i < iter; i++ ) {\n        if( sum_pulses[ i ] > 0 ) {")]),
    ("silk/NLSF_unpack.c", &[(8, "    for( i = 0; i < psNLSF_CB->order; i += 2 ) {")]),
    (
        "silk/NLSF2A.c",
        &[
            (8, "    for( k = 0; k < d; k++ ) {\n        silk_assert( NLSF[k] >= 0 );"),
            (8, "    for( k = 0; k < dd; k++ ) {\n        Ptmp ="),
        ],
    ),
    ("silk/resampler_down2.c", &[(8, "    for( k = 0; k < len2; k++ ) {")]),
    ("silk/ana_filt_bank_1.c", &[(8, "    for( k = 0; k < N2; k++ ) {")]),
    ("silk/resampler_private_AR2.c", &[(16, "    for( k = 0; k < len; k++ ) {")]),
    ("silk/LPC_inv_pred_gain.c", &[(4, "        for( n = 0; n < (k + 1) >> 1; n++ ) {")]),
    ("silk/VQ_WMat_EC.c", &[(4, "    for( k = 0; k < L; k++ ) {")]),
    ("silk/float/bwexpander_FLP.c", &[(4, "    for( i = 0; i < d - 1; i++ ) {")]),
    ("silk/float/sort_FLP.c", &[(4, "    for( i = K; i < L; i++ ) {")]),
    ("silk/VAD.c", &[(13, "    for( i = decimated_framelength - 1; i > 0; i-- ) {")]),
    ("celt/cwrs.c", &[(8, "  do{\n    j--;\n    i+=CELT_PVQ_U(_n-j,k);")]),
    (
        "silk/float/pitch_analysis_core_FLP.c",
        &[
            (16, "    for( i = frame_length_4kHz - 1; i > 0; i-- ) {"),
            (8, "        for( d = min_lag_4kHz + 1; d <= max_lag_4kHz; d++ ) {"),
            (8, "    for( i = max_lag_4kHz; i >= min_lag_4kHz; i-- ) {"),
            (4, "            for( j = 0; j < nb_cbk_search; j++ ) {\n                cross_corr = 0.0;"),
            (4, "        for( i = 1; i < lag_diff; i++ ) {\n            /* remove part outside new window */"),
            (
                4,
                "        for( i = 0; i < nb_cbk_search; i++ ) {\n            /* Fill out the 3 dim array that stores the correlations for */",
            ),
            (
                4,
                "        for( i = 0; i < nb_cbk_search; i++ ) {\n            /* Fill out the 3 dim array that stores the correlations for    */",
            ),
        ],
    ),
    (
        "src/analysis.c",
        &[
            (4, "       for (i=tbands[b];i<tbands[b+1];i++)\n"),
            (4, "       for (i=band_start;i<band_end;i++)\n"),
            (18, "          for (k=0;k<NB_TBANDS;k++)\n          {\n             float tmp;"),
        ],
    ),
];

/// At the end of CELT's encoder and of its decoder, for one channel.
const BANDS_REMEMBERED: (&str, &str) = (
    "      for (i=0;i<start;i++)
      {
         oldBandE[c*nbEBands+i]=0;
         oldLogE[c*nbEBands+i]=oldLogE2[c*nbEBands+i]=-GCONST(28.f);
      }
      for (i=end;i<nbEBands;i++)
      {
         oldBandE[c*nbEBands+i]=0;
         oldLogE[c*nbEBands+i]=oldLogE2[c*nbEBands+i]=-GCONST(28.f);
      }",
    "      sidetone_remember(oldBandE+c*nbEBands, oldLogE+c*nbEBands, oldLogE2+c*nbEBands, nbEBands, start, end, isTransient);",
);

/// Texts that are replaced: the file, theirs, ours. What they call is in `simd128/`.
const REWRITTEN: &[(&str, &[(&str, &str)])] = &[
    // For `range_decoder.h`, which the decoder of SILK's pulses uses.
    (
        "celt/entdec.c",
        &[
            (
                "int ec_dec_icdf(ec_dec *_this,const unsigned char *_icdf,unsigned _ftb){
  opus_uint32 r;
  opus_uint32 d;
  opus_uint32 s;
  opus_uint32 t;
  int         ret;
  s=_this->rng;
  d=_this->val;
  r=s>>_ftb;
  ret=-1;
",
                "int ec_dec_icdf(ec_dec *_this,const unsigned char *_icdf,unsigned _ftb){
  opus_uint32 r;
  opus_uint32 d;
  opus_uint32 s;
  opus_uint32 t;
  int         ret;
  s=_this->rng;
  d=_this->val;
  r=s>>_ftb;
  ret=-1;
  SIDETONE_UNROLL(4)
",
            ),
            (
                "    do{
      window|=(ec_window)ec_read_byte_from_end(_this)<<available;
      available+=EC_SYM_BITS;
    }
    while(available<=EC_WINDOW_SIZE-EC_SYM_BITS);",
                "    for(int i=0;i<EC_WINDOW_SIZE/EC_SYM_BITS&&available<=EC_WINDOW_SIZE-EC_SYM_BITS;i++){
      window|=(ec_window)ec_read_byte_from_end(_this)<<available;
      available+=EC_SYM_BITS;
    }",
            ),
            // Called for each number of CELT's: a call is a look.
            ("void ec_dec_update(ec_dec *_this,", "__attribute__((always_inline)) void ec_dec_update(ec_dec *_this,"),
            // One byte most often: only a second is a turn of a loop.
            (
                "static void ec_dec_normalize(ec_dec *_this){
  /*If the range is too small, rescale it and input some bits.*/
  while(_this->rng<=EC_CODE_BOT){",
                "static OPUS_INLINE void sidetone_dec_byte(ec_dec *_this){
  {",
            ),
            (
                "    _this->val=((_this->val<<EC_SYM_BITS)+(EC_SYM_MAX&~sym))&(EC_CODE_TOP-1);
  }
}",
                "    _this->val=((_this->val<<EC_SYM_BITS)+(EC_SYM_MAX&~sym))&(EC_CODE_TOP-1);
  }
}

void ec_dec_normalize(ec_dec *_this){
  if(_this->rng<=EC_CODE_BOT){
    sidetone_dec_byte(_this);
    while(_this->rng<=EC_CODE_BOT)sidetone_dec_byte(_this);
  }
}",
            ),
        ],
    ),
    (
        "silk/code_signs.c",
        &[
            ("#include \"main.h\"", "#include \"main.h\"\n#include \"range_decoder.h\"\n#include \"range_encoder.h\""),
            (
                "            for( j = 0; j < SHELL_CODEC_FRAME_LENGTH; j++ ) {
                if( q_ptr[ j ] > 0 ) {
                    /* attach sign */
#if 0
                    /* conditional implementation */
                    if( ec_dec_icdf( psRangeDec, icdf, 8 ) == 0 ) {
                        q_ptr[ j ] = -q_ptr[ j ];
                    }
#else
                    /* implementation with shift, subtraction, multiplication */
                    q_ptr[ j ] *= silk_dec_map( ec_dec_icdf( psRangeDec, icdf, 8 ) );
#endif
                }
            }",
                "            sidetone_dec_signs( psRangeDec, q_ptr, icdf[ 0 ] );",
            ),
            (
                "            for( j = 0; j < SHELL_CODEC_FRAME_LENGTH; j++ ) {
                if( q_ptr[ j ] != 0 ) {
                    ec_enc_icdf( psRangeEnc, silk_enc_map( q_ptr[ j ]), icdf, 8 );
                }
            }",
                "            sidetone_enc_signs( psRangeEnc, q_ptr, icdf[ 0 ] );",
            ),
        ],
    ),
    (
        "silk/decode_pulses.c",
        &[
            ("#include \"main.h\"", "#include \"main.h\"\n#include \"range_decoder.h\""),
            // Rarely has a block lower bits.
            (
                "    cdf_ptr = silk_pulses_per_block_iCDF[",
                "    opus_int shifted = 0;\n    cdf_ptr = silk_pulses_per_block_iCDF[",
            ),
            (
                "                    silk_pulses_per_block_iCDF[ N_RATE_LEVELS - 1] + ( nLshifts[ i ] == 10 ), 8 );
        }",
                "                    silk_pulses_per_block_iCDF[ N_RATE_LEVELS - 1] + ( nLshifts[ i ] == 10 ), 8 );
        }
        shifted |= nLshifts[ i ];",
            ),
            (
                "    for( i = 0; i < iter; i++ ) {
        if( nLshifts[ i ] > 0 ) {",
                "    for( i = shifted ? 0 : iter; i < iter; i++ ) {
        if( nLshifts[ i ] > 0 ) {",
            ),
        ],
    ),
    (
        "silk/NLSF2A.c",
        &[
            ("#include \"SigProc_FIX.h\"", "#include \"SigProc_FIX.h\"\n#include \"polynomials.h\""),
            (
                "    silk_NLSF2A_find_poly( P, &cos_LSF_QA[ 0 ], dd );
    silk_NLSF2A_find_poly( Q, &cos_LSF_QA[ 1 ], dd );",
                "    sidetone_find_polynomials( P, Q, cos_LSF_QA, dd );",
            ),
        ],
    ),
    (
        "silk/A2NLSF.c",
        &[
            ("#include \"SigProc_FIX.h\"", "#include \"SigProc_FIX.h\"\n#include \"polynomials.h\""),
            (
                "    opus_int k;

    /* Convert filter coefs to even and odd polynomials */
    P[dd] = silk_LSHIFT( 1, 16 );
    Q[dd] = silk_LSHIFT( 1, 16 );
    for( k = 0; k < dd; k++ ) {
        P[ k ] = -a_Q16[ dd - k - 1 ] - a_Q16[ dd + k ];    /* Q16 */
        Q[ k ] = -a_Q16[ dd - k - 1 ] + a_Q16[ dd + k ];    /* Q16 */
    }

    /* Divide out zeros as we have that for even filter orders, */
    /* z =  1 is always a root in Q, and                        */
    /* z = -1 is always a root in P                             */
    for( k = dd; k > 0; k-- ) {
        P[ k - 1 ] -= P[ k ];
        Q[ k - 1 ] += Q[ k ];
    }

    /* Transform polynomials from cos(n*f) to cos(f)^n */
    silk_A2NLSF_trans_poly( P, dd );
    silk_A2NLSF_trans_poly( Q, dd );",
                "    sidetone_split_polynomials( a_Q16, P, Q, dd );",
            ),
        ],
    ),
    (
        "silk/shell_coder.c",
        &[
            ("void silk_shell_decoder(", "__attribute__((noinline)) void silk_shell_decoder("),
            ("#include \"main.h\"", "#include \"main.h\"\n#include \"range_decoder.h\"\n#include \"range_encoder.h\""),
        ],
    ),
    (
        "silk/encode_pulses.c",
        &[
            ("#include \"main.h\"", "#include \"main.h\"\n#include \"range_encoder.h\"\n#include \"shells.h\""),
            (
                "    for( i = 0; i < iter * SHELL_CODEC_FRAME_LENGTH; i+=4 ) {
        abs_pulses[i+0] = ( opus_int )silk_abs( pulses[ i + 0 ] );
        abs_pulses[i+1] = ( opus_int )silk_abs( pulses[ i + 1 ] );
        abs_pulses[i+2] = ( opus_int )silk_abs( pulses[ i + 2 ] );
        abs_pulses[i+3] = ( opus_int )silk_abs( pulses[ i + 3 ] );
    }",
                "    sidetone_pulse_sizes( pulses, abs_pulses, iter );
    opus_int shifted = 0;",
            ),
            (
                "        while( 1 ) {
            /* 1+1 -> 2 */
            scale_down = combine_and_check( pulses_comb, abs_pulses_ptr, silk_max_pulses_table[ 0 ], 8 );
            /* 2+2 -> 4 */
            scale_down += combine_and_check( pulses_comb, pulses_comb, silk_max_pulses_table[ 1 ], 4 );
            /* 4+4 -> 8 */
            scale_down += combine_and_check( pulses_comb, pulses_comb, silk_max_pulses_table[ 2 ], 2 );
            /* 8+8 -> 16 */
            scale_down += combine_and_check( &sum_pulses[ i ], pulses_comb, silk_max_pulses_table[ 3 ], 1 );

            if( scale_down ) {
                /* We need to downscale the quantization signal */
                nRshifts[ i ]++;
                for( k = 0; k < SHELL_CODEC_FRAME_LENGTH; k++ ) {
                    abs_pulses_ptr[ k ] = silk_RSHIFT( abs_pulses_ptr[ k ], 1 );
                }
            } else {
                /* Jump out of while(1) loop and go to next shell coding frame */
                break;
            }
        }",
                "        while( sidetone_too_many_pulses( abs_pulses_ptr, &sum_pulses[ i ] ) ) {
            /* We need to downscale the quantization signal */
            shifted = 1;
            nRshifts[ i ]++;
            for( k = 0; k < SHELL_CODEC_FRAME_LENGTH; k++ ) {
                abs_pulses_ptr[ k ] = silk_RSHIFT( abs_pulses_ptr[ k ], 1 );
            }
        }",
            ),
            (
                "    minSumBits_Q5 = silk_int32_MAX;
    for( k = 0; k < N_RATE_LEVELS - 1; k++ ) {
        nBits_ptr  = silk_pulses_per_block_BITS_Q5[ k ];
        sumBits_Q5 = silk_rate_levels_BITS_Q5[ signalType >> 1 ][ k ];
        for( i = 0; i < iter; i++ ) {
            if( nRshifts[ i ] > 0 ) {
                sumBits_Q5 += nBits_ptr[ SILK_MAX_PULSES + 1 ];
            } else {
                sumBits_Q5 += nBits_ptr[ sum_pulses[ i ] ];
            }
        }
        if( sumBits_Q5 < minSumBits_Q5 ) {
            minSumBits_Q5 = sumBits_Q5;
            RateLevelIndex = k;
        }
    }",
                "    RateLevelIndex = sidetone_rate_level( sum_pulses, nRshifts, iter, silk_rate_levels_BITS_Q5[ signalType >> 1 ] );",
            ),
            (
                "    for( i = 0; i < iter; i++ ) {
        if( nRshifts[ i ] > 0 ) {
            pulses_ptr",
                "    for( i = shifted ? 0 : iter; i < iter; i++ ) {
        if( nRshifts[ i ] > 0 ) {
            pulses_ptr",
            ),
        ],
    ),
    ("silk/encode_indices.c", &[("#include \"main.h\"", "#include \"main.h\"\n#include \"range_encoder.h\"")]),
    (
        "celt/rate.c",
        &[(
            "   for (i=0;i<ALLOC_STEPS;i++)
   {
      int mid = (lo+hi)>>1;
      psum = 0;
      done = 0;
      for (j=end;j-->start;)
      {
         int tmp = bits1[j] + (mid*(opus_int32)bits2[j]>>ALLOC_STEPS);
         if (tmp >= thresh[j] || done)
         {
            done = 1;
            /* Don't allocate more than we can actually use */
            psum += IMIN(tmp, cap[j]);
         } else {
            if (tmp >= alloc_floor)
               psum += alloc_floor;
         }
      }
      if (psum > total)
         hi = mid;
      else
         lo = mid;
   }",
            "   lo = sidetone_allocation(bits1, bits2, thresh, cap, start, end, total, alloc_floor);",
        )],
    ),
    (
        "silk/LPC_fit.c",
        &[
            ("#include \"SigProc_FIX.h\"", "#include \"SigProc_FIX.h\"\n#include \"polynomials.h\""),
            (
                "    /* Limit the maximum absolute value of the prediction coefficients, so that they'll fit in int16 */",
                "    if( sidetone_fit( a_QOUT, a_QIN, QIN - QOUT, d ) ) {
        return;
    }
    /* Limit the maximum absolute value of the prediction coefficients, so that they'll fit in int16 */",
            ),
        ],
    ),
    (
        "silk/NLSF_stabilize.c",
        &[
            ("#include \"SigProc_FIX.h\"", "#include \"SigProc_FIX.h\"\n#include \"polynomials.h\""),
            (
                "    for( loops = 0; loops < MAX_LOOPS; loops++ ) {",
                "    if( sidetone_spectrum_stable( NLSF_Q15, NDeltaMin_Q15, L ) ) {
        return;
    }
    for( loops = 0; loops < MAX_LOOPS; loops++ ) {",
            ),
        ],
    ),
    (
        "silk/dec_API.c",
        &[(
            "            for( i = 0; i < *nSamplesOut; i++ ) {
                samplesOut[ i ] = INT16TORES(resample_out_ptr[ i ]);
            }",
            "            sidetone_from_int16( resample_out_ptr, samplesOut, *nSamplesOut, 1/CELT_SIG_SCALE );",
        )],
    ),
    (
        "celt/vq.c",
        &[
            (
                "   c = celt_cos_norm(EXTEND32(theta));
   s = celt_cos_norm(EXTEND32(SUB16(Q15ONE,theta))); /*  sin(theta) */",
                "   sidetone_angle(theta, &c, &s);",
            ),
            (
                "      stride2 = 1;
      /* This is just a simple (equivalent) way of computing sqrt(len/stride) with rounding.
         It's basically incrementing long as (stride2+0.5)^2 < len/stride. */
      while ((stride2*stride2+stride2)*stride + (stride>>2) < len)
         stride2++;",
                "      stride2 = sidetone_second_stride(len, stride);",
            ),
            (
                "   do X[i] = VSHR32(MULT16_32_Q15(iy[i], g), k+15-NORM_SHIFT);
   while (++i < N);",
                "   sidetone_scale_pulses(iy, X, N, g);",
            ),
            ("   if (B<=1)\n      return 1;", "   return sidetone_collapse_mask(iy, N, B);"),
            (
                "   for (i=0;i<N;i++)
   {
      *xptr = EXTRACT16(PSHR32(MULT16_16(g, *xptr), k+15-14));
      xptr++;
   }",
                "   sidetone_gain(xptr, xptr, N, g);",
            ),
        ],
    ),
    (
        "celt/cwrs.c",
        &[
            // Dimensions without a pulse follow each other, and after them is one that has some.
            (
                "        _i-=p;
        *_y++=0;
      }
      else{",
                "        SIDETONE_UNROLL(4)
        do{
          _i-=p;
          *_y++=0;
          _n--;
          if(_n<=2||_k>=_n)break;
          p=CELT_PVQ_U_ROW[_k][_n];
          q=CELT_PVQ_U_ROW[_k+1][_n];
        }
        while(p<=_i&&_i<q);
        if(_n<=2||_k>=_n)continue;
      }
      {",
            ),
            // Most have one pulse, or two.
            (
                "        k0=_k;
        do p=CELT_PVQ_U_ROW[--_k][_n];
        while(p>_i);",
                "        k0=_k;
        p=CELT_PVQ_U_ROW[--_k][_n];
        if(p>_i){
          p=CELT_PVQ_U_ROW[--_k][_n];
          while(p>_i)p=CELT_PVQ_U_ROW[--_k][_n];
        }",
            ),
        ],
    ),
    (
        "celt/entenc.c",
        &[
            (
                "static OPUS_INLINE void ec_enc_normalize(ec_enc *_this){
  /*If the range is too small, output some bits and rescale it.*/
  while(_this->rng<=EC_CODE_BOT){",
                "static OPUS_INLINE void sidetone_enc_byte(ec_enc *_this){
  {",
            ),
            (
                "    _this->nbits_total+=EC_SYM_BITS;
  }
}",
                "    _this->nbits_total+=EC_SYM_BITS;
  }
}

void ec_enc_normalize(ec_enc *_this){
  if(_this->rng<=EC_CODE_BOT){
    sidetone_enc_byte(_this);
    while(_this->rng<=EC_CODE_BOT)sidetone_enc_byte(_this);
  }
}",
            ),
        ],
    ),
    ("silk/decode_indices.c", &[("#include \"main.h\"", "#include \"main.h\"\n#include \"range_decoder.h\"")]),
    (
        "celt/celt_encoder.c",
        &[
            (
                "   if (!isTransient)
   {
      OPUS_COPY(oldLogE2, oldLogE, CC*nbEBands);
      OPUS_COPY(oldLogE, oldBandE, CC*nbEBands);
   } else {
      for (i=0;i<CC*nbEBands;i++)
         oldLogE[i] = MING(oldLogE[i], oldBandE[i]);
   }
",
                "",
            ),
            BANDS_REMEMBERED,
            // The detector of transients.
            (
                "      for (i=0;i<len;i++)
      {
#ifndef FIXED_POINT
         float mem00;
#endif
         opus_val32 x,y;
         x = SHR32(in[i+c*len],in_shift);
         y = ADD32(mem0, x);
#ifdef FIXED_POINT
         mem0 = mem1 + y - SHL32(x,1);
         mem1 = x - SHR32(y,1);
#else
         /* Original code:
         mem0 = mem1 + y - 2*x;
         mem1 = x - .5f*y;
         Modified code to shorten dependency chains: */
         mem00=mem0;
         mem0 = mem0 - x + .5f*mem1;
         mem1 =  x - mem00;
#endif
         tmp[i] = SROUND16(y, 2);
         /*printf(\"%f \", tmp[i]);*/
      }",
                "      sidetone_transient_high_pass(in+c*len, tmp, len);",
            ),
            (
                "      for (i=0;i<len2;i++)
      {
         opus_val32 x2 = PSHR32(MULT16_16(tmp[2*i],tmp[2*i]) + MULT16_16(tmp[2*i+1],tmp[2*i+1]),4);
         mean += PSHR32(x2, 12);
#ifdef FIXED_POINT
         /* FIXME: Use PSHR16() instead */
         mem0 = mem0 + PSHR32(x2-mem0,forward_shift);
         tmp[i] = PSHR32(mem0, 12);
#else
         mem0 = x2 + (1.f-forward_decay)*mem0;
         tmp[i] = forward_decay*mem0;
#endif
      }",
                "      mean = sidetone_forward_masking(tmp, len2, forward_decay);",
            ),
            (
                "      for (i=len2-1;i>=0;i--)
      {
         /* Backward masking: 13.9 dB/ms. */
#ifdef FIXED_POINT
         /* FIXME: Use PSHR16() instead */
         mem0 = mem0 + PSHR32(SHL32(tmp[i],4)-mem0,3);
         tmp[i] = PSHR32(mem0, 4);
         maxE = MAX16(maxE, tmp[i]);
#else
         mem0 = tmp[i] + 0.875f*mem0;
         tmp[i] = 0.125f*mem0;
         maxE = MAX16(maxE, 0.125f*mem0);
#endif
      }",
                "      maxE = sidetone_backward_masking(tmp, len2);",
            ),
            (
                "   Nu = N/upsample;
",
                "   if (upsample==2 && CC==1)
   {
      *mem = sidetone_preemphasis_of_half(pcmp, inp, N/2, clip, coef0, m);
      return;
   }
   Nu = N/upsample;
",
            ),
            (
                "         for (i=0;i<bound;i++)
            out[c*B*N+i] *= upsample;",
                "         sidetone_gain(out+c*B*N, out+c*B*N, bound, upsample);",
            ),
            (
                "      for (i=0;i<N;i++)
      {
         celt_sig x;
         x = inp[i];
         /* Apply pre-emphasis */
         inp[i] = x - m;
         m = MULT16_32_Q15(coef0, x);
      }",
                "      m = sidetone_preemphasis(inp, N, coef0, m);",
            ),
            (
                "for (i=0;i<N;i++) before[c] += ABS32(SHR32(in[c*(N+overlap)+overlap+i], 12));",
                "before[c] += sidetone_sum_abs(in+c*(N+overlap)+overlap, N);",
            ),
            (
                "for (i=0;i<N;i++) after[c] += ABS32(SHR32(in[c*(N+overlap)+overlap+i], 12));",
                "after[c] += sidetone_sum_abs(in+c*(N+overlap)+overlap, N);",
            ),
            (
                "   for (i=0;i<len-2*delay;i++) {
      r00 += MULT16_16(x[i],x[i]);
      r01 += MULT16_16(x[i],x[i+delay]);
      r02 += MULT16_16(x[i],x[i+2*delay]);
   }",
                "   r00 = sidetone_inner_prod(x, x, len-2*delay);
   r01 = sidetone_inner_prod(x, x+delay, len-2*delay);
   r02 = sidetone_inner_prod(x, x+2*delay, len-2*delay);",
            ),
        ],
    ),
    (
        "celt/celt_decoder.c",
        &[
            (
                "   if (!isTransient)
   {
      OPUS_COPY(oldLogE2, oldLogE, 2*nbEBands);
      OPUS_COPY(oldLogE, oldBandE, 2*nbEBands);
   } else {
      for (i=0;i<2*nbEBands;i++)
         oldLogE[i] = MING(oldLogE[i], oldBandE[i]);
   }
",
                "",
            ),
            (
                "   for (i=0;i<2*nbEBands;i++)
      backgroundLogE[i] = MING(backgroundLogE[i] + max_background_increase, oldBandE[i]);",
                "   sidetone_remember_noise(backgroundLogE, oldBandE, 2*nbEBands, max_background_increase);",
            ),
            BANDS_REMEMBERED,
            (
                "      if (downsample>1)
      {",
                "      if (downsample==2 && C==1)
         m = sidetone_deemphasis_half(x, y, Nd, coef0, m, accum, 1/CELT_SIG_SCALE);
      else if (downsample>1)
      {",
            ),
            (
                "            celt_sig tmp = SATURATE(x[j] + VERY_SMALL + m, SIG_SAT);
            m = MULT16_32_Q15(coef0, tmp);
            scratch[j] = tmp;
         }",
                "            m = sidetone_deemphasis(x, scratch, N, coef0, m);
            j = N;
         }",
            ),
        ],
    ),
    (
        "silk/VAD.c",
        &[(
            "            sumSquared = 0;
            for( i = 0; i < dec_subframe_length; i++ ) {
                /* The energy will be less than dec_subframe_length * ( silk_int16_MIN / 8 ) ^ 2.            */
                /* Therefore we can accumulate with no risk of overflow (unless dec_subframe_length > 128)  */
                x_tmp = silk_RSHIFT(
                    X[ X_offset[ b ] + i + dec_subframe_offset ], 3 );
                sumSquared = silk_SMLABB( sumSquared, x_tmp, x_tmp );

                /* Safety check */
                silk_assert( sumSquared >= 0 );
            }",
            "            sumSquared = sidetone_sum_squares( X + X_offset[ b ] + dec_subframe_offset, dec_subframe_length );",
        )],
    ),
    (
        "celt/mathops.c",
        &[
            (
                "   for (i = 0; i < cnt; i++)
   {
      out[i] = FLOAT2INT16(in[i]);",
                "   for (i = sidetone_float2int16(in, out, cnt); i < cnt; i++)
   {
      out[i] = FLOAT2INT16(in[i]);",
            ),
            (
                "   for (i = 0; i < cnt; i++)
   {
      float clippedVal",
                "   if (sidetone_within_one(samples, cnt))
   {
      return 1;
   }
   for (i = 0; i < cnt; i++)
   {
      float clippedVal",
            ),
        ],
    ),
    (
        "src/analysis.c",
        &[
            ("#include \"analysis.h\"", "#include \"analysis.h\"\n#include \"tonality.h\""),
            (
                "    for (i=1;i<N2;i++)
    {
       float X1r, X2r, X1i, X2i;",
                "    for (i=sidetone_tonality(out, N, A, dA, d2A, noisiness, tonality, tonality2);i<N2;i++)
    {
       float X1r, X2r, X1i, X2i;",
            ),
        ],
    ),
    (
        "src/mlp.c",
        &[(
            "   for (i=0;i<rows;i++)
   {
      for (j=0;j<cols;j++)",
            "   for (i=sidetone_gemm(out, weights, rows, cols, col_stride, x);i<rows;i++)
   {
      for (j=0;j<cols;j++)",
        )],
    ),
    (
        "celt/bands.c",
        &[
            (
                "         for (j=M*eBands[i];j<M*eBands[i+1];j++)
            X[j+c*N] = freq[j+c*N]*g;",
                "         j = M*eBands[i]+c*N;
         sidetone_gain(freq+j, X+j, M*(eBands[i+1]-eBands[i]), g);",
            ),
            (
                "      for (i=0;i<M*eBands[start];i++)
         *f++ = 0;
   } else {
      f += M*eBands[start];
   }",
                "      OPUS_CLEAR(f, M*eBands[start]);
   }
   f += M*eBands[start];",
            ),
            (
                "                  for (j=0;j<N;j++)
                  {
                     opus_val16 tmp;
                     ctx->seed = celt_lcg_rand(ctx->seed);
                     /* About 48 dB below the \"normal\" folding level */
                     tmp = QCONST16(1.0f/256, NORM_SHIFT-4);
                     tmp = (ctx->seed)&0x8000 ? tmp : -tmp;
                     X[j] = lowband[j]+tmp;
                  }",
                "                  /* About 48 dB below the \"normal\" folding level */
                  ctx->seed = sidetone_add_noise(lowband, X, N, 1.0f/256, ctx->seed);",
            ),
            (
                "         for (j=0;j<N0;j++)
            lowband_out[j] = MULT16_32_Q15(n,X[j]);",
                "         sidetone_gain(X, lowband_out, N0, n);",
            ),
            (
                "      do {
         *f++ = PSHR32(MULT32_32_Q31(SHL32(*x, 30-NORM_SHIFT), g), shift);
         x++;
      } while (++j<band_end);",
                "      sidetone_gain(x, f, band_end-j, g);
      f += band_end-j;
      x += band_end-j;",
            ),
        ],
    ),
    (
        "src/opus_encoder.c",
        &[
            (
                "    for( k = 0; k < len; k++ ) {
        /* S[ 0 ], S[ 1 ]: Q12 */
        inval = in[ k*stride ];
        vout = S[ 0 ] + B[0]*inval;",
                "    if( stride == 1 ) {
        sidetone_biquad( in, out, len, B, A, S );
        return;
    }
    for( k = 0; k < len; k++ ) {
        /* S[ 0 ], S[ 1 ]: Q12 */
        inval = in[ k*stride ];
        vout = S[ 0 ] + B[0]*inval;",
            ),
            (
                "       for (i=overlap;i<frame_size;i++)
       {
          out[i*channels+c]",
                "       if (channels==1)
          sidetone_gain(in+overlap, out+overlap, frame_size-overlap, g2);
       else for (i=overlap;i<frame_size;i++)
       {
          out[i*channels+c]",
            ),
            (
                "   for (i=0;i<frame_size*st->channels;i++)
      in[i] = INT16TORES(pcm[i]);
   ret = opus_encode_native(st, in, frame_size, data, max_data_bytes, 16,
                            pcm, analysis_frame_size, 0, -2, st->channels, downmix_int, 1);",
                "   sidetone_from_int16(pcm, in, frame_size*st->channels, 1/CELT_SIG_SCALE);
   ret = opus_encode_native(st, in, frame_size, data, max_data_bytes, 16,
                            pcm, analysis_frame_size, 0, -2, st->channels, downmix_int, 1);",
            ),
            (
                "   x = (const opus_int16 *)_x;
   for (j=0;j<subframe;j++)
      y[j] = INT16TOSIG(x[(j+offset)*C+c1]);",
                "   x = (const opus_int16 *)_x;
   if (C==1)
      sidetone_from_int16(x+offset+c1, y, subframe, 1);
   else for (j=0;j<subframe;j++)
      y[j] = INT16TOSIG(x[(j+offset)*C+c1]);",
            ),
        ],
    ),
    (
        "silk/enc_API.c",
        &[(
            "            celt_assert( encControl->nChannelsAPI == 1 && encControl->nChannelsInternal == 1 );
            for( n = 0; n < nSamplesFromInput; n++ ) {",
            "            celt_assert( encControl->nChannelsAPI == 1 && encControl->nChannelsInternal == 1 );
            for( n = sidetone_float2int16( samplesIn, buf, nSamplesFromInput ); n < nSamplesFromInput; n++ ) {",
        )],
    ),
    (
        "silk/float/encode_frame_FLP.c",
        &[(
            "    silk_short2float_array( x_frame + LA_SHAPE_MS * psEnc->sCmn.fs_kHz, psEnc->sCmn.inputBuf + 1, psEnc->sCmn.frame_length );",
            "    sidetone_from_int16( psEnc->sCmn.inputBuf + 1, x_frame + LA_SHAPE_MS * psEnc->sCmn.fs_kHz, psEnc->sCmn.frame_length, 1 );",
        )],
    ),
    (
        "silk/float/pitch_analysis_core_FLP.c",
        &[
            (
                "                for( k = 0; k < nb_subfr; k++ ) {
                    cross_corr += cross_corr_st3[ k ][ j ][ lag_counter ];
                    energy     +=   energies_st3[ k ][ j ][ lag_counter ];
                }",
                "                cross_corr += cross_corr_st3[ 0 ][ j ][ lag_counter ];
                cross_corr += cross_corr_st3[ 1 ][ j ][ lag_counter ];
                energy     +=   energies_st3[ 0 ][ j ][ lag_counter ];
                energy     +=   energies_st3[ 1 ][ j ][ lag_counter ];
                if( nb_subfr > 2 ) {
                    cross_corr += cross_corr_st3[ 2 ][ j ][ lag_counter ];
                    cross_corr += cross_corr_st3[ 3 ][ j ][ lag_counter ];
                    energy     +=   energies_st3[ 2 ][ j ][ lag_counter ];
                    energy     +=   energies_st3[ 3 ][ j ][ lag_counter ];
                }",
            ),
            (
                "        for( j = 0; j < nb_cbk_search; j++ ) {
            CC[j] = 0.0f;
            for( i = 0; i < nb_subfr; i++ ) {
                /* Try all codebooks */
                CC[ j ] += C[ i ][ d + matrix_ptr( Lag_CB_ptr, i, j, cbk_size )];
            }
        }
        /* Find best codebook */
        CCmax_new  = -1000.0f;
        CBimax_new = 0;
        for( i = 0; i < nb_cbk_search; i++ ) {
            if( CC[ i ] > CCmax_new ) {
                CCmax_new = CC[ i ];
                CBimax_new = i;
            }
        }",
                "        /* Find best codebook */
        CCmax_new  = -1000.0f;
        CBimax_new = 0;
        SIDETONE_UNROLL(3)
        for( j = 0; j < nb_cbk_search; j++ ) {
            silk_float sum = C[ 0 ][ d + matrix_ptr( Lag_CB_ptr, 0, j, cbk_size )];
            sum += C[ 1 ][ d + matrix_ptr( Lag_CB_ptr, 1, j, cbk_size )];
            if( nb_subfr > 2 ) {
                sum += C[ 2 ][ d + matrix_ptr( Lag_CB_ptr, 2, j, cbk_size )];
                sum += C[ 3 ][ d + matrix_ptr( Lag_CB_ptr, 3, j, cbk_size )];
            }
            if( sum > CCmax_new ) {
                CCmax_new = sum;
                CBimax_new = j;
            }
        }",
            ),
            (
                "        if( d_comp[ i + 1 ] > 0 ) {",
                "        if( i + 8 <= max_lag_8kHz && !wasm_v128_any_true( wasm_v128_load( &d_comp[ i + 1 ] ) ) ) {
            i += 7;
            continue;
        }
        if( d_comp[ i + 1 ] > 0 ) {",
            ),
            (
                "        if( d_comp[ i ] > 0 ) {",
                "        if( i + 8 <= max_lag_8kHz && !wasm_v128_any_true( wasm_v128_load( &d_comp[ i ] ) ) ) {
            i += 7;
            continue;
        }
        if( d_comp[ i ] > 0 ) {",
            ),
            (
                "        silk_float2short_array( frame_16_FIX, frame, frame_length );",
                "        sidetone_to_int16( frame, frame_16_FIX, frame_length );",
            ),
            (
                "filt_state, frame_8_FIX, frame_16_FIX, frame_length );
        silk_short2float_array( frame_8kHz, frame_8_FIX, frame_length_8kHz );",
                "filt_state, frame_8_FIX, frame_16_FIX, frame_length );
        sidetone_from_int16( frame_8_FIX, frame_8kHz, frame_length_8kHz, 1 );",
            ),
            (
                "    silk_short2float_array( frame_4kHz, frame_4_FIX, frame_length_4kHz );",
                "    sidetone_from_int16( frame_4_FIX, frame_4kHz, frame_length_4kHz, 1 );",
            ),
        ],
    ),
];

/// The patched copy of `file`, or the file itself where nothing is patched.
pub(crate) fn patched(opus: &Path, file: &str, out: &Path) -> Result<PathBuf, String> {
    let path = opus.join(file);
    let unrolled = UNROLLED.iter().filter(|(name, _)| *name == file).flat_map(|(_, loops)| *loops);
    let unrolled = unrolled.map(|(times, head)| (*head, format!("\nSIDETONE_UNROLL({times})\n{head}")));
    let rewritten = REWRITTEN.iter().filter(|(name, _)| *name == file).flat_map(|(_, texts)| *texts);
    let rewritten = rewritten.map(|(theirs, ours)| (*theirs, (*ours).to_owned()));
    let patches: Vec<_> = rewritten.chain(unrolled).collect();
    if patches.is_empty() {
        return Ok(path);
    }
    let text = fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let mut text = text.replace("\r\n", "\n");
    for (theirs, ours) in patches {
        let places = text.matches(theirs).count();
        if places != 1 {
            return Err(format!("{} has {places} places like this one, not one: {theirs}", path.display()));
        }
        text = text.replace(theirs, &ours);
    }
    let copy = out.join("patched").join(file);
    let made = copy.parent().map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::write(&copy, text)).map_err(|e| format!("cannot write {}: {e}", copy.display()))?;
    Ok(copy)
}
