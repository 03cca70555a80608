//! Opens one direction of one session in two steps: what the header allows is checked first, and the caller's judgement
//! of the plaintext decides before any state moves.

use crate::counters::Counters;
use crate::error::{AcceptError, HeaderError, OpenError};
use crate::header::{Direction, Header};
use crate::jump::Row;
use crate::key_schedule::{KEY_LEN, KeySchedule};
use crate::overlap::KeystreamHistory;
use crate::replay::{Freshness, OpenerState, ReplayWindow};
use crate::stateless::decrypt;

/// How far ahead of the stream a single packet is believed, by default: 30 s of 60 ms frames.
pub const DEFAULT_FORWARD_LIMIT: u32 = 500;

/// What an [`Opener`] lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenerConfig {
    /// How far a sequence number may be above the highest accepted (above 0 where none was accepted yet) for one
    /// packet to be enough. Farther ones are held until [`PACKETS_IN_A_ROW`](crate::PACKETS_IN_A_ROW) plausible ones
    /// follow each other.
    pub forward_limit: u32,
    /// Opening downlink: take packets without [`FLAG_DOWNLINK`](crate::FLAG_DOWNLINK) too, because gateways other than
    /// ours never set it. Then a reflected packet of one's own cannot be told from a genuine one. Off by default;
    /// without meaning uplink, where the bit is always refused.
    pub accept_unmarked_downlink: bool,
}

impl Default for OpenerConfig {
    fn default() -> Self {
        Self { forward_limit: DEFAULT_FORWARD_LIMIT, accept_unmarked_downlink: false }
    }
}

/// A packet that was decrypted and awaits the caller's judgement. Only [`Opener::open`] makes one, and each can be
/// decided once.
#[derive(Debug)]
#[must_use = "a candidate counts for nothing until it is given to `accept` or `reject`"]
pub struct Candidate {
    header: Header,
}

impl Candidate {
    /// The packet's header. Not authenticated: nothing in this protocol is.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Bytes of plaintext.
    #[must_use]
    pub const fn payload_len(&self) -> usize {
        self.header.payload_len as usize
    }
}

/// A packet that was taken into the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Accepted {
    /// The packet's header.
    pub header: Header,
    /// Sequence numbers missing between the highest accepted before and this packet: what there is to conceal. 0 for a
    /// late packet and for the first of a stream. Large after a resynchronisation: bound what you do with it.
    pub gap: u32,
    /// A packet with a higher sequence number was accepted before this one.
    pub late: bool,
    /// Shares keystream with a packet accepted earlier (by this opener: what was accepted before a restart is not
    /// known).
    pub keystream_overlap: bool,
    /// The window moved farther than the forward limit: the stream continues elsewhere.
    pub resynchronised: bool,
}

/// Opens the packets of one direction of one session. Keeps the key schedule; allocates nothing a packet.
#[derive(Debug)]
pub struct Opener {
    schedule: KeySchedule,
    connection_id: u32,
    direction: Direction,
    config: OpenerConfig,
    window: ReplayWindow,
    row: Row,
    history: KeystreamHistory,
    counters: Counters,
}

impl Opener {
    /// An opener for packets that travel in `direction`: a gateway opens [`Direction::Uplink`].
    #[must_use]
    pub fn new(key: &[u8; KEY_LEN], connection_id: u32, direction: Direction, config: OpenerConfig) -> Self {
        Self {
            schedule: KeySchedule::new(key),
            connection_id,
            direction,
            config,
            window: ReplayWindow::new(),
            row: Row::default(),
            history: KeystreamHistory::new(),
            counters: Counters::default(),
        }
    }

    /// Checks a datagram's header and decrypts it: the plaintext is the first [`payload_len`](Candidate::payload_len)
    /// bytes of `out`, and [`MAX_PAYLOAD`](crate::MAX_PAYLOAD) bytes always suffice. Only counters change.
    ///
    /// # Errors
    /// Every variant of [`OpenError`]. `out` is then untouched.
    pub fn open(&mut self, datagram: &[u8], out: &mut [u8]) -> Result<Candidate, OpenError> {
        let result = self.check(datagram).and_then(|(header, ciphertext)| {
            decrypt(&self.schedule, &header, ciphertext, out)?;
            Ok(Candidate { header })
        });
        *match &result {
            Ok(_) => &mut self.counters.opened,
            Err(OpenError::Header(HeaderError::Truncated { .. })) => &mut self.counters.truncated,
            Err(OpenError::Header(HeaderError::UnknownType { .. })) => &mut self.counters.unknown_type,
            Err(OpenError::Header(HeaderError::LengthMismatch { .. })) => &mut self.counters.length_mismatch,
            Err(OpenError::Header(HeaderError::PayloadSize { .. })) => &mut self.counters.payload_size,
            Err(OpenError::ForeignConnection { .. }) => &mut self.counters.foreign_connection,
            Err(OpenError::WrongDirection { .. }) => &mut self.counters.wrong_direction,
            Err(OpenError::Replayed { .. }) => &mut self.counters.replayed,
            Err(OpenError::TooOld { .. }) => &mut self.counters.too_old,
            Err(OpenError::OutputTooSmall { .. }) => return result,
        } += 1;
        result
    }

    /// Takes a plausible packet into the stream: the replay window moves.
    ///
    /// A packet more than the forward limit ahead is held instead, until a row of plausible packets that follow each
    /// other closely has come with no other accepted packet and no implausible far one between them; the last of the
    /// row is accepted, the ones before it count as seen.
    ///
    /// # Errors
    /// [`AcceptError::Held`]: drop the packet, more must follow. [`AcceptError::Overtaken`]: drop it, another candidate
    /// with its number was accepted since. [`AcceptError::ForeignCandidate`]: a mistake of the caller's.
    pub fn accept(&mut self, candidate: Candidate) -> Result<Accepted, AcceptError> {
        let header = self.own(candidate)?;
        let sequence = header.sequence;
        let freshness = self.window.check(sequence);
        let (ahead, mut gap, late) = match freshness {
            Freshness::First => (sequence, 0, false),
            Freshness::Ahead(by) => (by, by - 1, false),
            Freshness::Late(_) => (0, 0, true),
            Freshness::Replayed | Freshness::TooOld => {
                self.counters.overtaken += 1;
                return Err(AcceptError::Overtaken { sequence });
            }
        };
        let far = ahead > self.config.forward_limit;
        if far {
            let Some(row) = self.row.push(sequence) else {
                self.counters.held += 1;
                return Err(AcceptError::Held { sequence, ahead, more_needed: self.row.missing() });
            };
            // The earlier ones of the row arrived, though they were not played.
            gap = gap.saturating_sub(row.len() as u32 - 1);
            row.into_iter().for_each(|seen| self.window.mark(seen));
        }
        self.row.interrupt();
        self.window.mark(sequence);
        let keystream_overlap = self.history.record(&header);

        self.counters.accepted += 1;
        self.counters.late += u64::from(late);
        self.counters.skipped += u64::from(gap);
        self.counters.keystream_overlap += u64::from(keystream_overlap);
        self.counters.resynchronised += u64::from(far);
        Ok(Accepted { header, gap, late, keystream_overlap, resynchronised: far })
    }

    /// Drops a packet whose plaintext is not plausible: only counters change, and a row of far packets is broken.
    ///
    /// # Errors
    /// [`AcceptError::ForeignCandidate`]: a mistake of the caller's.
    pub fn reject(&mut self, candidate: Candidate) -> Result<(), AcceptError> {
        let header = self.own(candidate)?;
        self.counters.rejected += 1;
        let ahead = match self.window.check(header.sequence) {
            Freshness::First => header.sequence,
            Freshness::Ahead(by) => by,
            _ => 0,
        };
        if ahead > self.config.forward_limit {
            self.row.interrupt();
        }
        Ok(())
    }

    /// What must survive a restart so that no packet is accepted twice.
    #[must_use]
    pub const fn state(&self) -> OpenerState {
        self.window.state()
    }

    /// Continues after `state`. What either has seen counts as seen: an older state changes nothing for the worse.
    pub fn restore(&mut self, state: OpenerState) {
        self.window.merge(state);
    }

    /// What was opened and refused so far.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The session's connection id.
    #[must_use]
    pub const fn connection_id(&self) -> u32 {
        self.connection_id
    }

    /// The direction of the packets that are opened.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    fn check<'d>(&self, datagram: &'d [u8]) -> Result<(Header, &'d [u8]), OpenError> {
        let (header, ciphertext) = Header::split(datagram)?;
        if header.connection_id != self.connection_id {
            let (found, expected) = (header.connection_id, self.connection_id);
            return Err(OpenError::ForeignConnection { found, expected });
        }
        let direction_fits = match self.direction {
            Direction::Uplink => !header.is_downlink(),
            Direction::Downlink => header.is_downlink() || self.config.accept_unmarked_downlink,
        };
        if !direction_fits {
            return Err(OpenError::WrongDirection { flags: header.flags });
        }
        let sequence = header.sequence;
        match (self.window.check(sequence), self.window.highest()) {
            (Freshness::Replayed, _) => Err(OpenError::Replayed { sequence }),
            (Freshness::TooOld, Some(highest)) => Err(OpenError::TooOld { sequence, highest }),
            _ => Ok((header, ciphertext)),
        }
    }

    fn own(&self, candidate: Candidate) -> Result<Header, AcceptError> {
        let (found, expected) = (candidate.header.connection_id, self.connection_id);
        if found != expected {
            return Err(AcceptError::ForeignCandidate { found, expected });
        }
        Ok(candidate.header)
    }
}
