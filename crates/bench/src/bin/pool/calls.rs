//! How many full-duplex calls two cores hold in real time.
//!
//! A level holds where p99 of a frame (queue and guest) stays below 10 ms and no frame is late: none was given up because
//! it had waited as long as it lasts (60 ms), and none was lost with an instance. One bad try may be the machine's: a
//! level has failed when two tries out of three did. Levels go up by 50; where one fails, the gap below it is halved
//! down to 10.

use crate::{FRAME, Input, LEVELS, builder, engine, open};
use anyhow::Result;
use sidetone_bench::Report;
use sidetone_bench::plot::{Line, svg};
use sidetone_bench::report::{folder, write_file};
use sidetone_host::{Component, Engine, PoolSession};
use sidetone_session::Quality;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const MOST: u32 = 1500;
const COARSE: u32 = 50;
const FINE: u32 = 10;
const LIMIT_MS: f64 = 10.0;

pub(crate) fn full_duplex(report: &mut Report, input: &Input) -> Result<()> {
    let component = Engine::new(&engine(MOST))?.compile(sidetone_artifact::COMPONENT)?;
    let mut lines = Vec::new();
    for (quality, name, figure) in LEVELS {
        let mut points = BTreeMap::new();
        let mut holds = |calls: u32| -> Result<bool> {
            let (mut good, mut bad, mut best) = (0, 0, f64::MAX);
            while good < 2 && bad < 2 {
                let (p99, late) = try_out(&component, quality, calls, input)?;
                eprintln!("{name}: {calls} calls, p99 {p99:.2} ms, {late} late");
                best = best.min(p99);
                if p99 < LIMIT_MS && late == 0 {
                    good += 1;
                } else {
                    bad += 1;
                }
                // A level that is far from the limit needs no second look.
                if bad == 0 && p99 < LIMIT_MS / 2.0 {
                    break;
                }
            }
            points.insert(calls, best);
            Ok(bad < 2)
        };
        let (mut held, mut failed) = (0, MOST);
        while failed - held > FINE {
            let next = if failed == MOST { (held + COARSE).min(MOST - 1) } else { (held + failed) / 2 / FINE * FINE };
            if next <= held {
                break;
            }
            if holds(next)? {
                held = next;
            } else {
                failed = next;
            }
        }
        report.figure(figure, f64::from(held));
        lines
            .push(Line { name: name.to_owned(), points: points.into_iter().map(|(x, y)| (f64::from(x), y)).collect() });
    }
    let plot = svg("p99 of a frame, queue and guest", ("full-duplex calls", "ms"), LIMIT_MS, &lines);
    write_file(&folder().join("pool.svg"), &plot)
}

/// Runs `count` calls; p99 in ms, and the late frames.
fn try_out(component: &Component, quality: Quality, count: u32, input: &Input) -> Result<(f64, u64)> {
    let pool = builder(quality).build_on(component.clone())?;
    let sessions = (0..count).map(|_| open(&pool, quality)).collect::<Result<Vec<_>>>()?;
    talk(&sessions, input, input.time);
    let stats = pool.stats();
    let tenant = &stats.tenants["a"];
    Ok((stats.total.p99, tenant.shed + tenant.lost_frames))
}

/// Each session hears and says a frame every 60 ms, spread evenly. What becomes of the frames is in the pool's counts.
pub(crate) fn talk(sessions: &[PoolSession], input: &Input, time: Duration) {
    let Input { down, up, .. } = input;
    let start = Instant::now();
    for n in 0.. {
        for (index, session) in sessions.iter().enumerate() {
            let due = Duration::from_secs_f64((f64::from(n) + index as f64 / sessions.len() as f64) * 0.06);
            if let Some(early) = due.checked_sub(start.elapsed()) {
                std::thread::sleep(early);
            }
            let frame = (n as usize + index * 7) % (down.len() / FRAME) * FRAME;
            drop(session.receive(up[n as usize % up.len()].clone()));
            drop(session.send(down[frame..frame + FRAME].to_vec(), n * 60));
        }
        if start.elapsed() > time {
            break;
        }
    }
}
