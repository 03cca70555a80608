//! Jobs on the pool that are no device session: encoders, decoders, single packets. And what they lose when their guest
//! fails: as sessions do, one frame.

use crate::support::*;
use sidetone_host::pool::{Refusal, RestartCause, RestartPolicy};
use sidetone_host::{
    Candidate, Cause, CodecError, Decoder, Encoder, EncoderConfig, Engine, Error, Key, OpenError, Pool, PoolError,
    Quota,
};
use sidetone_opus::{Bitrate, Channels, SampleRate};
use sidetone_packet::{FLAG_DOWNLINK, Header, KeySchedule, seal_with};
use std::time::Duration;

const RATE: SampleRate = SampleRate::Hz24000;
const MONO: Channels = Channels::Mono;

fn voice() -> EncoderConfig {
    EncoderConfig { bitrate: Bitrate::BitsPerSecond(24_000), ..EncoderConfig::voice(RATE, MONO) }
}

/// An encoder that fails in way `kind` at call `call`.
fn sick_voice(kind: u32, call: u32) -> EncoderConfig {
    EncoderConfig { bitrate: Bitrate::BitsPerSecond(0x1_0000 | kind << 8 | call), ..voice() }
}

/// A key that makes packets fail in way `kind` at call `call`.
fn sick_key(kind: u8, call: u8) -> Key {
    let mut bytes = [1; 16];
    bytes[..4].copy_from_slice(&[0xfa, 0x17, kind, call]);
    Key::new(bytes)
}

fn header(sequence: u32) -> Header {
    Header { flags: FLAG_DOWNLINK, payload_len: 0, connection_id: 9, timestamp: 60 * sequence, sequence }
}

/// A pool on the real component.
fn real(workers: usize) -> Pool {
    builder(16, workers).tenant("b", Quota::UNLIMITED).build(sidetone_artifact::COMPONENT).expect("starts")
}

#[test]
fn an_encoder_and_a_decoder_do_what_the_bare_ones_do() -> Result<(), PoolError> {
    let engine = Engine::new(&engine(4))?;
    let component = engine.compile(sidetone_artifact::COMPONENT)?;
    let mut bare_encoder = Encoder::open(component.instantiate()?, &voice())?;
    let mut bare_decoder = Decoder::open(component.instantiate()?, RATE, MONO)?;
    let pool = real(2);
    let (encoder, decoder) = (pool.encoder("a", voice()).wait()?, pool.decoder("a", RATE, MONO).wait()?);
    // All at once: they are done in order, by one codec each.
    let packets: Vec<_> = (0..30).map(|n| encoder.encode(speech(n))).collect();
    for (n, packet) in packets.into_iter().enumerate() {
        let packet = packet.wait()?;
        assert_eq!(packet, bare_encoder.encode(&speech(n as u32))?);
        assert_eq!(decoder.decode(packet.clone()).wait()?, bare_decoder.decode(&packet)?);
    }
    assert_eq!(decoder.conceal(1440).wait()?, bare_decoder.conceal(1440)?);
    assert_eq!(encoder.lookahead().wait()?, bare_encoder.lookahead()?);
    let (packet, range) = encoder.encode_with_range(speech(30)).wait()?;
    assert_eq!((&packet, range), (&bare_encoder.encode(&speech(30))?, bare_encoder.final_range()?));
    assert_eq!(decoder.decode(packet.clone()).wait()?, bare_decoder.decode(&packet)?);
    assert_eq!((decoder.final_range().wait()?, bare_decoder.final_range()?), (range, range));
    let next = bare_encoder.encode(&speech(31))?;
    assert_eq!(decoder.recover(next.clone(), 1440).wait()?, bare_decoder.recover(&next, 1440)?);
    let stats = pool.stats();
    assert_eq!((stats.sessions, stats.slots_used, stats.tenants["a"].frames), (2, 2, 64));
    encoder.close().wait()?;
    decoder.close().wait()?;
    assert_eq!((pool.stats().sessions, pool.stats().slots_used, pool.stats().tenants["a"].memory), (0, 0, 0));
    Ok(())
}

#[test]
fn bad_jobs_are_values_and_harm_nothing() -> Result<(), PoolError> {
    let pool = real(1);
    let encoder = pool.encoder("a", voice()).wait()?;
    let frame_length = PoolError::Guest(Error::Codec(CodecError::FrameLength(7)));
    assert_eq!(encoder.encode(vec![0; 7]).wait(), Err(frame_length));
    assert!(encoder.encode(speech(0)).wait().is_ok());
    let refused = pool.encoder("a", EncoderConfig { complexity: 11, ..voice() }).wait().map(drop);
    assert_eq!(refused, Err(PoolError::Guest(Error::Codec(CodecError::Complexity(11)))));
    let truncated = PoolError::Guest(Error::Open(OpenError::Truncated(5)));
    assert_eq!(pool.open_packet("a", &key(), vec![0; 5]).wait(), Err(truncated));
    assert_eq!(pool.encoder("nobody", voice()).wait().map(drop), Err(PoolError::UnknownTenant("nobody".to_owned())));
    assert_eq!(pool.stats().errors.into_iter().collect::<Vec<_>>(), [("codec", 1), ("truncated", 1)]);
    assert_eq!(pool.stats().slots_used, 2, "the encoder, and the packet functions");
    Ok(())
}

#[test]
fn packets_are_sealed_and_opened_as_the_packet_crate_does() -> Result<(), PoolError> {
    let pool = real(2);
    for n in 1..=100u32 {
        // More keys than are kept.
        let key = Key::new([n as u8; 16]);
        let payload: Vec<u8> = (0..n).map(|byte| byte as u8).collect();
        let mut expected = vec![0; 16 + payload.len()];
        seal_with(&KeySchedule::new(key.bytes()), &header(n), &payload, &mut expected).expect("seals");
        let datagram = pool.seal("a", &key, header(n), payload.clone()).wait()?;
        assert_eq!(datagram, expected);
        let header = Header { payload_len: n as u16, ..header(n) };
        assert_eq!(pool.open_packet("a", &key, datagram).wait()?, Candidate { header, payload });
        pool.forget("a", &key).wait()?;
    }
    let stats = pool.stats();
    assert_eq!((stats.tenants["a"].frames, stats.tenants["a"].sessions), (200, 2), "an instance a worker");
    Ok(())
}

#[test]
fn no_instance_for_packets_serves_two_tenants_and_a_replaced_tenants_ends() -> Result<(), PoolError> {
    let pool = real(1);
    for tenant in ["a", "b", "a", "b"] {
        pool.seal(tenant, &key(), header(1), vec![1]).wait()?;
    }
    let stats = pool.stats();
    assert_eq!((stats.slots_used, stats.tenants["a"].sessions, stats.tenants["b"].sessions), (2, 1, 1));
    pool.set_quota("b", Quota { sessions: Some(0), ..Quota::UNLIMITED });
    let refused = pool.seal("b", &key(), header(2), vec![1]).wait();
    assert_eq!(refused, Err(Refusal::Sessions { limit: 0 }.into()));
    assert_eq!(pool.forget("b", &key()).wait(), Ok(()), "there is nothing to forget");
    // What is done after it was closed finds it closed.
    pool.seal("a", &key(), header(3), vec![1]).wait()?;
    assert_eq!((pool.stats().slots_used, pool.stats().sessions), (1, 1));
    Ok(())
}

#[test]
fn a_fault_costs_a_codec_one_frame_and_the_codec_is_opened_again() {
    let policy = RestartPolicy { window: Duration::ZERO, ..RestartPolicy::default() };
    let pool = build(builder(8, 1).restart(policy));
    let well = pool.encoder("a", voice()).wait().expect("opens");
    for kind in [TRAP, RECURSION, MEMORY_BOMB, LYING_LENGTH, LYING_POINTER, LYING_COUNT] {
        let sick = pool.encoder("a", sick_voice(kind, 3)).wait().expect("opens");
        for n in 0..5 {
            match sick.encode(speech(n)).wait() {
                Ok(packet) => assert!(n != 2 && !packet.is_empty()),
                Err(PoolError::Restarted { lost_frames: 1, .. }) => assert_eq!(n, 2, "fault {kind}"),
                other => panic!("fault {kind}: {other:?}"),
            }
            assert!(well.encode(speech(n)).wait().is_ok());
        }
    }
    let decoder = pool.decoder("a", RATE, MONO).wait().expect("opens");
    for kind in [TRAP, LYING_LENGTH, LYING_POINTER, LYING_COUNT] {
        // A packet of one frame of 20 ms, whatever its bytes.
        let poison = vec![0x08, 1, 2, 3, 0xfa, 0x17, kind as u8];
        let failed = decoder.decode(poison).wait();
        assert!(matches!(failed, Err(PoolError::Restarted { lost_frames: 1, .. })), "fault {kind}: {failed:?}");
        assert_eq!(decoder.decode(vec![0x08, 1, 2, 3]).wait().map(|pcm| pcm.len()), Ok(480));
    }
    assert_eq!(pool.stats().tenants["a"].restarts, 10);
}

#[test]
fn a_fault_in_the_packet_functions_costs_one_packet() {
    let policy = RestartPolicy { window: Duration::ZERO, ..RestartPolicy::default() };
    let pool = build(builder(8, 1).restart(policy));
    let kinds = [TRAP, MEMORY_BOMB, LYING_LENGTH, NONCE_TWICE, LYING_POINTER, LYING_COUNT];
    for kind in kinds {
        let sick = sick_key(kind as u8, 1);
        let failed = pool.seal("a", &sick, header(1), vec![5; 100]).wait();
        assert!(matches!(failed, Err(PoolError::Restarted { lost_frames: 1, .. })), "fault {kind}: {failed:?}");
        let datagram = pool.seal("a", &key(), header(1), vec![5; 100]).wait().expect("seals");
        let failed = pool.open_packet("a", &sick, datagram.clone()).wait();
        assert!(matches!(failed, Err(PoolError::Restarted { lost_frames: 1, .. })), "fault {kind}: {failed:?}");
        assert_eq!(pool.open_packet("a", &key(), datagram).wait().map(|opened| opened.payload), Ok(vec![5; 100]));
    }
    assert_eq!(pool.stats().tenants["a"].restarts, 2 * kinds.len() as u64);
}

#[test]
fn a_storm_ends_an_instance_for_packets_and_the_next_packet_opens_another() {
    let policy = RestartPolicy { limit: 2, base: Duration::ZERO, ..RestartPolicy::default() };
    let pool = build(builder(8, 1).restart(policy));
    let sick = sick_key(TRAP as u8, 1);
    let failed = pool.seal("a", &sick, header(1), vec![5]).wait();
    assert!(matches!(failed, Err(PoolError::Restarted { .. })), "{failed:?}");
    assert!(pool.seal("a", &sick, header(2), vec![5]).wait().is_err_and(|error| error.is_closed()));
    assert_eq!(pool.seal("a", &key(), header(3), vec![5]).wait().map(|datagram| datagram.len()), Ok(17));
    assert_eq!((pool.stats().slots_used, pool.stats().sessions), (1, 1));
}

#[test]
fn jobs_have_deadlines_quotas_and_bounds_as_sessions_have() {
    let deadline = Duration::from_millis(50);
    let quota = Quota { deadline: Some(deadline), sessions: Some(1), ..Quota::UNLIMITED };
    let frames = Quota { frames_per_second: Some(3), ..Quota::UNLIMITED };
    let (time, clock) = clock(0);
    let pool = build(builder(8, 1).clock(clock).tenant("a", quota).tenant("b", frames).max_wait(PATIENT));
    let looping = pool.encoder("a", sick_voice(LOOP, 1)).wait().expect("opens");
    let cause = RestartCause::Guest(Cause::Deadline(deadline));
    assert_eq!(looping.encode(speech(0)).wait(), Err(PoolError::Restarted { cause, lost_frames: 1 }));
    let full = PoolError::from(Refusal::Sessions { limit: 1 });
    assert_eq!(pool.encoder("a", voice()).wait().map(drop), Err(full.clone()));
    assert_eq!(pool.seal("a", &key(), header(1), vec![1]).wait(), Err(full));
    // Three tokens, and time stands.
    let encoder = pool.encoder("b", voice()).wait().expect("opens");
    assert!(encoder.encode(speech(0)).wait().is_ok() && encoder.encode(speech(1)).wait().is_ok());
    assert!(pool.seal("b", &key(), header(1), vec![1]).wait().is_ok());
    let over = PoolError::from(Refusal::Frames { limit: 3 });
    assert_eq!(encoder.encode(speech(2)).wait(), Err(over.clone()));
    assert_eq!(pool.open_packet("b", &key(), vec![0; 20]).wait(), Err(over));
    // What has waited too long is given up.
    time.fetch_add(10_000, std::sync::atomic::Ordering::Relaxed);
    let slow = pool.encoder("b", sick_voice(SLOW, 40)).wait().expect("opens");
    let (first, late) = (slow.encode(speech(0)), slow.encode(speech(1)));
    time.fetch_add(3_600_000, std::sync::atomic::Ordering::Relaxed);
    drop(first.wait());
    assert!(matches!(late.wait(), Err(PoolError::Shed { .. })));
}
