//! How many full-duplex calls two cores hold in real time.
//!
//! A level holds where p99 of a frame (queue and guest) stays below 10 ms and no frame is late: none was given up because
//! it had waited as long as it lasts (60 ms), and none was lost with an instance. What is done about a noisy machine,
//! [`levels`](sidetone_bench::levels) says.

use crate::{FRAME, Input, LEVELS, builder, engine, open};
use anyhow::Result;
use sidetone_bench::Report;
use sidetone_bench::levels::{Found, Look, Outcome, Search};
use sidetone_bench::plot::{Line, svg};
use sidetone_bench::report::{folder, write_file};
use sidetone_host::{Component, Engine, PoolSession};
use sidetone_session::Quality;
use std::time::{Duration, Instant};

const MOST: u32 = 1500;
/// Of the levels of quality, begun with what two cores of 2024 hold.
const FIRST: [u32; 3] = [520, 270, 200];
const SEARCH: Search = Search { most: MOST, fine: 10, limit: 10.0, time: Duration::from_secs(60) };
/// A long look, in short ones.
const LONG: u32 = 4;

pub(crate) fn full_duplex(report: &mut Report, input: &Input) -> Result<()> {
    let component = Engine::new(&engine(MOST))?.compile(sidetone_artifact::COMPONENT)?;
    let mut lines = Vec::new();
    for ((quality, name, figure), first) in LEVELS.into_iter().zip(FIRST) {
        let Found { held, points } = SEARCH.highest(name, first, |calls, look| {
            let time = if look == Look::Long { input.time * LONG } else { input.time };
            try_out(&component, quality, calls, input, time)
        })?;
        report.figure(figure, f64::from(held));
        lines.push(Line { name: name.to_owned(), points });
    }
    let plot = svg("p99 of a frame, queue and guest", ("full-duplex calls", "ms"), SEARCH.limit, &lines);
    write_file(&folder().join("pool.svg"), &plot)
}

/// Runs `count` calls for a while.
fn try_out(component: &Component, quality: Quality, count: u32, input: &Input, time: Duration) -> Result<Outcome> {
    let pool = builder(quality).build_on(component.clone())?;
    let sessions = (0..count).map(|_| open(&pool, quality)).collect::<Result<Vec<_>>>()?;
    talk(&sessions, input, |elapsed| elapsed > time);
    let stats = pool.stats();
    let tenant = &stats.tenants["a"];
    Ok(Outcome { p99: stats.total.p99, late: tenant.shed + tenant.lost_frames })
}

/// Each session hears and says a frame every 60 ms, spread evenly, until it is over. What becomes of the frames is in the
/// pool's counts.
pub(crate) fn talk(sessions: &[PoolSession], input: &Input, over: impl Fn(Duration) -> bool) {
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
        if over(start.elapsed()) {
            break;
        }
    }
}
