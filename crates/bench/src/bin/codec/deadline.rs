//! What the deadline alone costs.
//!
//! One instance with a deadline against one without says it to some two percent, however long it is measured: where an
//! instance's memory and code happen to lie makes as much of a difference. So several of each take turns, and the medians
//! over the instances are compared.

use crate::cases::{self, Case, DECODE, ENCODE};
use anyhow::Result;
use sidetone_bench::speech::Speech;
use sidetone_bench::spread::{error_of_median, median};
use sidetone_bench::{Measured, Report, Variant, take_turns};
use sidetone_host::Component;

/// Instances of each kind.
const INSTANCES: usize = 16;

/// For each case of the recordings, by how many percent an armed instance takes longer, and the standard error of that.
pub(crate) fn alone(
    report: &mut Report,
    speech: &Speech,
    free: &Component,
    armed: &Component,
    passes: usize,
) -> Result<()> {
    for case in &ENCODE {
        let pcm = speech.frames(case.rate.hz(), case.frame.samples(case.rate))?;
        compare(report, case, passes, [free, armed], |component| cases::guest_encoder(case, &pcm, component))?;
    }
    for case in &DECODE {
        let pcm = speech.frames(case.rate.hz(), case.frame.samples(case.rate))?;
        let packets = cases::packets(case, &pcm)?;
        compare(report, case, passes, [free, armed], |component| cases::guest_decoder(case, &packets, component))?;
    }
    Ok(())
}

fn compare<'a, P: FnMut() -> Result<u32> + 'a>(
    report: &mut Report,
    case: &Case,
    passes: usize,
    [free, armed]: [&'a Component; 2],
    open: impl Fn(&'a Component) -> Result<P>,
) -> Result<()> {
    let mut variants = Vec::with_capacity(2 * INSTANCES);
    for _ in 0..INSTANCES {
        variants.push(Variant::new("free", open(free)?));
        variants.push(Variant::new("armed", open(armed)?));
    }
    let measured = take_turns(variants, passes.div_ceil(2))?;
    let of = |name| measured.iter().filter(|one| one.name == name).map(Measured::min).collect::<Vec<_>>();
    tell(report, case, of("free"), of("armed"));
    Ok(())
}

fn tell(report: &mut Report, case: &Case, free: Vec<f64>, armed: Vec<f64>) {
    let (without, with) = (median(free.clone()), median(armed.clone()));
    let relative = (error_of_median(free) / without).hypot(error_of_median(armed) / with);
    report.named(format!("deadline_{}_percent", case.name), 100.0 * (with / without - 1.0));
    report.named(format!("deadline_{}_error_percent", case.name), 100.0 * relative);
    eprintln!("measured the deadline of {}", case.name);
}
