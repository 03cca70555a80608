//! Every SIMD128 kernel against the C of libopus it replaces, on random and extreme input, in wasmtime.

use std::path::Path;
use wasmtime::{Engine, Instance, Module, Store, TypedFunc};

/// Names in the order of `simd128/check.c`, and what deviation is rounding.
const KERNELS: &[(&str, f64)] = &[
    ("nsq_del_dec", 0.0),
    ("nsq", 0.0),
    ("decode_core", 0.0),
    ("lpc_analysis_filter", 0.0),
    ("resampler_down_fir", 0.0),
    ("resampler_iir_fir, resampler_up2_hq", 0.0),
    ("fft", 0.0),
    ("inner_product, energy, autocorrelation", 1e-6),
    ("warped_autocorrelation", 3e-7),
    ("burg", 1e-3),
    ("pitch_xcorr, xcorr_kernel", 1e-6),
    ("nlsf_del_dec_quant", 0.0),
    ("deemphasis", 1e-6),
    ("copy, move, fill", 0.0),
    ("sum_abs, float2int16, within_one, gemm", 0.0),
    ("range decoder", 0.0),
    ("range encoder", 0.0),
    ("lpc_analysis_filter_flp", 0.0),
    ("schur", 0.0),
    ("samples", 0.0),
    ("nlsf_vq", 0.0),
    ("k2a", 0.0),
    ("ltp_analysis_filter", 0.0),
    ("scale, scale_samples, sum_squares", 0.0),
    ("tonality", 0.0),
    ("polynomials of line spectral frequencies", 0.0),
    ("shells", 0.0),
    ("spectrum_stable, fit", 0.0),
    ("pvq_search", 1e-3),
    ("rotation, scale_pulses, collapse_mask", 0.0),
    ("mdct, forward and backward", 0.0),
    ("emphasis at half the rate, biquad", 1e-5),
    ("transient detector", 1e-6),
    ("angle and strides of a rotation", 0.0),
    ("pulses by their index, raw bits", 0.0),
    ("remember, remember_noise, allocation", 0.0),
];

const RUNS: u32 = 1000;

#[test]
fn every_kernel_agrees_with_the_c_of_libopus() {
    let module = opus_kernel_tests::build(Path::new(env!("CARGO_TARGET_TMPDIR"))).expect("it builds");
    let engine = Engine::default();
    let module = Module::from_file(&engine, module).expect("a module");
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).expect("no imports");
    let check: TypedFunc<(i32, u32), f64> = instance.get_typed_func(&mut store, "check").expect("exported");

    for (index, (name, tolerance)) in KERNELS.iter().enumerate() {
        let mut worst = (0.0, 0);
        for seed in 0..RUNS {
            let deviation = check.call(&mut store, (index as i32, seed)).expect("no trap");
            if deviation.is_nan() || deviation > worst.0 {
                worst = (deviation, seed);
            }
        }
        println!("{name}: {} at seed {}", worst.0, worst.1);
        assert!(worst.0 <= *tolerance, "{name}: deviation {} with seed {}", worst.0, worst.1);
    }
    let behind = check.call(&mut store, (KERNELS.len() as i32, 0)).expect("no trap");
    assert!(behind < 0.0, "a kernel of check.c is not in the list");
}
