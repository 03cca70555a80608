//! What `sidetone serve` tells a service manager. The test is one: it listens where systemd would.
#![cfg(unix)]

use crate::common::serve::{PATIENCE, PORTS, Serve};
use crate::common::{program, scratch};
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

/// After so long without a word the manager would take the gateway for dead.
const WATCHDOG: Duration = Duration::from_millis(600);

/// The next thing that it is told, within a time.
fn told(manager: &UnixDatagram, within: Duration) -> Option<String> {
    manager.set_read_timeout(Some(within)).unwrap();
    let mut buffer = [0; 256];
    let length = manager.recv(&mut buffer).ok()?;
    Some(String::from_utf8(buffer[..length].to_vec()).unwrap().trim_end().to_owned())
}

#[test]
fn a_manager_is_told_that_it_serves_and_lives_and_hears_nothing_of_one_that_hangs() {
    let folder = scratch();
    let socket = folder.path().join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    let mut command = program();
    command.current_dir(folder.path()).env("NOTIFY_SOCKET", &socket).arg("serve").args(PORTS);
    command.env("WATCHDOG_USEC", WATCHDOG.as_micros().to_string()).env_remove("WATCHDOG_PID");
    let serve = Serve::run(folder, command);
    assert_eq!(told(&manager, PATIENCE).as_deref(), Some("READY=1"));
    for _ in 0..3 {
        assert_eq!(told(&manager, PATIENCE).as_deref(), Some("WATCHDOG=1"));
    }
    serve.signal(&["STOP"]);
    let on_its_way = std::iter::from_fn(|| told(&manager, WATCHDOG * 2)).take(10).count();
    assert!(on_its_way < 10, "one that hangs says nothing");
    serve.signal(&["CONT"]);
    assert_eq!(told(&manager, PATIENCE).as_deref(), Some("WATCHDOG=1"));
    serve.signal(&["TERM"]);
    let said = std::iter::from_fn(|| told(&manager, PATIENCE)).find(|said| said != "WATCHDOG=1");
    assert_eq!(said.as_deref(), Some("STOPPING=1"));
    assert_eq!(serve.end().0, 0);
}
