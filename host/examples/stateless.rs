//! Short jobs without a device session: a codec by itself, single packets. They have a tenant's quotas, deadlines and
//! restarts as sessions do.

use sidetone_host::{EncoderConfig, Key, Pool, Quota};
use sidetone_opus::{Channels, SampleRate};
use sidetone_packet::Header;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = Pool::builder().tenant("tools", Quota::UNLIMITED).build(sidetone_artifact::COMPONENT)?;

    // One encoder, one decoder: a stream's frames stay on one codec, in order. This thread may block: it does its jobs
    // itself where the worker is idle. Async code awaits `encode`, `decode`, `seal` and `open_packet`.
    let encoder = pool.encoder("tools", EncoderConfig::voice(SampleRate::Hz24000, Channels::Mono)).wait()?;
    let decoder = pool.decoder("tools", SampleRate::Hz16000, Channels::Mono).wait()?;
    let packet = encoder.blocking_encode(vec![0; 1440])?;
    let pcm = decoder.blocking_decode(packet.clone())?;
    println!("60 ms at 24 kHz are {} bytes, and {} samples at 16 kHz", packet.len(), pcm.len());

    // One packet: the caller makes the header, and answers for it that no two are the same.
    let key = Key::new([7; 16]);
    let header = Header { flags: 0, payload_len: 0, connection_id: 1, timestamp: 60, sequence: 1 };
    let datagram = pool.blocking_seal("tools", &key, header, packet.clone())?;
    assert_eq!(pool.blocking_open_packet("tools", &key, datagram)?.payload, packet);
    pool.forget("tools", &key).wait()?;
    Ok(())
}

#[test]
fn it_runs() {
    // A busy machine may miss a deadline.
    assert!((0..3).any(|_| main().is_ok()));
}
