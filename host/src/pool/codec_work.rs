//! How an encoder and a decoder do their work. What the guest returns is believed only where it can be.

use super::occupant::DecoderConfig;
use super::seat::{Seat, broken};
use super::seated::answer_with;
use super::shared::Shared;
use super::work::{DecodeWork, EncodeWork};
use crate::EncoderConfig;
use sidetone_opus::{MAX_PACKET, MAX_SAMPLES};

pub(crate) fn encode(seat: &mut Seat<EncoderConfig>, shared: &Shared, work: EncodeWork) {
    match work {
        EncodeWork::Encode(pcm, answer) => {
            let result = seat.call(shared, 1, |encoder, _| one_packet(encoder.encode(&pcm)?));
            answer_with(seat, answer, result);
        }
        EncodeWork::WithRange(pcm, answer) => {
            let result = seat.call(shared, 1, |encoder, _| {
                let packet = one_packet(encoder.encode(&pcm)?)?;
                Ok((packet, encoder.final_range()?))
            });
            answer_with(seat, answer, result);
        }
        EncodeWork::Lookahead(answer) => {
            let result = seat.call(shared, 0, |encoder, _| encoder.lookahead());
            drop(answer.send(result));
        }
    }
}

fn one_packet(packet: Vec<u8>) -> Result<Vec<u8>, crate::Error> {
    match packet.len() {
        1..=MAX_PACKET => Ok(packet),
        len => Err(broken(format!("an Opus packet of {len} bytes"))),
    }
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
        DecodeWork::FinalRange(answer) => {
            let result = seat.call(shared, 0, |decoder, _| decoder.final_range());
            drop(answer.send(result));
            return;
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
