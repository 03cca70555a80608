//! One seat of any kind, and how each kind of work is done there.

use super::codec_work;
use super::handle::Handle;
use super::occupant::{DecoderConfig, Occupant, PacketCache, Stream};
use super::packet_work;
use super::reply::Answer;
use super::seat::Seat;
use super::session::Meta;
use super::shared::Shared;
use super::stream_work;
use super::work::{Opening, Work};
use super::{PoolError, RestartCause};
use crate::{EncoderConfig, Error};
use sidetone_session::Quality;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

pub(crate) enum Seated {
    Stream(Seat<Stream>),
    Encoder(Seat<EncoderConfig>),
    Decoder(Seat<DecoderConfig>),
    Packets(Seat<PacketCache>),
}

impl Seated {
    /// Opens what is asked for, and answers. Where it fails, the answer is still to be given, when the lane is gone.
    pub(crate) fn open(shared: &Shared, opening: Opening) -> Result<Self, Refused> {
        match opening {
            Opening::Session { key, config, session, answer } => {
                let opened = Seat::open(session.0.meta.clone(), Stream::new(key, config), shared);
                reply(answer, opened, session, |session| session.0).map(Self::Stream)
            }
            Opening::Encoder { config, encoder, answer } => {
                let opened = Seat::open(encoder.0.meta.clone(), config, shared);
                reply(answer, opened, encoder, |encoder| encoder.0).map(Self::Encoder)
            }
            Opening::Decoder { config, decoder, answer } => {
                let opened = Seat::open(decoder.0.meta.clone(), config, shared);
                reply(answer, opened, decoder, |decoder| decoder.0).map(Self::Decoder)
            }
            Opening::Packets(meta) => Ok(Self::Packets(Seat::new(meta, PacketCache))),
        }
    }

    pub(crate) const fn meta(&self) -> &Arc<Meta> {
        match self {
            Self::Stream(seat) => &seat.meta,
            Self::Encoder(seat) => &seat.meta,
            Self::Decoder(seat) => &seat.meta,
            Self::Packets(seat) => &seat.meta,
        }
    }

    /// Frames that are lost if the guest dies of this work.
    pub(crate) fn stake(&self, work: &Work) -> u32 {
        match (self, work) {
            (Self::Stream(seat), Work::Stream(work)) => stream_work::stake(seat, work),
            _ => u32::from(work.is_audio()),
        }
    }

    /// Does one piece of work, with `lost` frames at stake, and answers it.
    pub(crate) fn serve(&mut self, shared: &Shared, level: Quality, lost: u32, work: Work) {
        match (self, work) {
            (Self::Stream(seat), Work::Stream(work)) => stream_work::serve(seat, shared, level, lost, work),
            (Self::Encoder(seat), Work::Encode(work)) => codec_work::encode(seat, shared, work),
            (Self::Decoder(seat), Work::Decode(work)) => codec_work::decode(seat, shared, work),
            (Self::Packets(seat), Work::Packet(work)) => packet_work::serve(seat, shared, work),
            (_, work) => work.refuse(PoolError::Lost),
        }
    }

    /// The host panicked while it was served.
    pub(crate) fn survive_panic(&mut self, shared: &Shared, lost: u32) {
        let cause = RestartCause::HostPanic;
        drop(match self {
            Self::Stream(seat) => seat.restart(shared, cause, lost),
            Self::Encoder(seat) => seat.restart(shared, cause, lost),
            Self::Decoder(seat) => seat.restart(shared, cause, lost),
            Self::Packets(seat) => seat.restart(shared, cause, lost),
        });
    }

    /// Ends it for its owner: the guest zeroises its keys and wipes what it held of the audio, the slot is free.
    pub(crate) fn leave(&mut self, shared: &Shared) {
        // One that fails here is gone all the same, and its slot is zeroed before it is used again.
        match self {
            Self::Stream(seat) => stream_work::leave(seat, shared),
            Self::Encoder(seat) => drop(seat.leave(shared).map(crate::Encoder::close)),
            Self::Decoder(seat) => drop(seat.leave(shared).map(crate::Decoder::close)),
            Self::Packets(seat) => drop(seat.leave(shared)),
        }
    }
}

/// Tells the opener that it failed.
pub(crate) type Refused = Box<dyn FnOnce()>;

/// Hands its owner what was opened. Where nobody waits any more, dropping it closes it.
fn reply<S, T: 'static>(
    answer: Answer<T>,
    opened: Result<S, PoolError>,
    owned: T,
    handle: impl FnOnce(T) -> Handle,
) -> Result<S, Refused> {
    match opened {
        Ok(seat) => {
            drop(answer.send(Ok(owned)));
            Ok(seat)
        }
        Err(error) => {
            handle(owned).give_up();
            Err(Box::new(move || drop(answer.send(Err(error)))))
        }
    }
}

/// Counts what came of work, and answers.
pub(crate) fn answer_with<O: Occupant, T>(seat: &mut Seat<O>, answer: Answer<T>, result: Result<T, PoolError>) {
    let meta = &seat.meta;
    match &result {
        Ok(_) => {
            meta.tenant.frames.add(1);
            meta.frames.fetch_add(1, Relaxed);
        }
        Err(PoolError::Guest(error)) if !matches!(error, Error::Failed(_)) => {
            meta.tenant.errors.add(error.label());
            meta.errors.fetch_add(1, Relaxed);
        }
        Err(_) => {}
    }
    seat.note_memory();
    drop(answer.send(result));
}
