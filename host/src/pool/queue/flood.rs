//! What a tenant that floods does to another: a worker played through by the microsecond, with the pool's own queue and
//! token buckets, and no clock but the play's.

use super::*;
use crate::pool::quota::Bucket;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

const MICROS: u64 = 1;
const MS: u64 = 1000 * MICROS;
const SECOND: u64 = 1000 * MS;

#[derive(Debug, Clone, Copy)]
struct Frame;

impl Queued for Frame {
    fn is_frame(&self) -> bool {
        true
    }
}

/// A tenant: sessions that send a frame every so many µs, how long a guest takes for one, and a quota.
#[derive(Clone, Copy)]
struct Load {
    sessions: u64,
    every: u64,
    takes: u64,
    quota: Option<u32>,
}

/// A quiet tenant of 40 calls whose frames take 0.5 ms each: a third of the worker.
const QUIET: Load = Load { sessions: 40, every: 61_300 * MICROS, takes: 500 * MICROS, quota: None };

/// Plays `seconds` and returns the latencies of each load's frames in µs, ascending, and how many frames were refused.
/// The first second, in which a bucket's savings are spent, is not counted.
fn play(loads: &[Load], seconds: u64) -> Vec<(Vec<u64>, u64)> {
    let mut queues = Queues::new(Bounds { session: 40, worker: 4096 });
    let mut arrivals = BinaryHeap::new();
    let buckets: Vec<_> = loads.iter().map(|load| load.quota.map(Bucket::a_second)).collect();
    for (tenant, load) in loads.iter().enumerate() {
        for session in 0..load.sessions {
            let lane = queues.open(tenant, |_| ());
            // Sessions do not send all at once, nor in step with the other tenant's.
            arrivals.push(Reverse((session * load.every / load.sessions + 37 * tenant as u64, lane, tenant)));
        }
    }
    let mut results: Vec<(Vec<u64>, u64)> = loads.iter().map(|_| (Vec::new(), 0)).collect();
    let mut now = 0;
    while !(arrivals.is_empty() && queues.is_empty()) {
        if let Some(Reverse((first, ..))) = arrivals.peek().filter(|_| queues.is_empty()) {
            now = now.max(*first);
        }
        while let Some(&Reverse((due, lane, tenant))) = arrivals.peek().filter(|Reverse((due, ..))| *due <= now) {
            arrivals.pop();
            if due < seconds * SECOND {
                arrivals.push(Reverse((due + loads[tenant].every, lane, tenant)));
            }
            if buckets[tenant].as_ref().is_none_or(|bucket| bucket.take(at(due), 1)) {
                // A full queue loses its oldest.
                let _ = queues.push(lane, at(due), Frame);
            } else {
                results[tenant].1 += 1;
            }
        }
        let Some(next) = queues.pop() else { continue };
        now += loads[next.tenant].takes;
        queues.charge(next.tenant, Duration::from_micros(loads[next.tenant].takes));
        queues.done(next.lane);
        if next.since >= at(SECOND) {
            results[next.tenant].0.push((at(now) - next.since).as_micros() as u64);
        }
    }
    results.iter_mut().for_each(|(latencies, _)| latencies.sort_unstable());
    results
}

fn at(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

fn p99(latencies: &[u64]) -> u64 {
    latencies[(latencies.len() - 1) * 99 / 100]
}

/// `times` a quota of 100 frames a second.
fn at_times_its_quota(times: u64) -> Load {
    Load { sessions: 10, every: SECOND / 10 / times, takes: 500 * MICROS, quota: Some(100) }
}

#[test]
fn a_flood_at_fifty_times_its_quota_moves_anothers_p99_by_less_than_a_tenth() {
    let within = play(&[QUIET, at_times_its_quota(1)], 60);
    let flood = play(&[QUIET, at_times_its_quota(50)], 60);
    assert_eq!(within[1].1, 0, "what is within the quota passes");
    // 5,000 a second are asked for: of those after the first second 49 of 50 are refused.
    assert!((288_000..=295_000).contains(&flood[1].1), "{}", flood[1].1);
    let (before, after) = (p99(&within[0].0), p99(&flood[0].0));
    assert_eq!((within[0].0.len(), flood[0].0.len()), (38_539, 38_539), "nothing of the other tenant is lost");
    assert_eq!((before, after), (900, 897), "µs; a tenth would be 90");
}

#[test]
fn a_flood_without_a_quota_costs_another_at_most_a_quantum_and_the_frame_in_the_guest_and_mostly_less() {
    let alone = play(&[QUIET], 20);
    // Twice what the whole worker can do.
    let flood = Load { sessions: 40, every: 10 * MS, takes: 500 * MICROS, quota: None };
    let flooded = play(&[QUIET, flood], 20);
    assert_eq!(alone[0].0.last(), Some(&500), "alone, no frame waits");
    let quantum = QUANTUM as u64 / 1000;
    let longest = *flooded[0].0.last().expect("frames");
    assert!(longest <= 500 + quantum + 500, "{longest} µs");
    // Who had nothing waiting comes before the round.
    assert_eq!(p99(&flooded[0].0), 993, "µs");
    assert_eq!(flooded[0].0.len(), alone[0].0.len());
}
