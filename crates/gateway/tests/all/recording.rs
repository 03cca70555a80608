//! Recordings of calls, end to end.

use crate::common::speech_server::{Peer, Server, packets};
use crate::common::{Device, alike, config, payload, speech, until};
use serde_json::{Value, json};
use sidetone_audio::{ogg_opus, wav};
use sidetone_gateway::bridge::{Echo, Recorder, SpeechServer};
use sidetone_gateway::config::BridgeKind;
use sidetone_gateway::{Config, Gateway};
use sidetone_opus::SampleRate;
use sidetone_protocol::message::{DeviceBody, GatewayBody, ListenMode};
use sidetone_testbed::apart;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::sleep;

const FAST: Duration = Duration::from_millis(8);

const DEVICE: &str = "GID_a@@@aa_bb_cc_dd_ee_01@@@u";

fn recording(folder: &TempDir) -> Config {
    let mut config = config();
    config.bridge.kind = BridgeKind::Record;
    config.bridge.directory = folder.path().join("new/recordings");
    config
}

/// The files there are, once they are `count`, by their endings.
async fn files(folder: &Path, count: usize) -> Vec<(String, PathBuf)> {
    let list = || -> Vec<(String, PathBuf)> {
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        let mut files: Vec<_> = entries
            .map(|entry| entry.unwrap().path())
            .map(|path| {
                let name = path.file_name().unwrap().to_str().unwrap();
                // After the session's id. Whatever is made otherwise is not complete.
                let ending = name.rsplit_once('-').and_then(|(_, rest)| rest.split_once('.'));
                (ending.map_or("part", |(_, ending)| ending).to_owned(), path)
            })
            .collect();
        files.sort();
        files
    };
    let complete =
        |files: &[(String, PathBuf)]| files.len() == count && files.iter().all(|(ending, _)| !ending.ends_with("part"));
    until(&format!("{count} files in {}", folder.display()), || complete(&list())).await;
    list()
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn speak_turn(device: &mut Device, pcm: &[i16]) {
    device.listen(ListenMode::Manual).await;
    device.speak(pcm, FAST).await;
    sleep(Duration::from_millis(500)).await;
    device.stop_listening().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_device_says_is_there_when_its_call_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let config = recording(&folder);
    let directory = config.bridge.directory.clone();
    let mut gateway = Gateway::start(config).await.unwrap();
    let mut device = Device::connect(&mut gateway, DEVICE).await;
    device.hello().await;
    let spoken = speech();
    speak_turn(&mut device, &spoken).await;
    device.say(DeviceBody::Goodbye).await;
    let files = files(&directory, 2).await;
    let [(lines_end, events), (wav_end, uplink)] = &files[..] else { unreachable!() };
    assert_eq!([lines_end, wav_end], ["jsonl", "uplink.wav"]);
    let id = &device.media.as_ref().unwrap().session_id;
    let name = uplink.file_name().unwrap().to_str().unwrap();
    assert!(name.contains("-GID_a___aa_bb_cc_dd_ee_01___u-") && name.contains(id.as_str()), "{name}");

    let heard = wav::read(uplink).unwrap();
    assert_eq!((heard.rate, heard.channels), (16_000, 1));
    assert_eq!(heard.samples.len(), spoken.len() / 960 * 960, "every whole frame");
    assert!(alike((16_000, &spoken), (16_000, &heard.samples)) > 0.9);

    let events = lines(events);
    let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["opened", "device", "device", "closed"]);
    assert_eq!([&events[0]["session"], &events[0]["device"]], [&json!(id), &json!(DEVICE)]);
    assert_eq!(events[1]["message"], json!({ "type": "listen", "state": "start", "mode": "manual" }));
    assert_eq!(events[2]["message"], json!({ "type": "listen", "state": "stop" }));
    assert_eq!([&events[1]["uplink"], &events[2]["uplink"]], [&Value::Null, &json!(heard.samples.len())]);
    assert!(events.iter().all(|event| event["ms"].is_u64()) && events[3]["lost"] == 0);
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_echo_is_recorded_in_both_directions() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = recording(&folder);
    (config.bridge.kind, config.bridge.record) = (BridgeKind::Echo, true);
    let directory = config.bridge.directory.clone();
    let mut gateway = Gateway::start(config).await.unwrap();
    let mut device = Device::connect(&mut gateway, DEVICE).await;
    device.hello().await;
    speak_turn(&mut device, &speech()).await;
    device.play_turn().await;
    device.say(DeviceBody::Goodbye).await;
    let files = files(&directory, 3).await;
    let endings: Vec<_> = files.iter().map(|(ending, _)| ending.as_str()).collect();
    assert_eq!(endings, ["downlink.wav", "jsonl", "uplink.wav"]);
    let (down, up) = (wav::read(&files[0].1).unwrap(), wav::read(&files[2].1).unwrap());
    assert_eq!(down, up, "the echo hears and speaks at one rate, and says what it heard");
    let events = lines(&files[1].1);
    let said: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "server")
        .map(|event| event["message"]["type"].as_str().unwrap())
        .collect();
    // Speech and messages have a queue each: only within each is there an order.
    let of = |speech: bool| said.iter().filter(|kind| (**kind == "tts") == speech).copied().collect::<Vec<_>>();
    assert_eq!((of(true), of(false)), (vec!["tts"; 3], vec!["stt", "llm"]));
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_that_pass_are_recorded_as_they_are() {
    let spoken = speech();
    let reply = packets(&spoken[..960 * 8], SampleRate::Hz16000, 60);
    let said = reply.clone();
    let server = Server::start(move |mut peer: Peer| {
        let reply = reply.clone();
        async move {
            peer.hello().await;
            peer.hear_turn().await;
            peer.tts("start").await;
            for packet in reply {
                peer.speak(&packet).await;
            }
            peer.tts("stop").await;
            peer.listen().await;
        }
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let mut config = server.config();
    config.bridge.directory = folder.path().to_owned();
    let bridge = Recorder::around(Box::new(SpeechServer::new(&config.bridge).unwrap()), &config.bridge).unwrap();
    let counts = bridge.watch();
    let mut gateway = Gateway::start_with(config, Box::new(bridge)).await.unwrap();
    let mut device = Device::connect(&mut gateway, DEVICE).await;
    device.hello().await;
    device.listen(ListenMode::Manual).await;
    let datagrams = device.seal(&spoken[..960 * 8]);
    for datagram in &datagrams {
        device.send(datagram).await;
        sleep(FAST).await;
    }
    sleep(Duration::from_millis(500)).await;
    device.stop_listening().await;
    device.play_turn().await;
    device.say(DeviceBody::Goodbye).await;
    let files = files(folder.path(), 3).await;
    let of = |n: usize| {
        let stream = ogg_opus::read(&files[n].1).unwrap();
        stream.packets.into_iter().map(|packet| packet.data).collect::<Vec<_>>()
    };
    assert_eq!((files[0].0.as_str(), files[2].0.as_str()), ("downlink.opus", "uplink.opus"));
    assert!(of(0) == said, "as the server sent it");
    assert!(
        of(2) == datagrams.iter().map(|datagram| payload(&device, datagram)).collect::<Vec<_>>(),
        "as the device did"
    );
    assert!(gateway.shut_down().await);
    assert_eq!(counts()[0], ("files", 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_that_is_full_stops_and_the_user_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = recording(&folder);
    config.bridge.most_bytes = 20_000;
    let directory = config.bridge.directory.clone();
    let bridge = Recorder::new(&config.bridge).unwrap();
    let counts = bridge.watch();
    let mut gateway = Gateway::start_with(config, Box::new(bridge)).await.unwrap();
    let mut device = Device::connect(&mut gateway, DEVICE).await;
    device.hello().await;
    device.listen(ListenMode::Manual).await;
    device.speak(&speech()[..960 * 30], FAST).await;
    let GatewayBody::Alert(alert) = device.hear().await.unwrap().body else { panic!("an alert") };
    assert_eq!(alert.status, "Recording");
    let complete = files(&directory, 2).await;
    assert!(complete.iter().map(|(_, path)| path.metadata().unwrap().len()).sum::<u64>() <= 20_000);
    let heard = wav::read(&complete[1].1).unwrap();
    assert_eq!(heard.samples.len() % 960, 0);
    assert!(heard.samples.len() >= 960 * 9, "{} samples", heard.samples.len());
    assert_eq!(gateway.calls(), 1, "the call goes on");
    assert_eq!(
        counts().into_iter().filter(|(name, _)| ["full", "failed"].contains(name)).map(|(_, n)| n).sum::<u64>(),
        1
    );
    device.say(DeviceBody::Goodbye).await;
    until("the call ends", || gateway.calls() == 0).await;
    assert!(device.told.try_recv().is_err(), "told once");
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_goes_away_costs_the_recording_and_not_the_call() {
    let folder = tempfile::tempdir().unwrap();
    let config = recording(&folder);
    let bridge = Recorder::around(Box::new(Echo), &config.bridge).unwrap();
    let counts = bridge.watch();
    std::fs::remove_dir_all(&config.bridge.directory).unwrap();
    let mut gateway = Gateway::start_with(config, Box::new(bridge)).await.unwrap();
    let mut device = Device::connect(&mut gateway, DEVICE).await;
    device.hello().await;
    speak_turn(&mut device, &speech()).await;
    let (heard, said) = device.play_turn().await;
    let frames = speech().len() / 960;
    // On a busy machine the pool gives up a frame that comes too late.
    assert!(heard.len() / 1440 >= frames * 9 / 10, "{} of {frames} frames", heard.len() / 1440);
    assert!(!said.iter().any(|body| matches!(body, GatewayBody::Alert(_))), "the echo works: {said:?}");
    assert_eq!(counts().into_iter().find(|(name, _)| *name == "failed").unwrap().1, 1, "counted once");
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the next test starts it where the disk is small"]
async fn calls_go_on_where_the_disk_is_full() {
    let folder = PathBuf::from(std::env::var_os("RECORDING_FOLDER").expect("another test starts this one"));
    let mut config = config();
    (config.bridge.kind, config.bridge.directory) = (BridgeKind::Echo, folder.join("recordings"));
    let (directory, bridge) =
        (config.bridge.directory.clone(), Recorder::around(Box::new(Echo), &config.bridge).unwrap());
    let counts = bridge.watch();
    let of = |name: &str| counts().into_iter().find(|(of, _)| *of == name).unwrap().1;
    let mut gateway = Gateway::start_with(config, Box::new(bridge)).await.unwrap();
    let mut device = Device::connect(&mut gateway, DEVICE).await;
    for full in [true, false] {
        let ballast = folder.join("ballast");
        if full {
            std::fs::write(&ballast, vec![0; 1 << 20]).unwrap_err();
        }
        device.hello().await;
        speak_turn(&mut device, &speech()).await;
        let (heard, said) = device.play_turn().await;
        assert!(heard.len() / 1440 >= speech().len() / 960 * 9 / 10, "the call goes on: {} samples", heard.len());
        assert!(!said.iter().any(|body| matches!(body, GatewayBody::Alert(_))), "{said:?}");
        device.say(DeviceBody::Goodbye).await;
        until("the call ends", || gateway.calls() == 0).await;
        assert!(of("failed") > 0, "full: {full}");
        if full {
            assert_eq!(of("files"), 0);
            std::fs::remove_file(&ballast).unwrap();
            std::fs::remove_dir_all(&directory).unwrap();
            std::fs::create_dir(&directory).unwrap();
        }
    }
    assert_eq!(files(&directory, 3).await.len(), 3, "what is recorded where there is room again is whole");
    assert!(gateway.shut_down().await);
}

#[test]
fn a_full_disk_costs_recordings_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut inner = apart::ignored("recording::calls_go_on_where_the_disk_is_full");
    inner.env("RECORDING_FOLDER", folder.path());
    if let Some(test) = apart::on_small_disk(folder.path(), 900, &inner) {
        apart::passes(test);
    }
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let mut config = config();
    config.bridge.directory = file.join("below");
    let refused = Recorder::new(&config.bridge).unwrap_err().to_string();
    assert!(refused.starts_with("bridge.directory = "), "{refused}");
}
