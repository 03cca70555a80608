//! Connections on which no MQTT is spoken.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Hostile;
use super::pace::Pace;
use crate::Shared;
use crate::random::Random;
use crate::stats::{add, count};

/// How long a connection is kept that the gateway does not close.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most connections of an attack at a time.
const MOST: usize = 1_000;

/// Garbage, and MQTT that is broken in one place.
pub(super) async fn malformed_mqtt(shared: &Shared, hostile: Hostile, mut random: Random) {
    let server = shared.options.server();
    let mut pace = Pace::new(hostile.rate);
    let mut under_way = JoinSet::new();
    loop {
        for _ in 0..pace.due().await {
            while under_way.try_join_next().is_some_and(|refused| {
                refused.unwrap_or(false).then(|| count(&shared.stats.counters.hostile_refused));
                true
            }) {}
            if under_way.len() < MOST {
                count(&shared.stats.counters.hostile_sent);
                under_way.spawn(say(server.clone(), malformed(&mut random)));
            }
        }
    }
}

/// Says something; `true` where the gateway then closes, or does not even open.
async fn say(server: String, bytes: Vec<u8>) -> bool {
    let all = async {
        let mut stream = TcpStream::connect(&server).await?;
        stream.write_all(&bytes).await?;
        while stream.read(&mut [0; 256]).await? > 0 {}
        Ok::<_, std::io::Error>(())
    };
    // Both a closed connection and a reset one are refusals.
    timeout(PATIENCE, all).await.is_ok()
}

fn malformed(random: &mut Random) -> Vec<u8> {
    // CONNECT of MQTT 3.1.1: protocol name and level, clean session, keep-alive, a client id.
    let connect = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04evil";
    match random.below(7) {
        0 => b"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n".to_vec(),
        // A length that never ends, and one of 256 MB.
        1 => vec![0x10, 0xff, 0xff, 0xff, 0xff, 0xff],
        2 => vec![0x10, 0xff, 0xff, 0xff, 0x7f, 0x00],
        // PUBLISH before CONNECT.
        3 => b"\x30\x05\x00\x03a/bx".to_vec(),
        4 => (0..64).map(|_| random.bits() as u8).collect(),
        // After a good CONNECT, a reserved type.
        5 => [&connect[..], &[0xf0, 0x00]].concat(),
        _ => {
            let mut bytes = connect.to_vec();
            bytes[random.below(12) as usize] ^= 1 << random.below(8);
            bytes
        }
    }
}

/// Connections that say nothing, as many as the attack may have at a time.
pub(super) async fn connection_flood(shared: &Shared, hostile: Hostile) {
    let server = shared.options.server();
    let mut pace = Pace::new(hostile.rate);
    let mut open: VecDeque<TcpStream> = VecDeque::new();
    loop {
        for _ in 0..pace.due().await {
            count(&shared.stats.counters.hostile_sent);
            match timeout(PATIENCE, TcpStream::connect(&server)).await {
                Ok(Ok(stream)) => open.push_back(stream),
                _ => count(&shared.stats.counters.hostile_refused),
            }
            if open.len() > MOST {
                open.pop_front();
            }
        }
        // One the gateway closed reads as ended.
        let before = open.len();
        open.retain(|stream| !matches!(stream.try_read(&mut [0; 16]), Ok(0)));
        add(&shared.stats.counters.hostile_refused, (before - open.len()) as u64);
    }
}
