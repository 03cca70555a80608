//! Turns of a call through a speech server: spoken, answered, heard, compared.

use super::speech_server::{Peer, Server};
use super::{Device, PATIENCE, Told, payload, speech, until};
use serde_json::json;
use sidetone_audio::{Pcm, resample};
use sidetone_gateway::bridge::SpeechServer;
use sidetone_gateway::{Config, Gateway};
use sidetone_opus::{Channels, Decoder, SampleRate};
use sidetone_protocol::message::{GatewayBody, ListenMode, Tts};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

pub(crate) const FAST: Duration = Duration::from_millis(8);

/// A device whose call goes on while others suffer.
pub(crate) const WELL: &str = "GID_a@@@aa_bb_cc_dd_ee_01@@@11111111-2222-4333-8444-555555555555";

/// A device whose call suffers.
pub(crate) const VICTIM: &str = "GID_a@@@aa_bb_cc_dd_ee_ff@@@66666666-2222-4333-8444-555555555555";

pub(crate) type Counts = Box<dyn Fn() -> Vec<(&'static str, u64)> + Send + Sync>;

pub(crate) async fn start(config: Config) -> (Gateway, Counts) {
    let bridge = SpeechServer::new(&config.bridge).expect("a usual URL");
    let counts = Box::new(bridge.watch());
    (Gateway::start_with(config, Box::new(bridge)).await.expect("it starts"), counts)
}

pub(crate) fn count(counts: &Counts, name: &str) -> u64 {
    counts().iter().find(|(of, _)| *of == name).expect("a name that there is").1
}

/// The speech as a server has it.
pub(crate) fn answer(rate: u32) -> Vec<i16> {
    resample(&Pcm::new(16_000, 1, speech()).unwrap(), rate).unwrap().samples
}

pub(crate) fn decoded(rate: SampleRate, packets: &[Vec<u8>]) -> Vec<i16> {
    let mut decoder = Decoder::new(rate, Channels::Mono).unwrap();
    let mut pcm = vec![0; rate.hz() as usize];
    let decode = |packet: &Vec<u8>| {
        let len = decoder.decode(packet, &mut pcm).unwrap();
        pcm[..len].to_vec()
    };
    packets.iter().flat_map(decode).collect()
}

/// Hears a turn, hands it to the test, answers it with `reply`.
pub(crate) async fn serve_turns(mut peer: Peer, heard: mpsc::UnboundedSender<Vec<Vec<u8>>>, reply: Arc<Vec<Vec<u8>>>) {
    peer.hello().await;
    loop {
        let turn = peer.hear_turn().await;
        if turn.is_empty() {
            return;
        }
        let _ = heard.send(turn);
        peer.say(json!({ "type": "stt", "text": "well heard" })).await;
        peer.tts("start").await;
        peer.say(json!({ "type": "tts", "state": "sentence_start", "text": "It is so." })).await;
        for packet in &*reply {
            peer.speak(packet).await;
        }
        peer.tts("stop").await;
    }
}

pub(crate) async fn turn_server(reply: Vec<Vec<u8>>) -> (Server, mpsc::UnboundedReceiver<Vec<Vec<u8>>>) {
    let (heard, turns) = mpsc::unbounded_channel();
    let reply = Arc::new(reply);
    (Server::start(move |peer| serve_turns(peer, heard.clone(), reply.clone())).await, turns)
}

/// Everything that came is what went, byte for byte and in order, and next to nothing is missing: on a busy machine the
/// pool gives up a frame that comes too late.
pub(crate) fn same(came: &[Vec<u8>], went: &[Vec<u8>]) {
    let mut rest = went.iter();
    let intact = came.iter().all(|packet| rest.any(|other| other == packet));
    assert!(
        intact,
        "of {} packets that came, one is none of the {} that went, or not in order",
        came.len(),
        went.len()
    );
    assert!(came.len() * 10 >= went.len() * 9, "{} of {} packets came", came.len(), went.len());
}

/// Speaks a turn in manual mode, and stops once all of it went on to the server; the packets that went.
pub(crate) async fn speak_turn(device: &mut Device, pcm: &[i16], counts: &Counts) -> Vec<Vec<u8>> {
    device.listen(ListenMode::Manual).await;
    let datagrams = device.seal(pcm);
    let all = count(counts, "packets_up") + datagrams.len() as u64;
    for datagram in &datagrams {
        device.send(datagram).await;
        sleep(FAST).await;
    }
    let _ = timeout(Duration::from_secs(3), until("all goes on", || count(counts, "packets_up") == all)).await;
    device.stop_listening().await;
    datagrams.iter().map(|datagram| payload(device, datagram)).collect()
}

/// Hears until tts stop: the packets as they came, and what was said besides.
pub(crate) async fn hear_packets(device: &mut Device) -> (Vec<Vec<u8>>, Vec<GatewayBody>) {
    let (mut heard, mut said, mut datagram) = (Vec::new(), Vec::new(), [0; 2048]);
    loop {
        tokio::select! {
            told = timeout(PATIENCE, device.told.recv()) => match told.expect("a stop").expect("the link stands") {
                Told::Message(message) => {
                    let stop = message.body == GatewayBody::Tts(Tts::Stop);
                    said.push(message.body);
                    if stop {
                        // What came before it may still wait to be read.
                        let rest = Duration::from_millis(100);
                        while let Ok(len) = timeout(rest, device.socket.recv(&mut datagram)).await {
                            heard.push(payload(device, &datagram[..len.unwrap()]));
                        }
                        return (heard, said);
                    }
                }
                Told::Audio(payload) => heard.push(payload),
            },
            len = device.socket.recv(&mut datagram) => heard.push(payload(device, &datagram[..len.unwrap()])),
        }
    }
}
