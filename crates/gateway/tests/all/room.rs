//! A back end that is a room, of the test's own: 48 kHz in 10 ms in both directions all the time, for whoever is there.

use crate::common::{Device, FRAME_TIME, alike, config, speech};
use sidetone_gateway::Gateway;
use sidetone_gateway::bridge::{Bridge, BridgeError, Call, Form, Heard, Leg, LegEnd, Speech, ToBackEnd, leg};
use sidetone_opus::SampleRate;
use sidetone_protocol::message::{GatewayBody, ListenMode, Tts};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Samples of 10 ms at 48 kHz.
const PIECE: usize = 480;

/// What a room waits for before it plays somebody, so that a network that stutters is not heard.
const AHEAD: usize = PIECE * 30;

#[derive(Debug, Default)]
struct Participant {
    said: VecDeque<i16>,
    flows: bool,
}

impl Participant {
    /// The next 10 ms of it; silence, where there is none.
    fn piece(&mut self) -> Vec<i16> {
        self.flows = self.said.len() >= if self.flows { PIECE } else { AHEAD };
        if self.flows { self.said.drain(..PIECE).collect() } else { vec![0; PIECE] }
    }
}

type Participants = Arc<Mutex<Vec<(Arc<LegEnd>, Participant)>>>;

#[derive(Debug)]
struct Room(Participants);

impl Room {
    fn open() -> Self {
        let participants = Participants::default();
        let mixed = participants.clone();
        tokio::spawn(async move {
            let mut ticks = interval(Duration::from_millis(10));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            loop {
                ticks.tick().await;
                mix(&mut mixed.lock().unwrap());
            }
        });
        Self(participants)
    }
}

/// Everybody hears all others.
fn mix(participants: &mut Vec<(Arc<LegEnd>, Participant)>) {
    let pieces: Vec<_> = participants.iter_mut().map(|(_, participant)| participant.piece()).collect();
    let mut listener = 0;
    participants.retain(|(end, _)| {
        let others = pieces.iter().enumerate().filter(|(speaker, _)| *speaker != listener);
        let mut heard = vec![0_i16; PIECE];
        for (_, piece) in others {
            heard.iter_mut().zip(piece).for_each(|(sum, sample)| *sum = sum.saturating_add(*sample));
        }
        listener += 1;
        match end.try_room() {
            Ok(Some(room)) => room.send(Speech::Pcm(heard)),
            // A device that is behind misses it.
            Ok(None) => {}
            Err(_) => return false,
        }
        true
    });
}

impl Bridge for Room {
    fn name(&self) -> &'static str {
        "room"
    }

    fn open(&self, _: &Call) -> Result<Leg, BridgeError> {
        let (call, end) = leg(Form::Pcm(SampleRate::Hz48000), SampleRate::Hz48000);
        let (participants, end) = (self.0.clone(), Arc::new(end));
        tokio::spawn(async move {
            while let Some(told) = end.receive().await {
                match told {
                    ToBackEnd::StartCapture(_) => {
                        let begun = end.send(Speech::Mark(Tts::Start)).await;
                        if begun.is_ok() && end.send(Speech::Live).await.is_ok() {
                            participants.lock().unwrap().push((end.clone(), Participant::default()));
                        }
                    }
                    ToBackEnd::Audio(Heard::Pcm { samples, .. }) => {
                        let mut participants = participants.lock().unwrap();
                        let own = participants.iter_mut().find(|(other, _)| Arc::ptr_eq(other, &end));
                        if let Some((_, participant)) = own {
                            participant.said.extend(samples);
                        }
                    }
                    _ => {}
                }
            }
        });
        Ok(call)
    }
}

async fn join(gateway: &mut Gateway, name: &str) -> Device {
    let mut device = Device::connect(gateway, name).await;
    device.hello().await;
    device.listen(ListenMode::Realtime).await;
    assert_eq!(device.hear().await.unwrap().body, GatewayBody::Tts(Tts::Start));
    // Who was not heard cannot be reached.
    let silence = device.seal(&[0; 960]).remove(0);
    device.send(&silence).await;
    device
}

/// A machine that stands still for a moment makes live speech come in a jam, of which what would be heard late is dropped:
/// then the test is made anew.
#[tokio::test(flavor = "multi_thread")]
async fn who_joins_a_room_late_hears_the_others_from_then_on() {
    let mut found = Vec::new();
    while found.len() < 3 {
        found.push(heard_by_one_who_is_late().await);
        if found.last().is_some_and(|likeness| *likeness > 0.9) {
            return;
        }
    }
    panic!("{found:?}");
}

/// How alike what somebody hears who joins late is to what is said from then on.
async fn heard_by_one_who_is_late() -> f64 {
    let mut gateway = Gateway::start_with(config(), Box::new(Room::open())).await.unwrap();
    let mut speaker = join(&mut gateway, "speaker").await;
    let spoken = speech();
    let (before, after) = spoken.split_at(960 * 16);
    speaker.speak(before, FRAME_TIME).await;
    let mut late = join(&mut gateway, "late").await;
    let rest = after.len();
    let heard = tokio::spawn(async move {
        let (mut heard, mut datagram) = (Vec::new(), [0; 2048]);
        let listening = async {
            loop {
                let len = late.socket.recv(&mut datagram).await.expect("loopback");
                let session = late.session.as_mut().expect("after hello");
                heard.extend_from_slice(session.receive(&datagram[..len]).expect("a good packet").samples);
            }
        };
        let lasting = Duration::from_millis(rest as u64 / 16 + 1_000);
        assert!(timeout(lasting, listening).await.is_err(), "a room never falls silent");
        heard
    });
    speaker.speak(after, FRAME_TIME).await;
    let heard = heard.await.unwrap();
    let likeness = alike((16_000, after), (24_000, &heard));
    println!("likeness of what was heard in a room: {likeness:.3}");
    assert!(gateway.shut_down().await);
    likeness
}
