//! Both halves of a session.

use crate::incoming::{Received, Receiver, Undecodable};
use crate::outgoing::Sender;
use crate::{Codec, Config, ConfigError, Quality, ReceiveError, SendError, Stats};
use sidetone_packet::{Header, KEY_LEN, OpenerState, ReplayWindow, SealerState, wipe_stack};

/// What must survive a restart: plain numbers, no key.
///
/// Whoever owns an instance that may die keeps this outside of it, with [`sent`](Self::sent) and
/// [`received`](Self::received) after each call: a dead instance cannot be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// Nonces used.
    pub sealed: SealerState,
    /// Packets seen.
    pub opened: OpenerState,
    /// Place of the next packet in the stream, in samples a channel at the session's rate.
    pub position: u64,
}

impl State {
    /// The state of a session that has done nothing.
    pub const START: Self = Self { sealed: SealerState::START, opened: ReplayWindow::new().state(), position: 0 };

    /// Takes note of a datagram that left the session.
    pub fn sent(&mut self, header: &Header) {
        self.sealed.observe(header);
    }

    /// Takes note of a packet that the session took in. Its place in the stream is told by
    /// [`Received::position`](crate::Received::position) and the samples that stand there.
    pub fn received(&mut self, sequence: u32) {
        let mut window = ReplayWindow::new();
        window.merge(self.opened);
        window.mark(sequence);
        self.opened = window.state();
    }
}

impl Default for State {
    fn default() -> Self {
        Self::START
    }
}

/// One device's voice stream, both directions.
///
/// Owns the AES key schedules, zeroised when it is dropped, one encoder and one decoder. About 150 kB. After it is
/// opened, nothing allocates.
pub struct Session<C: Codec> {
    receiver: Receiver<C::Decoder>,
    sender: Sender<C::Encoder>,
    stats: Stats,
}

#[cfg(feature = "libopus")]
impl Session<crate::Libopus> {
    /// Opens a session on libopus.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(key: &[u8; KEY_LEN], config: &Config) -> Result<Self, ConfigError> {
        Self::with_codec(key, config)
    }
}

impl<C: Codec> Session<C> {
    /// Opens a session on another codec.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn with_codec(key: &[u8; KEY_LEN], config: &Config) -> Result<Self, ConfigError> {
        config.check()?;
        let Config { role, connection_id, incoming, outgoing, quality, resume } = *config;
        let decoder = || C::decoder(incoming.rate, incoming.channels);
        let receiver = Receiver::new(key, connection_id, role, incoming, resume, decoder)?;
        let sender = Sender::new(key, connection_id, role, outgoing, quality, resume, C::encoder)?;
        // Expanding the key left copies of it on the stack.
        wipe_stack::<4>();
        Ok(Self { receiver, sender, stats: Stats::default() })
    }

    /// Takes one datagram in. See [`Received`] for what comes of it.
    ///
    /// # Errors
    /// [`ReceiveError`]: the datagram was dropped, and nothing but counters changed.
    pub fn receive(&mut self, datagram: &[u8]) -> Result<Received<'_>, ReceiveError> {
        self.receiver.receive(datagram, &mut self.stats)
    }

    /// Takes interleaved PCM of any length, and hands each datagram that it fills to `emit`. What does not fill a
    /// frame waits for more, or for [`flush`](Self::flush). Returns the datagrams emitted.
    ///
    /// `timestamp_ms` is that of the first datagram (a gateway: milliseconds since the hello).
    ///
    /// # Errors
    /// [`SendError`]. The frame at fault is dropped with all after it; datagrams emitted before stay valid.
    pub fn send(&mut self, pcm: &[i16], timestamp_ms: u32, mut emit: impl FnMut(&[u8])) -> Result<u32, SendError> {
        self.sender.send(pcm, timestamp_ms, &mut self.stats, &mut emit)
    }

    /// Ends a talk spurt: sends what waits, filled up with silence, and as many frames more (one, unless they are
    /// shorter than 10 ms) as the encoder's look-ahead (6.5 ms) would else keep the end of it. Nothing after a flush
    /// until there is new PCM. Returns the datagrams emitted.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn flush(&mut self, timestamp_ms: u32, mut emit: impl FnMut(&[u8])) -> Result<u32, SendError> {
        self.sender.flush(timestamp_ms, &mut self.stats, &mut emit)
    }

    /// Drops what waits and forgets what was said: the speaker was interrupted.
    pub fn discard(&mut self) {
        self.sender.discard();
    }

    /// Seals a payload that was encoded elsewhere: Opus passed through.
    ///
    /// # Errors
    /// [`SendError::Seal`].
    pub fn send_payload(
        &mut self,
        payload: &[u8],
        timestamp_ms: u32,
        mut emit: impl FnMut(&[u8]),
    ) -> Result<(), SendError> {
        self.sender.send_payload(payload, timestamp_ms, &mut self.stats, &mut emit)
    }

    /// Takes a step of the quality ladder, from the next frame on.
    ///
    /// # Errors
    /// [`SendError::Codec`].
    pub fn set_quality(&mut self, quality: Quality) -> Result<(), SendError> {
        Ok(self.sender.set_quality(quality)?)
    }

    /// The step in force.
    #[must_use]
    pub fn quality(&self) -> Quality {
        self.sender.quality()
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats { packets: *self.receiver.opener().counters(), ..self.stats }
    }

    /// The start of the last payload that could not be decoded.
    #[must_use]
    pub fn undecodable(&self) -> Option<Undecodable> {
        self.receiver.undecodable()
    }

    /// What must survive a restart.
    #[must_use]
    pub fn state(&self) -> State {
        State {
            sealed: self.sender.sealer().state(),
            opened: self.receiver.opener().state(),
            position: self.receiver.position(),
        }
    }
}

impl<C: Codec> core::fmt::Debug for Session<C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Session").field("state", &self.state()).finish_non_exhaustive()
    }
}
