//! The device's end of a conversation, as firmware leads it.

use crate::common::{endpoint, ms};
use sidetone_protocol::Media;
use sidetone_protocol::device::{Activity, Config, Device, EndCause, Failure, Input, MAX_OUTPUTS, Output};
use sidetone_protocol::message::{
    Alert, AudioParams, DeviceBody, DeviceHello, DeviceMessage, GatewayBody, GatewayHello, GatewayMessage, Listen,
    ListenMode, Transport, Tts,
};

fn online(config: Config) -> Device {
    let mut device = Device::new(config, 1);
    assert_eq!(device.handle(ms(0), Input::Start), [Output::Connect]);
    assert_eq!(device.handle(ms(0), Input::Connected), []);
    assert_eq!(device.activity(), Activity::Idle);
    device
}

fn reply() -> Input {
    let audio_params = AudioParams::GATEWAY;
    let hello = GatewayHello { version: 3, transport: Transport::Udp, udp: Some(endpoint()), audio_params };
    Input::Message(GatewayMessage::new("s1", GatewayBody::Hello(hello)))
}

fn heard(body: GatewayBody) -> Input {
    Input::Message(GatewayMessage::new("s1", body))
}

fn says(body: DeviceBody) -> Output {
    Output::Send(DeviceMessage::new("s1", body))
}

fn listening(config: Config, mode: ListenMode) -> Device {
    let mut device = online(config);
    assert_eq!(device.handle(ms(0), Input::Listen(mode)).len(), 1);
    assert_eq!(device.handle(ms(0), reply()).len(), 3);
    assert_eq!(device.activity(), Activity::Listening);
    device
}

fn start(mode: ListenMode) -> [Output; 2] {
    [says(DeviceBody::Listen(Listen::Start { mode })), Output::StartCapture { mode }]
}

fn close(cause: EndCause) -> Output {
    Output::CloseMedia { session_id: "s1".into(), cause }
}

#[test]
fn waking_a_device_opens_a_session_and_its_microphone() {
    let mut device = online(Config::firmware());
    let hello = Output::Send(DeviceMessage::hello(DeviceHello::default()));
    assert_eq!(device.handle(ms(5), Input::Listen(ListenMode::Auto)), [hello]);
    assert_eq!(device.handle(ms(6), Input::Listen(ListenMode::Auto)), [], "one hello");
    let outputs = device.handle(ms(30), reply());
    let media = Media {
        session_id: "s1".into(),
        uplink: AudioParams::DEVICE,
        downlink: AudioParams::GATEWAY,
        udp: Some(endpoint()),
    };
    assert_eq!(outputs[0], Output::OpenMedia(media));
    assert_eq!(outputs[1..], start(ListenMode::Auto));
    assert_eq!((device.activity(), device.session_id()), (Activity::Listening, Some("s1")));
}

#[test]
fn each_mode_goes_through_a_turn_as_firmware_does() {
    for mode in [ListenMode::Auto, ListenMode::Manual, ListenMode::Realtime] {
        let mut device = listening(Config::firmware(), mode);
        assert!(!device.is_playing());
        let speak = device.handle(ms(1), heard(GatewayBody::Tts(Tts::Start)));
        let silent = device.handle(ms(2), heard(GatewayBody::Tts(Tts::Start)));
        assert_eq!((device.is_playing(), device.activity(), silent), (true, Activity::Speaking, vec![]));
        let stop = device.handle(ms(3), heard(GatewayBody::Tts(Tts::Stop)));
        let [again, capture] = start(mode);
        match mode {
            ListenMode::Auto => {
                assert_eq!(speak, [Output::StopCapture, Output::StartPlayback]);
                assert_eq!(stop, [Output::StopPlayback, again, capture]);
            }
            ListenMode::Manual => {
                assert_eq!(speak, [Output::StopCapture, Output::StartPlayback]);
                assert_eq!((stop, device.activity()), (vec![Output::StopPlayback], Activity::Ready));
            }
            ListenMode::Realtime => {
                assert_eq!(speak, [Output::StartPlayback]);
                assert_eq!((stop, device.is_capturing()), (vec![Output::StopPlayback], true));
            }
        }
        assert_eq!(device.handle(ms(4), heard(GatewayBody::Tts(Tts::Stop))), []);
    }
}

#[test]
fn the_button_let_go_ends_the_turn_once() {
    let mut device = listening(Config::firmware(), ListenMode::Manual);
    let stop = [says(DeviceBody::Listen(Listen::Stop)), Output::StopCapture];
    assert_eq!(device.handle(ms(1), Input::StopListening), stop);
    assert_eq!(device.handle(ms(2), Input::StopListening), []);
}

#[test]
fn an_abort_silences_the_device_at_once() {
    let mut device = listening(Config::firmware(), ListenMode::Auto);
    let _ = device.handle(ms(1), heard(GatewayBody::Tts(Tts::Start)));
    let reason = Some(String::from("wake_word_detected"));
    let abort = device.handle(ms(2), Input::Abort { reason: reason.clone() });
    assert_eq!(abort, [says(DeviceBody::Abort { reason }), Output::StopPlayback]);
    assert!(!device.is_playing(), "what still comes is not played");
    assert_eq!(device.handle(ms(3), heard(GatewayBody::Tts(Tts::Stop))), start(ListenMode::Auto));
}

#[test]
fn messages_are_shown_or_answered() {
    let mut device = listening(Config::firmware(), ListenMode::Auto);
    let sentence = GatewayBody::Tts(Tts::SentenceStart { text: "a".into() });
    for body in [sentence, GatewayBody::Stt { text: "b".into() }, GatewayBody::Alert(Alert::sad("c", "d"))] {
        assert_eq!(device.handle(ms(1), heard(body.clone())), [Output::Show(body)]);
    }
    assert_eq!(
        device.handle(ms(1), heard(GatewayBody::Mcp { payload: 1.into() })),
        [Output::Mcp { payload: 1.into() }]
    );
    assert_eq!(device.handle(ms(1), Input::Mcp { payload: 2.into() }), [says(DeviceBody::Mcp { payload: 2.into() })]);
    let detect = Input::Detect { text: "hi".into() };
    assert_eq!(device.handle(ms(1), detect), [says(DeviceBody::Listen(Listen::Detect { text: "hi".into() }))]);
    let mut idle = online(Config::firmware());
    assert_eq!(idle.handle(ms(1), heard(GatewayBody::Tts(Tts::Start))), []);
    let alert = GatewayBody::Alert(Alert::sad("c", "d"));
    assert_eq!(idle.handle(ms(1), heard(alert.clone())), [Output::Show(alert)]);
}

#[test]
fn a_goodbye_closes_the_session_it_names() {
    let goodbye = |id: Option<&str>| {
        Input::Message(GatewayMessage { session_id: id.map(Into::into), body: GatewayBody::Goodbye })
    };
    let mut device = listening(Config::firmware(), ListenMode::Auto);
    assert_eq!(device.handle(ms(1), goodbye(Some("old"))), []);
    assert_eq!(device.handle(ms(1), goodbye(None)), [Output::StopCapture, close(EndCause::GatewayGoodbye)]);
    let mut device = listening(Config::firmware_2025(), ListenMode::Auto);
    let answered = [says(DeviceBody::Goodbye), Output::StopCapture, close(EndCause::GatewayGoodbye)];
    assert_eq!(device.handle(ms(1), goodbye(Some("s1"))), answered);
    assert_eq!(device.handle(ms(1), goodbye(Some("s1"))), []);
}

#[test]
fn the_user_ends_a_session_or_switches_the_device_off() {
    let mut device = listening(Config::firmware(), ListenMode::Auto);
    let hangup = [says(DeviceBody::Goodbye), Output::StopCapture, close(EndCause::Hangup)];
    assert_eq!(device.handle(ms(1), Input::Hangup), hangup);
    assert_eq!((device.activity(), device.handle(ms(1), Input::Hangup)), (Activity::Idle, vec![]));
    let mut device = listening(Config::firmware(), ListenMode::Auto);
    let stop = [says(DeviceBody::Goodbye), Output::StopCapture, close(EndCause::Stopped), Output::Disconnect];
    assert_eq!(device.handle(ms(1), Input::Stop), stop);
    assert_eq!((device.activity(), device.next_timeout()), (Activity::Off, None));
}

#[test]
fn a_second_hello_reply_brings_a_new_key() {
    let mut device = listening(Config::firmware(), ListenMode::Auto);
    let outputs = device.handle(ms(1), reply());
    assert_eq!(outputs[..2], [Output::StopCapture, close(EndCause::Rekeyed)]);
    assert!(matches!(outputs[2..], [Output::OpenMedia(_)]) && outputs.len() <= MAX_OUTPUTS);
}

#[test]
fn a_hello_that_is_not_answered_or_not_usably_fails() {
    let mut device = online(Config::firmware());
    let _ = device.handle(ms(1_000), Input::Listen(ListenMode::Auto));
    assert_eq!(device.next_timeout(), Some(ms(11_000)));
    assert_eq!(device.handle(ms(11_000), Input::Tick), [Output::Failed(Failure::HelloTimeout)]);
    assert_eq!(device.handle(ms(11_001), reply()), [], "too late");

    let _ = device.handle(ms(12_000), Input::Listen(ListenMode::Auto));
    let bad = GatewayMessage::parse(br#"{"type":"hello","transport":"udp","session_id":"s1"}"#).unwrap();
    assert_eq!(device.handle(ms(12_001), Input::Message(bad)), [Output::Failed(Failure::BadHello)]);
    assert_eq!(device.activity(), Activity::Idle);
}

#[test]
fn a_gateway_that_is_silent_for_two_minutes_is_dead() {
    let mut device = listening(Config::firmware(), ListenMode::Realtime);
    assert_eq!(device.handle(ms(10_000), Input::AudioHeard), []);
    assert_eq!(device.next_timeout(), Some(ms(130_000)));
    assert_eq!(device.handle(ms(130_000), Input::Tick), [Output::StopCapture, close(EndCause::GatewaySilence)]);
}
