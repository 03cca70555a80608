//! Speech that comes faster than it is played: what was composed waits, what is live is dropped.

use crate::common::{Device, config, speech, until};
use sidetone_gateway::Gateway;
use sidetone_gateway::bridge::{Bridge, BridgeError, Call, Form, Leg, Speech, ToBackEnd, leg};
use sidetone_opus::SampleRate;
use sidetone_protocol::message::{GatewayBody, ListenMode, Tts};

/// Frames of 60 ms that come at once.
const FRAMES: u64 = 16;

/// Says so many frames at once, as after a stall.
#[derive(Debug)]
struct Jam {
    live: bool,
}

impl Bridge for Jam {
    fn name(&self) -> &'static str {
        "jam"
    }

    fn open(&self, _: &Call) -> Result<Leg, BridgeError> {
        let (call, end) = leg(Form::Packets, SampleRate::Hz24000);
        let live = self.live;
        tokio::spawn(async move {
            while let Some(told) = end.receive().await {
                // The device was heard: it can be reached.
                if !matches!(told, ToBackEnd::Audio(_)) {
                    continue;
                }
                let mut pieces = vec![Speech::Mark(Tts::Start)];
                pieces.extend(live.then_some(Speech::Live));
                pieces.extend((0..FRAMES).map(|_| Speech::Pcm(vec![0; 1440])));
                pieces.push(Speech::Mark(Tts::Stop));
                for piece in pieces {
                    if end.send(piece).await.is_err() {
                        return;
                    }
                }
            }
        });
        Ok(call)
    }
}

/// Frames that were sent, and those that were dropped.
async fn jammed(live: bool) -> (u64, u64) {
    let mut gateway = Gateway::start_with(config(), Box::new(Jam { live })).await.unwrap();
    let mut device = Device::connect(&mut gateway, "jammed").await;
    device.hello().await;
    device.listen(ListenMode::Realtime).await;
    let datagram = device.seal(&speech()[..960]).remove(0);
    device.send(&datagram).await;
    assert_eq!(device.hear().await.unwrap().body, GatewayBody::Tts(Tts::Start));
    assert_eq!(device.hear().await.unwrap().body, GatewayBody::Tts(Tts::Stop));
    let all = |gateway: &Gateway| {
        let counts = gateway.counts();
        (counts["downlink_packets"] + counts["downlink_unsent"], counts["downlink_shed"])
    };
    until("nothing is left", || all(&gateway).0 + all(&gateway).1 == FRAMES).await;
    let sent = all(&gateway);
    assert!(gateway.shut_down().await);
    sent
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_composed_is_heard_whole_and_what_is_live_does_not_come_later_and_later() {
    assert_eq!(jammed(false).await, (FRAMES, 0));
    let (sent, shed) = jammed(true).await;
    assert!((4..=8).contains(&sent), "a lead of three frames and the one that is played, not {sent}; {shed} dropped");
}
