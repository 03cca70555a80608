//! How devices come back.

use core::time::Duration;

use crate::common::{endpoint, ms};
use sidetone_protocol::device::{Activity, Config, Device, Failure, Input, Output, Reconnect};
use sidetone_protocol::message::{
    AudioParams, GatewayBody, GatewayHello, GatewayMessage, ListenMode, Transport, VERSION,
};

fn reply() -> Input {
    let (udp, audio_params) = (Some(endpoint()), AudioParams::GATEWAY);
    let hello = GatewayHello { version: VERSION, transport: Transport::Udp, udp, audio_params };
    Input::Message(GatewayMessage::new("s1", GatewayBody::Hello(hello)))
}

#[test]
fn firmware_comes_back_after_a_minute() {
    let mut device = Device::new(Config::firmware(), 7);
    assert_eq!(device.handle(ms(0), Input::Start), [Output::Connect]);
    assert_eq!(device.handle(ms(10), Input::Disconnected), []);
    assert_eq!((device.activity(), device.next_timeout()), (Activity::Offline, Some(ms(60_010))));
    assert_eq!(device.handle(ms(60_010), Input::Tick), [Output::Connect]);
    assert_eq!(device.next_timeout(), Some(ms(70_010)), "a connection that does not come is given up");
    assert_eq!(device.handle(ms(70_010), Input::Tick), [Output::Disconnect]);
    assert_eq!(device.next_timeout(), Some(ms(130_010)));
}

#[test]
fn waits_double_up_to_their_bound_within_their_jitter() {
    for (failures, whole) in [(0, 1), (1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (40, 60), (u32::MAX, 60)] {
        let whole = Duration::from_secs(whole);
        for random in [0, 1, u64::MAX / 2, u64::MAX] {
            let delay = Reconnect::JITTERED.delay(failures, random);
            assert!(whole / 2 <= delay && delay <= whole, "{failures} failures, {random}: {delay:?}");
        }
    }
}

#[test]
fn a_fleet_does_not_come_back_all_at_once() {
    let mut times: Vec<_> = (0..100)
        .map(|seed| {
            let mut device = Device::new(Config::improved(), seed);
            let _ = device.handle(ms(0), Input::Start);
            let _ = device.handle(ms(0), Input::Disconnected);
            device.next_timeout().unwrap().as_millis()
        })
        .collect();
    times.sort_unstable();
    assert!(times[0] >= 500 && times[99] <= 1_000, "{times:?}");
    times.dedup();
    assert!(times.len() > 80, "{} different waits", times.len());
}

#[test]
fn a_session_goes_on_while_the_connection_is_away() {
    for (config, reconnects) in [(Config::firmware(), false), (Config::improved(), true)] {
        let mut device = Device::new(config, 7);
        let _ = device.handle(ms(0), Input::Start);
        let _ = device.handle(ms(0), Input::Connected);
        let _ = device.handle(ms(0), Input::Listen(ListenMode::Auto));
        let _ = device.handle(ms(0), reply());
        assert_eq!(device.handle(ms(1), Input::Disconnected), []);
        assert_eq!((device.activity(), device.is_online()), (Activity::Listening, false));
        assert_eq!(device.handle(ms(2), Input::StopListening), [Output::StopCapture], "nothing can be said");
        let connect = if reconnects { vec![Output::Connect] } else { vec![] };
        assert_eq!(device.handle(ms(61_000), Input::Tick), connect);
    }
}

#[test]
fn a_user_who_wakes_an_offline_device_does_not_wait_for_its_turn() {
    let mut device = Device::new(Config::firmware(), 7);
    assert_eq!(device.handle(ms(0), Input::Listen(ListenMode::Auto)), [], "switched off");
    let _ = device.handle(ms(0), Input::Start);
    let _ = device.handle(ms(0), Input::Disconnected);
    assert_eq!(device.handle(ms(5), Input::Listen(ListenMode::Auto)), [Output::Connect]);
    assert!(matches!(device.handle(ms(9), Input::Connected)[..], [Output::Send(_)]));
    assert_eq!(device.handle(ms(10), Input::Disconnected), [Output::Failed(Failure::NotConnected)]);
}
