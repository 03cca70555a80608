//! What waits for a worker: a lane a session, in order; between tenants, deficit round robin by the time their guests
//! take. Pure: the worker's lock is around it.

use slab::Slab;
use std::collections::VecDeque;
use std::time::Duration;

/// Guest time a tenant may use before the next one's turn, in ns: about one frame.
const QUANTUM: i64 = 1_000_000;

/// What may stand in a queue.
pub(crate) trait Queued {
    /// Whether it may be given up.
    fn is_frame(&self) -> bool;
}

/// Most frames that wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) session: usize,
    pub(crate) worker: usize,
}

/// The queues of one worker. `O` is what a session is known by outside.
#[derive(Debug)]
pub(crate) struct Queues<O, J> {
    bounds: Bounds,
    lanes: Slab<Lane<O, J>>,
    shares: Vec<Share>,
    /// Tenants with work, in turn.
    round: VecDeque<usize>,
    frames: usize,
}

#[derive(Debug)]
struct Lane<O, J> {
    owner: O,
    tenant: usize,
    jobs: VecDeque<(Duration, J)>,
}

#[derive(Debug, Default)]
struct Share {
    /// Sessions with work, in turn.
    ready: VecDeque<usize>,
    /// Guest time left of this turn, in ns; below 0 it is a debt.
    credit: i64,
    frames: usize,
    in_round: bool,
}

/// Work whose turn it is.
#[derive(Debug)]
pub(crate) struct Next<J> {
    pub(crate) lane: usize,
    pub(crate) tenant: usize,
    /// When it was queued.
    pub(crate) since: Duration,
    pub(crate) job: J,
}

/// Work that had to go.
#[derive(Debug)]
pub(crate) struct Removed<O, J> {
    pub(crate) owner: O,
    pub(crate) since: Duration,
    pub(crate) job: J,
    /// For want of room in the session's queue, else in the worker's.
    pub(crate) own_queue: bool,
}

impl<O: Clone, J: Queued> Queues<O, J> {
    pub(crate) const fn new(bounds: Bounds) -> Self {
        Self { bounds, lanes: Slab::new(), shares: Vec::new(), round: VecDeque::new(), frames: 0 }
    }

    /// Frames that wait.
    pub(crate) const fn frames(&self) -> usize {
        self.frames
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.round.is_empty()
    }

    /// A lane for a session; `owner` may need to know which.
    pub(crate) fn open(&mut self, tenant: usize, owner: impl FnOnce(usize) -> O) -> usize {
        if self.shares.len() <= tenant {
            self.shares.resize_with(tenant + 1, Share::default);
        }
        let entry = self.lanes.vacant_entry();
        let lane = entry.key();
        entry.insert(Lane { owner: owner(lane), tenant, jobs: VecDeque::new() });
        lane
    }

    /// Ends a lane and returns whose it was, and what still stood in it.
    pub(crate) fn close(&mut self, lane: usize) -> Option<(O, Vec<J>)> {
        let Lane { owner, tenant, jobs } = self.lanes.try_remove(lane)?;
        let share = &mut self.shares[tenant];
        share.ready.retain(|&ready| ready != lane);
        let frames = jobs.iter().filter(|(_, job)| job.is_frame()).count();
        share.frames -= frames;
        self.frames -= frames;
        Some((owner, jobs.into_iter().map(|(_, job)| job).collect()))
    }

    /// Ends all lanes, which are empty, and returns whose they were.
    pub(crate) fn close_all(&mut self) -> Vec<O> {
        self.lanes.drain().map(|lane| lane.owner).collect()
    }

    /// Queues a job of a lane that is open. Where a bound is reached, the oldest frame goes: of this session, or of
    /// the tenant that has the most waiting.
    pub(crate) fn push(&mut self, lane: usize, since: Duration, job: J) -> Option<Removed<O, J>> {
        let mut removed = None;
        if job.is_frame() {
            if self.lanes[lane].jobs.len() >= self.bounds.session {
                removed = self.remove_oldest(lane, true);
            } else if self.frames >= self.bounds.worker {
                removed = self.fullest().and_then(|lane| self.remove_oldest(lane, false));
            }
            self.frames += 1;
        }
        let Lane { tenant, jobs, .. } = &mut self.lanes[lane];
        let share = &mut self.shares[*tenant];
        share.frames += usize::from(job.is_frame());
        if jobs.is_empty() {
            share.ready.push_back(lane);
        }
        if !share.in_round {
            share.in_round = true;
            self.round.push_back(*tenant);
        }
        jobs.push_back((since, job));
        removed
    }

    /// Takes out the frames of a lane that `which` names.
    pub(crate) fn discard(&mut self, lane: usize, which: impl Fn(&J) -> bool) -> Vec<(Duration, J)> {
        let Lane { tenant, jobs, .. } = &mut self.lanes[lane];
        let had = !jobs.is_empty();
        let (gone, kept): (Vec<_>, Vec<_>) = std::mem::take(jobs).into_iter().partition(|(_, job)| which(job));
        *jobs = kept.into();
        let share = &mut self.shares[*tenant];
        if had && jobs.is_empty() {
            share.ready.retain(|&ready| ready != lane);
        }
        let frames = gone.iter().filter(|(_, job)| job.is_frame()).count();
        share.frames -= frames;
        self.frames -= frames;
        gone
    }

    /// The next job: each tenant until its share of guest time is used, its sessions in turn.
    pub(crate) fn pop(&mut self) -> Option<Next<J>> {
        loop {
            let tenant = *self.round.front()?;
            let share = &mut self.shares[tenant];
            let Some(&lane) = share.ready.front() else {
                self.round.pop_front();
                share.in_round = false;
                // What was not used is not saved up; a debt stays.
                share.credit = share.credit.min(0);
                continue;
            };
            if share.credit <= 0 {
                // Alone, it owes nobody.
                share.credit = if self.round.len() == 1 { QUANTUM } else { share.credit + QUANTUM };
                self.round.rotate_left(1);
                continue;
            }
            share.ready.pop_front();
            let jobs = &mut self.lanes[lane].jobs;
            let Some((since, job)) = jobs.pop_front() else { continue };
            if !jobs.is_empty() {
                share.ready.push_back(lane);
            }
            let frame = usize::from(job.is_frame());
            share.frames -= frame;
            self.frames -= frame;
            return Some(Next { lane, tenant, since, job });
        }
    }

    /// Charges a tenant for the time that one of its jobs took.
    pub(crate) fn charge(&mut self, tenant: usize, time: Duration) {
        if let Some(share) = self.shares.get_mut(tenant) {
            let nanos = i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
            // A debt is bounded: after an endless loop a tenant waits, it is not shut out.
            share.credit = share.credit.saturating_sub(nanos).max(-100 * QUANTUM);
        }
    }

    /// Everything, in no order: the pool is shut down.
    pub(crate) fn drain(&mut self) -> Vec<J> {
        self.round.clear();
        self.frames = 0;
        for share in &mut self.shares {
            *share = Share::default();
        }
        self.lanes.iter_mut().flat_map(|(_, lane)| lane.jobs.drain(..)).map(|(_, job)| job).collect()
    }

    fn remove_oldest(&mut self, lane: usize, own_queue: bool) -> Option<Removed<O, J>> {
        let Lane { owner, tenant, jobs } = &mut self.lanes[lane];
        let oldest = jobs.iter().position(|(_, job)| job.is_frame())?;
        let (since, job) = jobs.remove(oldest)?;
        let share = &mut self.shares[*tenant];
        share.frames -= 1;
        self.frames -= 1;
        if jobs.is_empty() {
            share.ready.retain(|&ready| ready != lane);
        }
        Some(Removed { owner: owner.clone(), since, job, own_queue })
    }

    /// The lane with the oldest frame, of the tenant with the most of them.
    fn fullest(&self) -> Option<usize> {
        let share = self.shares.iter().max_by_key(|share| share.frames)?;
        let oldest =
            |lane: usize| self.lanes[lane].jobs.iter().find(|(_, job)| job.is_frame()).map(|(since, _)| *since);
        share.ready.iter().copied().filter_map(|lane| Some((oldest(lane)?, lane))).min().map(|(_, lane)| lane)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Frame(u32);

    impl Queued for Frame {
        fn is_frame(&self) -> bool {
            true
        }
    }

    const MS: Duration = Duration::from_millis(1);

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
        let order: Vec<_> = std::iter::from_fn(|| queues.pop()).map(|next| (next.lane, next.job.0)).collect();
        for lane in lanes {
            let own: Vec<_> = order.iter().filter(|(of, _)| *of == lane).map(|(_, n)| *n).collect();
            assert!(own.len() == 5 && own.is_sorted());
        }
        assert!(queues.is_empty() && queues.frames() == 0);
    }

    #[test]
    fn tenants_get_the_same_time_however_many_frames_they_queue_or_however_long_these_take() {
        let mut queues = queues(1000, 10_000);
        let (flood, slow, quiet) =
            (queues.open(0, |_| "flood"), queues.open(1, |_| "slow"), queues.open(2, |_| "quiet"));
        for n in 0..1000 {
            queues.push(flood, MS, Frame(n));
            queues.push(slow, MS, Frame(n));
            queues.push(quiet, MS, Frame(n));
        }
        let mut time = [Duration::ZERO; 3];
        for _ in 0..600 {
            let next = queues.pop().unwrap();
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
            let next = queues.pop().unwrap();
            queues.charge(next.tenant, MS / 2);
        }
        queues.push(quiet, MS, Frame(0));
        let served = (0..4).map(|_| {
            let next = queues.pop().unwrap();
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
}
