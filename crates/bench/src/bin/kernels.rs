//! `cargo xtask bench kernels`: each SIMD128 kernel beside the C of libopus that it replaces, in wasmtime, with and without
//! a deadline. Microseconds a thousand samples (or values, symbols, bytes), on the same input each round.

use anyhow::{Context, Result, ensure};
use sidetone_bench::{Report, Variant, folder, options, take_turns};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};
use wasmtime::{Config, Engine, Instance, Module, Store, TypedFunc};

/// In the order of `simd128/time.c`, and of `time_small.c` after it.
const KERNELS: [&str; 66] = [
    "quantizer, 4 states, order 24",
    "quantizer, 2 states, order 16",
    "plain quantizer, order 12",
    "SILK decoder core",
    "prediction filter, integers",
    "prediction filter, floats",
    "resampler, 24 to 16 kHz",
    "resampler, 16 to 24 kHz",
    "FFT of 480",
    "inner product",
    "energy",
    "autocorrelation, 17 lags",
    "warped autocorrelation, order 24",
    "Burg's method, order 16",
    "Schur's recursion, order 24",
    "copying",
    "trellis of line spectral frequencies",
    "pitch correlation, 240 lags",
    "deemphasis",
    "neural layer",
    "sum of sizes",
    "greatest size",
    "range check",
    "floats to 16 bits",
    "16 bits to floats",
    "preemphasis",
    "gain",
    "deemphasis, every second sample",
    "folding under a window",
    "range decoder",
    "range encoder",
    "PVQ search, 6 pulses of 32",
    "MDCT of 960",
    "MDCT of 960, backward",
    "preemphasis, every second sample",
    "high pass",
    "resampler, to twice the rate",
    "rotation of neighbours",
    "rotation of others",
    "angle of a rotation",
    "gain of pulses",
    "blocks without a pulse",
    "noise in a folded band",
    "energies of bands, kept",
    "energies of noise, kept",
    "share of two bands",
    "transients, high pass",
    "transients, forward masking",
    "transients, backward masking",
    "inner product of CELT",
    "polynomials of line spectra",
    "polynomials of coefficients",
    "distances of line spectra",
    "coefficients to 16 bits",
    "codebook of line spectra",
    "reflection to prediction, order 16",
    "long-term prediction",
    "states times a gain",
    "samples times a gain",
    "sum of squares",
    "pulses of a block",
    "level of pulses",
    "tonality",
    "signs, decoder",
    "signs, encoder",
    "floats to 16 bits, scaled",
];

/// How long a pass should take.
const PASS: Duration = Duration::from_millis(5);

/// wasmtime's error, as others here.
fn told<T>(result: wasmtime::Result<T>) -> Result<T> {
    result.map_err(|error| anyhow::anyhow!("{error:#}"))
}

/// An instance, and its function `time(kernel, ours, rounds)`.
#[derive(Clone)]
struct Timed {
    store: Rc<RefCell<Store<()>>>,
    time: TypedFunc<(i32, i32, i32), i32>,
}

impl Timed {
    fn new(bytes: &[u8], deadline: bool) -> Result<Self> {
        let engine = told(Engine::new(Config::new().epoch_interruption(deadline)))?;
        let mut store = Store::new(&engine, ());
        if deadline {
            // Never reached: what costs is the looking.
            store.set_epoch_deadline(u64::MAX / 2);
        }
        let instance = told(Instance::new(&mut store, &told(Module::new(&engine, bytes))?, &[]))?;
        let time = told(instance.get_typed_func(&mut store, "time"))?;
        Ok(Self { store: Rc::new(RefCell::new(store)), time })
    }

    fn run(&self, kernel: usize, ours: bool, rounds: i32) -> Result<i32> {
        told(self.time.call(&mut *self.store.borrow_mut(), (kernel as i32, i32::from(ours), rounds)))
    }

    fn variant<'a>(&self, name: &'static str, kernel: usize, ours: bool) -> Result<Variant<'a>> {
        let timed = self.clone();
        let begun = Instant::now();
        let samples = timed.run(kernel, ours, 100)?;
        ensure!(samples > 0, "time.c has no kernel {kernel}");
        let round = begun.elapsed() / 100;
        let rounds = (PASS.as_nanos() / round.as_nanos().max(1)).clamp(10, 1_000_000) as i32;
        Ok(Variant::timed(name, move || {
            let begun = Instant::now();
            timed.run(kernel, ours, rounds)?;
            let thousands = f64::from(rounds) * f64::from(samples) / 1000.0;
            Ok(begun.elapsed().as_secs_f64() * 1e6 / thousands)
        }))
    }
}

const ABOUT: &str = "Microseconds a thousand samples, of each SIMD128 kernel and of the C of libopus that it replaces, with and without a \
deadline.";

fn main() -> Result<()> {
    let passes = options::passes("kernels", ABOUT, "15");
    let module = opus_kernel_tests::build(&std::path::absolute(folder())?).map_err(anyhow::Error::msg)?;
    let bytes = std::fs::read(&module).with_context(|| format!("cannot read {}", module.display()))?;
    let (free, armed) = (Timed::new(&bytes, false)?, Timed::new(&bytes, true)?);
    ensure!(free.run(KERNELS.len(), true, 1)? < 0, "time.c has kernels that are not in the list of names");
    println!("µs a thousand samples; {passes} passes in turns\n");
    let mut report = Report::against("libopus", "kernels");
    for (kernel, name) in KERNELS.into_iter().enumerate() {
        let variants = vec![
            free.variant("libopus", kernel, false)?,
            free.variant("ours", kernel, true)?,
            armed.variant("libopus_deadline", kernel, false)?,
            armed.variant("ours_deadline", kernel, true)?,
        ];
        report.case(name, &take_turns(variants, passes)?);
    }
    report.finish()
}
