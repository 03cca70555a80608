//! Order, shares and bounds.

use super::*;

#[derive(Debug, PartialEq)]
struct Frame(u32);

impl Queued for Frame {
    fn is_frame(&self) -> bool {
        true
    }
}

const MS: Duration = Duration::from_millis(1);

/// Takes a job, and is done with it at once.
fn take(queues: &mut Queues<&'static str, Frame>) -> Option<Next<Frame>> {
    let next = queues.pop()?;
    queues.done(next.lane);
    Some(next)
}

fn queues(session: usize, worker: usize) -> Queues<&'static str, Frame> {
    Queues::new(Bounds { session, worker })
}

#[test]
fn a_sessions_frames_stay_in_order() {
    let mut queues = queues(100, 100);
    let lanes = [queues.open(0, |_| "a"), queues.open(0, |_| "b")];
    for n in 0..10 {
        assert!(queues.push(lanes[n as usize % 2], MS, Frame(n)).is_none());
    }
    let order: Vec<_> = std::iter::from_fn(|| take(&mut queues)).map(|next| (next.lane, next.job.0)).collect();
    for lane in lanes {
        let own: Vec<_> = order.iter().filter(|(of, _)| *of == lane).map(|(_, n)| *n).collect();
        assert!(own.len() == 5 && own.is_sorted());
    }
    assert!(queues.is_idle() && queues.frames() == 0);
}

#[test]
fn tenants_get_the_same_time_however_many_frames_they_queue_or_however_long_these_take() {
    let mut queues = queues(1000, 10_000);
    let (flood, slow, quiet) = (queues.open(0, |_| "flood"), queues.open(1, |_| "slow"), queues.open(2, |_| "quiet"));
    for n in 0..1000 {
        queues.push(flood, MS, Frame(n));
        queues.push(slow, MS, Frame(n));
        queues.push(quiet, MS, Frame(n));
    }
    let mut time = [Duration::ZERO; 3];
    for _ in 0..600 {
        let next = take(&mut queues).unwrap();
        let took = [MS / 2, MS * 4, MS / 2][next.tenant];
        time[next.tenant] += took;
        queues.charge(next.tenant, took);
    }
    let (most, least) = (time.iter().max().unwrap(), time.iter().min().unwrap());
    assert!(*most - *least <= MS * 8, "{time:?}");
}

#[test]
fn a_tenant_that_was_idle_is_served_at_once() {
    let mut queues = queues(1000, 10_000);
    let (flood, quiet) = (queues.open(0, |_| "flood"), queues.open(1, |_| "quiet"));
    for n in 0..1000 {
        assert!(queues.push(flood, MS, Frame(n)).is_none());
    }
    for _ in 0..50 {
        let next = take(&mut queues).unwrap();
        queues.charge(next.tenant, MS / 2);
    }
    queues.push(quiet, MS, Frame(0));
    let served = (0..4).map(|_| {
        let next = take(&mut queues).unwrap();
        queues.charge(next.tenant, MS / 2);
        next.tenant
    });
    assert!(served.collect::<Vec<_>>().contains(&1), "within one quantum");
}

#[test]
fn a_full_queue_loses_its_oldest_and_a_full_worker_that_of_the_fullest_tenant() {
    let mut queues = queues(3, 5);
    let (flood, quiet) = (queues.open(0, |_| "flood"), queues.open(1, |_| "quiet"));
    for n in 0..3 {
        assert!(queues.push(flood, MS * n, Frame(n)).is_none());
    }
    let gone = queues.push(flood, MS * 3, Frame(3)).unwrap();
    assert_eq!((gone.job, gone.owner, gone.own_queue), (Frame(0), "flood", true));
    assert!(queues.push(quiet, MS, Frame(10)).is_none() && queues.push(quiet, MS, Frame(11)).is_none());
    let gone = queues.push(quiet, MS, Frame(12)).unwrap();
    assert_eq!((gone.job, gone.owner, gone.own_queue), (Frame(1), "flood", false));
    assert_eq!(queues.frames(), 5);
    assert_eq!(queues.discard(quiet, |_| true).len(), 3);
    assert_eq!(queues.close(flood).map(|(owner, jobs)| (owner, jobs.len())), Some(("flood", 2)));
    assert!(queues.pop().is_none() && queues.frames() == 0);
}

#[test]
fn of_a_thousand_full_lanes_the_oldest_frame_goes_and_what_is_kept_of_their_ages_is_bounded() {
    let mut queues = queues(10, 2000);
    let lanes: Vec<_> = (0..1000).map(|_| queues.open(0, |_| "flood")).collect();
    let mut sent = (0..).zip(lanes.iter().cycle());
    for (n, &lane) in sent.by_ref().take(2000) {
        assert!(queues.push(lane, MS * n, Frame(n)).is_none());
    }
    for (n, &lane) in sent.by_ref().take(1000) {
        assert_eq!(queues.push(lane, MS * n, Frame(n)).map(|gone| gone.job), Some(Frame(n - 2000)));
    }
    // What is served, or discarded, is no longer the oldest.
    assert_eq!(take(&mut queues).map(|next| next.job), Some(Frame(1000)));
    assert_eq!(queues.discard(lanes[1], |_| true).len(), 2);
    for (n, gone) in [(3000, None), (3001, None), (3002, None), (3003, Some(Frame(1002)))] {
        assert_eq!(queues.push(lanes[0], MS * n, Frame(n)).map(|gone| gone.job), gone, "{n}");
    }
    for (n, &lane) in sent.take(10_000) {
        queues.push(lane, MS * (n + 4), Frame(n));
        take(&mut queues);
    }
    assert!(queues.shares[0].by_age.len() <= 2 * 2000 + 65, "{}", queues.shares[0].by_age.len());
}

#[test]
fn of_a_busy_lane_nothing_is_taken_and_nothing_is_lost() {
    let mut queues = queues(10, 4);
    let (slow, other) = (queues.open(0, |_| "slow"), queues.open(0, |_| "other"));
    for n in 0..3 {
        queues.push(slow, MS * n, Frame(n));
    }
    let first = queues.pop().unwrap();
    assert_eq!((first.lane, first.job), (slow, Frame(0)));
    assert!(queues.pop().is_none() && !queues.is_idle() && queues.is_empty());
    queues.push(other, MS * 5, Frame(10));
    assert_eq!(take(&mut queues).map(|next| (next.lane, next.job)), Some((other, Frame(10))));
    // The queue of the worker is full: the oldest of the fullest tenant goes, busy or not.
    queues.push(other, MS * 6, Frame(11));
    queues.push(other, MS * 7, Frame(12));
    assert_eq!(queues.push(other, MS * 8, Frame(13)).map(|gone| gone.job), Some(Frame(1)));
    queues.done(slow);
    let rest: Vec<_> = std::iter::from_fn(|| take(&mut queues)).map(|next| next.job.0).collect();
    assert_eq!(rest, [11, 2, 12, 13]);
    assert!(queues.is_idle());
}

#[test]
fn a_tenant_whose_jobs_take_long_has_three_done_at_a_time_and_another_is_served_beside_them() {
    let mut queues = queues(10, 100);
    let sick: Vec<_> = (0..5).map(|_| queues.open(0, |_| "sick")).collect();
    let well = queues.open(1, |_| "well");
    for (&lane, n) in sick.iter().zip(0..) {
        queues.push(lane, MS, Frame(n));
    }
    let taken: Vec<_> = (0..3).map(|_| queues.pop().unwrap().lane).collect();
    assert_eq!(taken, sick[..3]);
    assert!(queues.pop().is_none() && queues.is_empty() && !queues.is_idle());
    queues.push(well, MS, Frame(9));
    assert_eq!(take(&mut queues).map(|next| next.job), Some(Frame(9)));
    queues.done(taken[0]);
    assert_eq!(queues.pop().map(|next| next.lane), Some(sick[3]));
    assert!(queues.pop().is_none());
    queues.close(taken[1]);
    assert_eq!(queues.pop().map(|next| next.lane), Some(sick[4]));
    [taken[2], sick[3], sick[4]].into_iter().for_each(|lane| queues.done(lane));
    assert!(queues.is_idle());
}

#[test]
fn a_lane_that_was_closed_while_it_was_busy_is_gone() {
    let mut queues = queues(10, 10);
    let lane = queues.open(0, |_| "a");
    queues.push(lane, MS, Frame(0));
    queues.push(lane, MS, Frame(1));
    let next = queues.pop().unwrap();
    assert_eq!(queues.close(next.lane), Some(("a", vec![Frame(1)])));
    assert!(queues.is_idle() && queues.frames() == 0);
}

#[test]
fn a_lane_is_vacant_where_no_frame_waits_and_none_of_its_own_is_being_done() {
    let mut queues = queues(10, 10);
    let (a, b) = (queues.open(0, |_| "a"), queues.open(1, |_| "b"));
    let vacant = |queues: &Queues<&'static str, Frame>| [a, b].map(|lane| queues.is_vacant(lane));
    assert_eq!(vacant(&queues), [true, true]);
    queues.push(a, MS, Frame(0));
    assert_eq!(vacant(&queues), [false, false], "one waits");
    assert_eq!(queues.pop().map(|next| next.lane), Some(a));
    assert_eq!(vacant(&queues), [false, true], "it is being done");
    queues.push(a, MS, Frame(1));
    assert_eq!(vacant(&queues), [false, false], "one waits behind it");
    queues.done(a);
    assert_eq!(take(&mut queues).map(|next| next.job), Some(Frame(1)));
    assert_eq!(vacant(&queues), [true, true]);
    queues.close(a);
    assert_eq!(vacant(&queues), [false, true]);
}
