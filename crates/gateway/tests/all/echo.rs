//! Calls to the echo, end to end: real UDP, real instances, real speech.

use crate::common::{Device, FRAME_TIME, config, likeness, speech, until};
use sidetone_gateway::Gateway;
use sidetone_protocol::message::{DeviceBody, GatewayBody, ListenMode, Tts};
use std::time::Duration;
use tokio::time::sleep;

const FAST: Duration = Duration::from_millis(8);

/// After so long nothing more comes.
const QUIET: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread")]
async fn what_is_spoken_comes_back_between_start_and_stop() {
    let mut gateway = Gateway::start(config()).await.unwrap();
    let mut device = Device::connect(&mut gateway, "GID_a@@@aa_bb_cc_dd_ee_01@@@u").await;
    device.hello().await;
    device.listen(ListenMode::Manual).await;
    let spoken = speech();
    device.speak(&spoken, FAST).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    device.stop_listening().await;
    let (heard, said) = device.play_turn().await;
    let kinds: Vec<_> = said.iter().map(kind).collect();
    // Messages and speech are two queues: only the marks are in the order of the speech.
    assert_eq!(kinds.iter().filter(|kind| !kind.starts_with("tts")).collect::<Vec<_>>(), [&"stt", &"llm"]);
    let marks: Vec<_> = kinds.into_iter().filter(|kind| kind.starts_with("tts")).collect();
    assert_eq!(marks, ["tts start", "tts sentence_start", "tts stop"]);
    let frames = spoken.len() / 960;
    assert_eq!(heard.len() % 1440, 0);
    // A machine that is busy may give up a frame or two that are too old; the stop overtakes none.
    assert!((frames - 3..=frames).contains(&(heard.len() / 1440)), "{} of {frames} frames", heard.len() / 1440);
    let likeness = likeness(&spoken, &heard);
    assert!(likeness > 0.9, "{likeness}");
    device.say(DeviceBody::Goodbye).await;
    until("the call ends", || gateway.calls() == 0).await;
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_realtime_mode_each_frame_comes_back_at_once() {
    let mut gateway = Gateway::start(config()).await.unwrap();
    let mut device = Device::connect(&mut gateway, "GID_a@@@aa_bb_cc_dd_ee_02@@@u").await;
    device.hello().await;
    device.listen(ListenMode::Realtime).await;
    assert_eq!(device.hear().await.unwrap().body, GatewayBody::Tts(Tts::Start));
    for datagram in device.seal(&speech()[..960 * 10]) {
        device.send(&datagram).await;
        assert_eq!(device.receive().await.len(), 1440);
        sleep(FRAME_TIME).await;
    }
    assert!(gateway.shut_down().await);
    assert_eq!(device.hear().await.unwrap().body, GatewayBody::Goodbye);
    assert!(device.hear().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interruption_stops_speech_within_a_frame() {
    let mut gateway = Gateway::start(config()).await.unwrap();
    let mut device = Device::connect(&mut gateway, "GID_a@@@aa_bb_cc_dd_ee_03@@@u").await;
    device.hello().await;
    device.listen(ListenMode::Manual).await;
    device.speak(&speech(), FAST).await;
    device.stop_listening().await;
    for _ in 0..5 {
        device.receive().await;
    }
    device.say(DeviceBody::Abort { reason: None }).await;
    while device.hear().await.unwrap().body != GatewayBody::Tts(Tts::Stop) {}
    // What was on its way may still come: no more than that.
    let mut late = 0;
    while device.receive_within(QUIET).await.is_some() {
        late += 1;
    }
    assert!(late <= 6, "{late} frames after the stop: the device held up to six, sent before it");
    assert!(gateway.shut_down().await);
}

fn kind(body: &GatewayBody) -> &'static str {
    match body {
        GatewayBody::Stt { .. } => "stt",
        GatewayBody::Llm { .. } => "llm",
        GatewayBody::Tts(Tts::Start) => "tts start",
        GatewayBody::Tts(Tts::SentenceStart { .. }) => "tts sentence_start",
        GatewayBody::Tts(Tts::Stop) => "tts stop",
        _ => "something else",
    }
}
