//! How an encoder and a decoder do their work. What the guest returns is believed only where it can be.

use super::occupant::DecoderConfig;
use super::reply::Answer;
use super::seat::{Seat, broken};
use super::seated::answer_with;
use super::shared::Shared;
use super::work::DecodeWork;
use crate::EncoderConfig;
use sidetone_opus::{MAX_PACKET, MAX_SAMPLES};

pub(crate) fn encode(seat: &mut Seat<EncoderConfig>, shared: &Shared, pcm: &[i16], answer: Answer<Vec<u8>>) {
    let result = seat.call(shared, 1, |encoder, _| {
        let packet = encoder.encode(pcm)?;
        match packet.len() {
            1..=MAX_PACKET => Ok(packet),
            len => Err(broken(format!("an Opus packet of {len} bytes"))),
        }
    });
    answer_with(seat, answer, result);
}

pub(crate) fn decode(seat: &mut Seat<DecoderConfig>, shared: &Shared, work: DecodeWork) {
    let (result, answer) = match work {
        DecodeWork::Decode(packet, answer) => {
            (seat.call(shared, 1, |decoder, config| plausible(config, decoder.decode(&packet)?)), answer)
        }
        DecodeWork::Recover(following, samples, answer) => {
            let recover = |decoder: &mut crate::Decoder, config: &mut DecoderConfig| {
                plausible(config, decoder.recover(&following, samples)?)
            };
            (seat.call(shared, 1, recover), answer)
        }
        DecodeWork::Conceal(samples, answer) => {
            (seat.call(shared, 1, |decoder, config| plausible(config, decoder.conceal(samples)?)), answer)
        }
    };
    answer_with(seat, answer, result);
}

fn plausible(config: &DecoderConfig, pcm: Vec<i16>) -> Result<Vec<i16>, crate::Error> {
    let channels = config.channels.count();
    if pcm.len().is_multiple_of(channels) && pcm.len() <= MAX_SAMPLES * channels {
        return Ok(pcm);
    }
    Err(broken(format!("{} samples of {channels} channel(s) from one packet", pcm.len())))
}
