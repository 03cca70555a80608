//! A device and a gateway talk to each other through JSON, whatever their users do: they agree, and fall silent.

use crate::common::{endpoint, ms};
use proptest::prelude::*;
use sidetone_protocol::device::{self, Activity, Device};
use sidetone_protocol::message::{Alert, AudioParams, DeviceMessage, GatewayBody, GatewayMessage, ListenMode, Tts};
use sidetone_protocol::session::{self, EndCause, GatewaySession, Grant};

struct Line {
    now: u64,
    device: Device,
    gateway: GatewaySession,
    sessions: u64,
}

impl Line {
    fn new(config: device::Config) -> Self {
        let gateway = GatewaySession::new(session::Config::default());
        let mut line = Self { now: 0, device: Device::new(config, 1), gateway, sessions: 0 };
        line.device(device::Input::Start);
        line
    }

    /// Carries out what follows from an input, until nothing does. Returns how many messages were exchanged.
    fn device(&mut self, input: device::Input) -> usize {
        let mut exchanged = 0;
        let outputs = self.device.handle(ms(self.now), input);
        assert!(outputs.len() <= device::MAX_OUTPUTS, "{outputs:?}");
        for output in outputs {
            match output {
                device::Output::Connect => exchanged += self.device(device::Input::Connected),
                device::Output::Send(message) => {
                    exchanged += 1;
                    let message = DeviceMessage::parse(message.to_json().as_bytes()).unwrap();
                    exchanged += self.gateway(session::Input::Message(message));
                }
                _ => {}
            }
        }
        exchanged
    }

    fn gateway(&mut self, input: session::Input) -> usize {
        let mut exchanged = 0;
        for output in self.gateway.handle(ms(self.now), input) {
            match output {
                session::Output::Hello { hello, .. } => {
                    self.sessions += 1;
                    let session_id = format!("s{}", self.sessions);
                    let (downlink, udp) = (AudioParams::GATEWAY, Some(endpoint()));
                    exchanged += self.gateway(session::Input::Grant(Grant { hello, session_id, downlink, udp }));
                }
                session::Output::Send(message) => {
                    exchanged += 1;
                    let message = GatewayMessage::parse(message.to_json().as_bytes()).unwrap();
                    exchanged += self.device(device::Input::Message(message));
                }
                _ => {}
            }
        }
        exchanged
    }

    fn agree(&self) -> bool {
        self.device.session_id() == self.gateway.session_id()
            && self.device.is_capturing() == self.gateway.is_capturing()
    }
}

#[test]
fn a_call_goes_through_all_its_states() {
    let mut line = Line::new(device::Config::firmware());
    line.device(device::Input::Listen(ListenMode::Auto));
    assert_eq!(line.device.activity(), Activity::Listening);
    line.gateway(session::Input::Send(GatewayBody::Tts(Tts::Start)));
    assert_eq!((line.device.activity(), line.agree()), (Activity::Speaking, true));
    line.now = 1_000;
    line.gateway(session::Input::Send(GatewayBody::Tts(Tts::Stop)));
    assert_eq!((line.device.activity(), line.agree()), (Activity::Listening, true));
    line.device(device::Input::Hangup);
    assert_eq!((line.device.activity(), line.agree()), (Activity::Idle, true));
}

#[test]
fn goodbyes_do_not_go_round_in_circles() {
    for config in [device::Config::firmware(), device::Config::firmware_2025()] {
        let answers = usize::from(config.answers_goodbye);
        let mut line = Line::new(config);
        line.device(device::Input::Listen(ListenMode::Auto));
        assert_eq!(line.gateway(session::Input::Close(EndCause::Operator)), 1 + answers);
        assert_eq!(line.device.activity(), Activity::Idle);
    }
}

proptest! {
    #[test]
    fn both_ends_agree_whatever_their_users_do(
        firmware_2025: bool,
        steps in prop::collection::vec((0..11_u8, 0..40_000_u64), 1..80),
    ) {
        let config = if firmware_2025 { device::Config::firmware_2025() } else { device::Config::firmware() };
        let mut line = Line::new(config);
        for (step, passed) in steps {
            line.now += passed;
            line.gateway(session::Input::Tick);
            line.device(device::Input::Tick);
            // Firmware takes a gateway that says nothing for two minutes for dead.
            line.gateway(session::Input::Send(GatewayBody::Alert(Alert::sad("a", "b"))));
            let exchanged = match step {
                0 => line.device(device::Input::Listen(ListenMode::Auto)),
                1 => line.device(device::Input::Listen(ListenMode::Manual)),
                2 => line.device(device::Input::Listen(ListenMode::Realtime)),
                3 => line.device(device::Input::StopListening),
                4 => line.device(device::Input::Abort { reason: None }),
                5 => line.device(device::Input::Hangup),
                6 => line.gateway(session::Input::Send(GatewayBody::Tts(Tts::Start))),
                7 => line.gateway(session::Input::Send(GatewayBody::Tts(Tts::Stop))),
                8 => line.gateway(session::Input::Send(GatewayBody::Goodbye)),
                9 => line.gateway(session::Input::AudioPlayed { until: ms(line.now + 300) }),
                _ => line.gateway(session::Input::Send(GatewayBody::Stt { text: "a".into() })),
            };
            prop_assert!(exchanged <= 6, "{} messages from one input", exchanged);
            prop_assert!(line.agree(), "{:?} {:?}", line.device, line.gateway);
        }
    }
}
