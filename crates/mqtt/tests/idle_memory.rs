//! How much memory an idle connection holds. A process of its own, since it measures that.
#![cfg(target_os = "linux")]

#[path = "all/common/mod.rs"]
mod common;

use common::{connect_v311, let_in, listen};
use sidetone_mqtt::{Limits, Transport};
use std::io::{Read, Write};
use std::net::TcpStream;

/// Bytes of memory this process holds.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<usize>().unwrap() << 10
}

/// Connections that the limit of open files leaves room for; each has two ends here.
fn room() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    line.split_whitespace().next().unwrap().parse().map_or(usize::MAX, |files: usize| files.saturating_sub(100) / 2)
}

#[tokio::test]
async fn an_idle_connection_holds_less_than_8_kib() {
    let wanted = std::env::var("SIDETONE_IDLE_CONNECTIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(1000);
    let count = room().min(wanted);
    let (mut listener, _) = listen(Transport::Tcp).await;
    let (mut peers, mut before) = (Vec::new(), 0);
    // The first ones pay for what is there once.
    for number in 0..count + 20 {
        if number == 20 {
            before = resident();
        }
        let mut peer = TcpStream::connect(listener.local_addr()).unwrap();
        peer.write_all(&connect_v311(240)).unwrap();
        let mut connection = let_in(&mut listener, &Limits::default()).await;
        peer.read_exact(&mut [0; 4]).unwrap();
        // It has had a message and sent one, as a device that waits after its last call.
        peer.write_all(&common::publish(0, "device-server", 0, &[b' '; 1000])).unwrap();
        connection.receive().await.unwrap();
        connection.publish("devices/p2p/lamp", &[b' '; 1000]).await.unwrap();
        peer.read_exact(&mut [0; 1000]).unwrap();
        let waiting = tokio::spawn(async move { connection.receive().await });
        tokio::task::yield_now().await;
        peers.push((peer, waiting));
    }
    let each = resident().saturating_sub(before) / count;
    println!("{count} idle connections hold {each} bytes each");
    assert!(count >= 100, "{count} connections say little; raise the limit of open files");
    assert!(each < 8 << 10, "{each} bytes");
    assert!(peers.iter().all(|(_, waiting)| !waiting.is_finished()));
}
