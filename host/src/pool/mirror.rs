//! What a session's instance may take with it when it dies, kept outside of it: nonces, replay window, place.
//!
//! Nothing leaves an instance without passing here, and the datagrams themselves are read, not what the guest says of
//! them. So no nonce leaves twice, whatever the guest does: a datagram whose sequence number is not above every one that
//! has left is a broken return value, and ends the instance. What a dying call had sealed never left; its
//! numbers are free, and the restarted session goes on with them without a gap on the wire.

use crate::{Cause, Error, Received, SendError};
use sidetone_packet::Header;
use sidetone_session::{Config, Delivery, Kind, Role, State};

#[derive(Debug)]
pub(crate) struct Mirror {
    /// With `resume` where the session stands.
    config: Config,
    /// Samples that wait in the guest for the rest of their frame.
    pending: usize,
}

impl Mirror {
    pub(crate) const fn new(config: Config) -> Self {
        Self { config, pending: 0 }
    }

    /// What a fresh instance is opened with.
    pub(crate) const fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) const fn state(&self) -> State {
        self.config.resume
    }

    /// Frames lost if the guest dies while it has `samples` of PCM to send.
    pub(crate) fn at_stake(&self, samples: usize) -> u32 {
        (self.pending + samples).div_ceil(self.config.outgoing.frame_samples().max(1)) as u32
    }

    /// Whether PCM waits for the rest of its frame.
    pub(crate) const fn between_frames(&self) -> bool {
        self.pending == 0
    }

    /// The instance is gone, and with it what waited there.
    pub(crate) const fn died(&mut self) {
        self.pending = 0;
    }

    /// Takes note of a datagram that went in, and of what is said to have come of it.
    pub(crate) fn received(&mut self, datagram: &[u8], received: &Received) -> Result<(), Cause> {
        let incoming = &self.config.incoming;
        let Ok((header, _)) = Header::split(datagram) else {
            return Err(broken("a datagram without a header was taken for audio".to_owned()));
        };
        let audio = matches!(received.kind, Kind::Audio | Kind::Undecodable);
        let made = received.concealed.saturating_add(received.recovered);
        let frames = match incoming.delivery {
            Delivery::Pcm => u64::from(made) + u64::from(audio),
            Delivery::Packets => 0,
        };
        if made > u32::from(incoming.max_concealed)
            || received.samples.len() as u64 != frames * incoming.frame_samples() as u64
            || received.payload.len() > datagram.len()
        {
            return Err(broken(format!(
                "{} samples for {made} made-up frames and kind {:?}",
                received.samples.len(),
                received.kind
            )));
        }
        let per_channel = incoming.frame.samples(incoming.rate) as u64;
        let state = &mut self.config.resume;
        state.received(header.sequence);
        let passed = per_channel * (u64::from(made) + u64::from(audio));
        state.position = state.position.max(received.position.saturating_add(passed));
        Ok(())
    }

    /// Takes note of PCM that went in, and checks and notes the datagrams that came of it.
    pub(crate) fn sent(&mut self, samples: usize, datagrams: &[Vec<u8>]) -> Result<(), Cause> {
        let frame = self.config.outgoing.frame_samples().max(1);
        self.pending = (self.pending + samples) % frame;
        datagrams.iter().try_for_each(|datagram| self.leaves(datagram))
    }

    /// PCM was refused. Where a frame could not be coded or sealed, the guest drops what waits.
    pub(crate) const fn failed(&mut self, error: &Error) {
        if matches!(error, Error::Send(SendError::Codec(_) | SendError::Seal(_))) {
            self.emptied();
        }
    }

    /// What waited was sent, or dropped.
    pub(crate) const fn emptied(&mut self) {
        self.pending = 0;
    }

    /// Takes note of a datagram that is about to leave.
    pub(crate) fn leaves(&mut self, datagram: &[u8]) -> Result<(), Cause> {
        let (header, _) =
            Header::split(datagram).map_err(|error| broken(format!("what it sealed is no datagram: {error}")))?;
        let sealed = self.config.resume.sealed;
        if header.connection_id != self.config.connection_id {
            return Err(broken("it sealed for another session".to_owned()));
        }
        let downlink = self.config.role == Role::Gateway;
        let repeats = header.sequence < sealed.next_sequence || header.sequence == u32::MAX;
        if repeats || (downlink && (header.timestamp <= sealed.last_timestamp || !header.is_downlink())) {
            return Err(broken(format!(
                "sequence {} timestamp {} after {} and {}: a nonce twice",
                header.sequence, header.timestamp, sealed.next_sequence, sealed.last_timestamp
            )));
        }
        self.config.resume.sent(&header);
        Ok(())
    }
}

fn broken(what: String) -> Cause {
    Cause::BrokenReturn(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram(sequence: u32, timestamp: u32) -> Vec<u8> {
        let header = Header { flags: 1, payload_len: 3, connection_id: 9, timestamp, sequence };
        [&header.to_bytes()[..], &[1, 2, 3]].concat()
    }

    #[test]
    fn no_nonce_leaves_twice_whatever_the_guest_returns() {
        let mut mirror = Mirror::new(Config::gateway(9));
        assert_eq!(mirror.sent(1440, &[datagram(1, 10)]), Ok(()));
        for (sequence, timestamp) in [(1, 20), (0, 20), (2, 10), (2, 9), (u32::MAX, 20)] {
            let refused = mirror.sent(1440, &[datagram(sequence, timestamp)]);
            assert!(matches!(refused, Err(Cause::BrokenReturn(_))), "{sequence} {timestamp}");
        }
        assert!(mirror.sent(2880, &[datagram(2, 20), datagram(2, 30)]).is_err(), "not even in one batch");
        assert_eq!(mirror.state().sealed.next_sequence, 3);
        assert!(mirror.leaves(&[0; 16]).is_err() && mirror.leaves(&datagram(3, 40)[..18]).is_err());
    }

    #[test]
    fn what_is_at_stake_is_what_waits_and_what_comes() {
        let mut mirror = Mirror::new(Config::gateway(9));
        assert_eq!((mirror.at_stake(1440), mirror.at_stake(10)), (1, 1));
        assert_eq!(mirror.sent(1000, &[]), Ok(()));
        assert_eq!((mirror.at_stake(440), mirror.at_stake(1440), mirror.between_frames()), (1, 2, false));
        mirror.died();
        assert!(mirror.between_frames());
    }
}
