//! Any inputs at any times: one session at a time, every hello settled once, outputs and deadlines bounded.

use crate::common::{endpoint, ms};
use proptest::prelude::*;
use sidetone_protocol::Time;
use sidetone_protocol::message::{
    Alert, AudioParams, DeviceBody, DeviceHello, DeviceMessage, GatewayBody, Listen, ListenMode, Tts, Unknown,
};
use sidetone_protocol::session::{Config, EndCause, GatewaySession, Grant, HelloId, Input, MAX_OUTPUTS, Output};

#[derive(Clone, Debug)]
enum Step {
    Device(Option<u8>, DeviceBody),
    Grant { back: u64 },
    Refuse { back: u64 },
    Other(Input),
    Played { ahead: u64 },
    Wait { to_deadline: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let mode = prop::sample::select(vec![ListenMode::Auto, ListenMode::Manual, ListenMode::Realtime]);
    let unknown = Unknown { kind: "iot".into(), fields: Default::default() };
    let body = prop_oneof![
        2 => Just(DeviceBody::Hello(DeviceHello::default())),
        1 => Just(DeviceBody::Hello(DeviceHello {
            audio_params: AudioParams { channels: 9, ..AudioParams::DEVICE },
            ..DeviceHello::default()
        })),
        4 => mode.prop_map(|mode| DeviceBody::Listen(Listen::Start { mode })),
        2 => Just(DeviceBody::Listen(Listen::Stop)),
        2 => Just(DeviceBody::Abort { reason: None }),
        2 => Just(DeviceBody::Goodbye),
        1 => Just(DeviceBody::Unknown(unknown)),
    ];
    let other = prop_oneof![
        4 => Just(Input::Send(GatewayBody::Tts(Tts::Start))),
        2 => Just(Input::Send(GatewayBody::Tts(Tts::SentenceStart { text: String::new() }))),
        4 => Just(Input::Send(GatewayBody::Tts(Tts::Stop))),
        1 => Just(Input::Send(GatewayBody::Goodbye)),
        1 => Just(Input::Close(EndCause::Shutdown)),
        1 => Just(Input::Disconnected),
        3 => any::<bool>().prop_map(|silent| Input::AudioHeard { silent }),
    ];
    prop_oneof![
        6 => (prop::option::of(0..6_u8), body).prop_map(|(id, body)| Step::Device(id, body)),
        4 => (0..2_u64).prop_map(|back| Step::Grant { back }),
        1 => (0..2_u64).prop_map(|back| Step::Refuse { back }),
        6 => other.prop_map(Step::Other),
        2 => (0..100_000_u64).prop_map(|ahead| Step::Played { ahead }),
        3 => any::<bool>().prop_map(|to_deadline| Step::Wait { to_deadline }),
    ]
}

/// What an owner of the session knows by its outputs alone.
#[derive(Default)]
struct Seen {
    now: u64,
    asked: Option<HelloId>,
    last_hello: u64,
    live: Option<String>,
    speaking: bool,
    opened: u64,
}

impl Seen {
    fn input(&mut self, step: Step, deadline: Option<Time>) -> Input {
        match step {
            Step::Device(id, body) => {
                let session_id = match (id, &body) {
                    (_, DeviceBody::Hello(_)) | (None, _) => None,
                    (Some(0), _) => Some("foreign".into()),
                    (Some(_), _) => self.live.clone(),
                };
                Input::Message(DeviceMessage { session_id, body })
            }
            Step::Grant { back } => {
                let hello = HelloId(self.last_hello.saturating_sub(back));
                let session_id = format!("s{}-{}", hello.0, self.opened);
                Input::Grant(Grant { hello, session_id, downlink: AudioParams::GATEWAY, udp: Some(endpoint()) })
            }
            Step::Refuse { back } => {
                let hello = HelloId(self.last_hello.saturating_sub(back));
                Input::Refuse { hello, alert: Alert::sad("a", "b") }
            }
            Step::Other(input) => input,
            Step::Played { ahead } => Input::AudioPlayed { until: ms(self.now + ahead) },
            Step::Wait { to_deadline } => {
                self.now = match deadline {
                    Some(deadline) if to_deadline => deadline.as_millis(),
                    _ => self.now + 777,
                };
                Input::Tick
            }
        }
    }

    fn output(&mut self, output: Output) {
        match output {
            Output::Hello { hello, .. } => {
                assert!(self.asked.is_none() && self.live.is_none(), "a hello while one waits or lives");
                assert_eq!(hello.0, self.last_hello + 1);
                self.last_hello = hello.0;
                self.asked = Some(hello);
            }
            Output::HelloCancelled { hello } => assert_eq!(self.asked.take(), Some(hello)),
            Output::OpenMedia(media) => {
                assert!(self.live.is_none(), "two sessions alive");
                assert!(self.asked.take().is_some(), "a session nobody asked for");
                self.live = Some(media.session_id);
                self.opened += 1;
                self.speaking = false;
            }
            Output::CloseMedia { session_id, .. } => assert_eq!(self.live.take(), Some(session_id)),
            Output::Send(message) => match message.body {
                GatewayBody::Hello(_) => assert_eq!(message.session_id, self.live, "the reply follows its media"),
                GatewayBody::Tts(Tts::Start) => {
                    assert!(!core::mem::replace(&mut self.speaking, true), "two starts");
                }
                GatewayBody::Tts(Tts::Stop) => {
                    assert!(core::mem::replace(&mut self.speaking, false), "a stop without a start");
                }
                GatewayBody::Tts(Tts::SentenceStart { .. }) => assert!(self.speaking),
                _ => {}
            },
            Output::StartCapture { .. } | Output::StopCapture | Output::Abort { .. } => assert!(self.live.is_some()),
            _ => {}
        }
    }
}

proptest! {
    #[test]
    fn any_walk_keeps_the_rules(steps in prop::collection::vec((step(), 0..400_u64), 1..120)) {
        let mut session = GatewaySession::new(Config::default());
        let mut seen = Seen::default();
        for (step, passed) in steps {
            seen.now += passed;
            let input = seen.input(step, session.next_timeout());
            let refusing = matches!(&input, Input::Refuse { hello, .. } if Some(*hello) == seen.asked);
            let outputs = session.handle(ms(seen.now), input);
            prop_assert!(outputs.len() <= MAX_OUTPUTS, "{:?}", outputs);
            if refusing {
                seen.asked = None;
            }
            outputs.into_iter().for_each(|output| seen.output(output));

            prop_assert_eq!(session.session_id(), seen.live.as_deref());
            prop_assert_eq!(session.is_asked(), seen.asked.is_some());
            prop_assert_eq!(session.is_speaking(), seen.live.is_some() && seen.speaking);
            prop_assert_eq!(session.next_timeout().is_some(), seen.live.is_some() || seen.asked.is_some());
            let quiet = session.handle(ms(seen.now), Input::Tick);
            prop_assert!(quiet.is_empty(), "what is due comes at once: {:?}", quiet);
            if let Some(deadline) = session.next_timeout() {
                prop_assert!(deadline.as_millis() > seen.now && deadline.as_millis() <= seen.now + 120_000);
            }
        }
        // Left alone, it comes to its end.
        for _ in 0..3 {
            if let Some(deadline) = session.next_timeout() {
                session.handle(deadline, Input::Tick).into_iter().for_each(|output| seen.output(output));
            }
        }
        prop_assert_eq!(session.next_timeout(), None);
        prop_assert!(seen.live.is_none());
    }
}
