//! What waits for a worker: a lane a session, in order; between tenants, deficit round robin by the time their guests
//! take. Pure: the worker's lock is around it.
//!
//! A tenant that had nothing waiting comes before the round, for one turn: who sends a frame now and then does not wait
//! behind a backlog. It is in the round after that until its turn there has come, so that nobody gets ahead by keeping
//! the queue short (this is how FQ-CoDel, RFC 8290, treats new flows).
//!
//! A lane whose job was taken is busy until it is [`done`](Queues::done): nobody else gets its next one, so that a
//! session's frames stay in order whichever thread serves them.

use slab::Slab;
use std::collections::VecDeque;
use std::time::Duration;

/// Guest time a tenant may use before the next one's turn, in ns: about one frame.
const QUANTUM: i64 = 1_000_000;

/// Jobs of one tenant that are done at a time: more than one where its guests take long, and fewer than a worker has
/// threads, so that there is always one for the others.
pub(crate) const MOST_BUSY: usize = 3;

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
    /// Tenants that had no work before, in turn: they come first.
    fresh: VecDeque<usize>,
    /// The other tenants with work, in turn, and those whose turn has not come since they had some.
    round: VecDeque<usize>,
    frames: usize,
}

#[derive(Debug)]
struct Lane<O, J> {
    owner: O,
    tenant: usize,
    jobs: VecDeque<(Duration, J)>,
    /// One of its jobs is being done.
    busy: bool,
}

#[derive(Debug, Default)]
struct Share {
    /// Sessions with work, in turn; none that is busy.
    ready: VecDeque<usize>,
    busy: Vec<usize>,
    /// Guest time left of this turn, in ns; below 0 it is a debt.
    credit: i64,
    frames: usize,
    /// Frames by age, as lanes were given them; also some that are gone by now.
    by_age: VecDeque<(Duration, usize)>,
    /// Among those whose turn comes.
    listed: bool,
}

impl Share {
    /// The session whose job may be taken.
    fn next(&self) -> Option<usize> {
        self.ready.front().copied().filter(|_| self.busy.len() < MOST_BUSY)
    }
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
        Self {
            bounds,
            lanes: Slab::new(),
            shares: Vec::new(),
            fresh: VecDeque::new(),
            round: VecDeque::new(),
            frames: 0,
        }
    }

    /// Frames that wait.
    pub(crate) const fn frames(&self) -> usize {
        self.frames
    }

    /// Nothing can be taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.fresh.iter().chain(&self.round).all(|&tenant| self.shares[tenant].next().is_none())
    }

    /// No frame waits, nothing can be taken, and what is queued in this lane next can.
    pub(crate) fn is_vacant(&self, lane: usize) -> bool {
        self.frames == 0
            && self.is_empty()
            && self.lanes.get(lane).is_some_and(|lane| !lane.busy && lane.jobs.is_empty())
    }

    /// Nothing waits, and nothing is being done.
    pub(crate) fn is_idle(&self) -> bool {
        self.is_empty() && self.shares.iter().all(|share| share.busy.is_empty())
    }

    /// A lane for a session; `owner` may need to know which.
    pub(crate) fn open(&mut self, tenant: usize, owner: impl FnOnce(usize) -> O) -> usize {
        if self.shares.len() <= tenant {
            self.shares.resize_with(tenant + 1, Share::default);
        }
        let entry = self.lanes.vacant_entry();
        let lane = entry.key();
        entry.insert(Lane { owner: owner(lane), tenant, jobs: VecDeque::new(), busy: false });
        lane
    }

    /// Whose a lane is.
    pub(crate) fn owner(&self, lane: usize) -> Option<&O> {
        self.lanes.get(lane).map(|lane| &lane.owner)
    }

    /// Ends a lane and returns whose it was, and what still stood in it.
    pub(crate) fn close(&mut self, lane: usize) -> Option<(O, Vec<J>)> {
        let Lane { owner, tenant, jobs, .. } = self.lanes.try_remove(lane)?;
        let share = &mut self.shares[tenant];
        share.ready.retain(|&ready| ready != lane);
        share.busy.retain(|&busy| busy != lane);
        self.enlist(tenant);
        let frames = jobs.iter().filter(|(_, job)| job.is_frame()).count();
        self.shares[tenant].frames -= frames;
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
            self.note_age(lane, since);
        }
        let Lane { tenant, jobs, busy, .. } = &mut self.lanes[lane];
        let (tenant, becomes_ready) = (*tenant, jobs.is_empty() && !*busy);
        self.shares[tenant].frames += usize::from(job.is_frame());
        jobs.push_back((since, job));
        if becomes_ready {
            self.make_ready(tenant, lane);
        }
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

    fn make_ready(&mut self, tenant: usize, lane: usize) {
        self.shares[tenant].ready.push_back(lane);
        self.enlist(tenant);
    }

    /// Gives a tenant its turn, if it has anything that can be taken.
    fn enlist(&mut self, tenant: usize) {
        let share = &mut self.shares[tenant];
        if share.listed || share.next().is_none() {
            return;
        }
        share.listed = true;
        // What it owes, it still owes: then it is not the next one.
        share.credit += QUANTUM;
        let list = if share.credit > 0 { &mut self.fresh } else { &mut self.round };
        list.push_back(tenant);
    }

    /// The next job, whose lane is busy from now on: each tenant until its share of guest time is used, its sessions in turn.
    pub(crate) fn pop(&mut self) -> Option<Next<J>> {
        loop {
            let fresh = !self.fresh.is_empty();
            let alone = self.fresh.len() + self.round.len() == 1;
            let list = if fresh { &mut self.fresh } else { &mut self.round };
            let tenant = *list.front()?;
            let share = &mut self.shares[tenant];
            let next = share.next();
            let Some(lane) = next.filter(|_| share.credit > 0) else {
                list.pop_front();
                if next.is_some() {
                    // Alone, it owes nobody.
                    share.credit = if alone { QUANTUM } else { share.credit + QUANTUM };
                } else if !fresh {
                    share.listed = false;
                    // What was not used is not saved up; a debt stays.
                    share.credit = share.credit.min(0);
                    continue;
                }
                self.round.push_back(tenant);
                continue;
            };
            share.ready.pop_front();
            let Lane { jobs, busy, .. } = &mut self.lanes[lane];
            let Some((since, job)) = jobs.pop_front() else { continue };
            *busy = true;
            share.busy.push(lane);
            let frame = usize::from(job.is_frame());
            share.frames -= frame;
            self.frames -= frame;
            return Some(Next { lane, tenant, since, job });
        }
    }

    /// The job that was taken from a lane is done: its next one may be taken.
    pub(crate) fn done(&mut self, lane: usize) {
        let Some(Lane { tenant, jobs, busy, .. }) = self.lanes.get_mut(lane) else { return };
        *busy = false;
        let (tenant, waits) = (*tenant, !jobs.is_empty());
        self.shares[tenant].busy.retain(|&busy| busy != lane);
        if waits {
            self.make_ready(tenant, lane);
        } else {
            self.enlist(tenant);
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
        self.fresh.clear();
        self.round.clear();
        self.frames = 0;
        for share in &mut self.shares {
            *share = Share { busy: std::mem::take(&mut share.busy), ..Share::default() };
        }
        self.lanes.iter_mut().flat_map(|(_, lane)| lane.jobs.drain(..)).map(|(_, job)| job).collect()
    }

    fn remove_oldest(&mut self, lane: usize, own_queue: bool) -> Option<Removed<O, J>> {
        let Lane { owner, tenant, jobs, .. } = &mut self.lanes[lane];
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

    /// Takes note of a frame that is queued now.
    fn note_age(&mut self, lane: usize, since: Duration) {
        let (tenant, lanes) = (self.lanes[lane].tenant, &self.lanes);
        let Share { by_age, frames, .. } = &mut self.shares[tenant];
        if by_age.len() > 2 * *frames + 64 {
            by_age.retain(|&(since, lane)| oldest(lanes, tenant, lane).is_some_and(|oldest| oldest <= since));
        }
        by_age.push_back((since, lane));
    }

    /// The lane with the oldest frame, of the tenant with the most of them. Does not look at every lane: a tenant that has
    /// thousands, all full, would keep the worker's lock.
    fn fullest(&mut self) -> Option<usize> {
        let (tenant, share) = self.shares.iter_mut().enumerate().max_by_key(|(_, share)| share.frames)?;
        while let Some((since, lane)) = share.by_age.pop_front() {
            if oldest(&self.lanes, tenant, lane) == Some(since) {
                return Some(lane);
            }
        }
        // Callers that read the clock at once may be in another order than the queue has them.
        let lanes = share.ready.iter().chain(&share.busy).copied();
        lanes.filter_map(|lane| Some((oldest(&self.lanes, tenant, lane)?, lane))).min().map(|(_, lane)| lane)
    }
}

/// Since when a tenant's oldest frame in a lane waits.
fn oldest<O, J: Queued>(lanes: &Slab<Lane<O, J>>, tenant: usize, lane: usize) -> Option<Duration> {
    let lane = lanes.get(lane).filter(|lane| lane.tenant == tenant)?;
    lane.jobs.iter().find(|(_, job)| job.is_frame()).map(|(since, _)| *since)
}

#[cfg(test)]
mod flood;
#[cfg(test)]
mod tests;
