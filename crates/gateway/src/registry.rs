//! The devices that are connected.

use crate::link::Identity;
use sidetone_host::pool::SessionStats;
use sidetone_protocol::session::EndCause;
use sidetone_protocol::topic::ClientId;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

/// Commands that wait for a device's task.
const COMMANDS: usize = 4;

/// A connection that gives way to another one of its client id before this time is out was hardly given up by its device.
const SHORT: Duration = Duration::from_secs(90);

/// Calls that are remembered for devices that have yet to come back, and for how long: firmware gives a call up after two
/// minutes of silence.
const LEFT: usize = 4096;
const FORGOTTEN: Duration = Duration::from_secs(180);

/// So many of those in a row are two devices of one name.
const QUARREL: u32 = 3;

/// What a device's task is told from outside.
#[derive(Debug)]
pub(crate) enum Command {
    /// The same device connected anew: this connection is over.
    Replaced,
    /// End this call, if it is still there.
    End {
        /// Its session id.
        call: String,
        cause: EndCause,
    },
    /// Tell the device that a call is over which an earlier connection of it left behind: its session id.
    Left(String),
    /// Tell what the instance of the call there is has counted; dropped where there is none.
    Stats(oneshot::Sender<SessionStats>),
}

/// There is no place for one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{limit} devices are connected, which is the limit: raise limits.devices, or the system's limit of open files")]
pub(crate) struct Full {
    limit: usize,
}

/// By client id.
#[derive(Debug, Default)]
pub(crate) struct Devices(Mutex<Places>);

#[derive(Debug, Default)]
struct Places {
    next: u64,
    by_id: HashMap<ClientId, Place>,
    /// Calls that ended with their connection, of devices that have not come back: until then these do not know it.
    left: HashMap<ClientId, (Instant, String)>,
}

#[derive(Debug)]
struct Place {
    number: u64,
    commands: mpsc::Sender<Command>,
    peer: Option<IpAddr>,
    since: Instant,
    /// Connections before it that gave way after a short time, in a row.
    short: u32,
}

/// A device's place; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Connected {
    devices: Arc<Devices>,
    id: ClientId,
    number: u64,
}

/// A device that found a place.
#[derive(Debug)]
pub(crate) struct Entered {
    pub(crate) connected: Connected,
    pub(crate) commands: mpsc::Receiver<Command>,
    /// Another connection gave way for it.
    pub(crate) replaced: bool,
    /// A call that ended with its last connection.
    pub(crate) left: Option<String>,
}

impl Devices {
    fn lock(&self) -> std::sync::MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a device. One that is connected already gives way, as MQTT has it.
    /// Where that goes on, two devices have one name, which is said once.
    pub(crate) fn enter(self: &Arc<Self>, identity: &Identity, limit: usize) -> Result<Entered, Full> {
        let (commands, received) = mpsc::channel(COMMANDS);
        let mut places = self.lock();
        places.next += 1;
        let number = places.next;
        let count = places.by_id.len();
        let mut place = Place { number, commands, peer: identity.peer, since: Instant::now(), short: 0 };
        let mut replaced = false;
        match places.by_id.entry(identity.device.clone()) {
            Entry::Occupied(mut old) => {
                replaced = true;
                if old.get().since.elapsed() < SHORT {
                    place.short = old.get().short.saturating_add(1);
                }
                if place.short == QUARREL {
                    tracing::warn!(
                        device = %identity.device, here = ?place.peer, there = ?old.get().peer,
                        "connections of one client id push each other out, and the newest wins: two devices seem to \
                         have one name; give each a MAC address, or a client id, of its own"
                    );
                }
                let old = old.insert(place);
                if old.commands.try_send(Command::Replaced).is_err() {
                    tracing::debug!(device = %identity.device, "the old connection is about to end by itself");
                }
            }
            Entry::Vacant(_) if count >= limit => return Err(Full { limit }),
            Entry::Vacant(free) => {
                free.insert(place);
            }
        }
        let left = places.left.remove(&identity.device).map(|(_, session)| session);
        drop(places);
        let connected = Connected { devices: self.clone(), id: identity.device.clone(), number };
        Ok(Entered { connected, commands: received, replaced, left })
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().by_id.len()
    }

    /// Tells a device's task something. `false`: there is no such device, or it does not listen.
    pub(crate) fn tell(&self, device: &ClientId, command: Command) -> bool {
        self.lock().by_id.get(device).is_some_and(|place| place.commands.try_send(command).is_ok())
    }
}

impl Connected {
    /// The connection is gone, and with it a call: the device is told when it is back, or now, if it is already.
    pub(crate) fn leaves(&self, session: String) {
        let now = Instant::now();
        let mut places = self.devices.lock();
        match places.by_id.get(&self.id) {
            // One that does not listen is about to end, too.
            Some(place) if place.number != self.number => drop(place.commands.try_send(Command::Left(session))),
            _ => {
                if places.left.len() >= LEFT {
                    places.left.retain(|_, (since, _)| now.duration_since(*since) < FORGOTTEN);
                }
                if places.left.len() < LEFT {
                    places.left.insert(self.id.clone(), (now, session));
                }
            }
        }
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        let mut places = self.devices.lock();
        if places.by_id.get(&self.id).is_some_and(|place| place.number == self.number) {
            places.by_id.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(name: &str) -> Identity {
        Identity { device: name.parse().unwrap(), tenant: "default".into(), peer: None, local: None }
    }

    #[test]
    fn a_call_that_was_left_is_told_to_whatever_connection_comes_or_is_there() {
        let devices = Arc::new(Devices::default());
        let first = devices.enter(&identity("a"), 2).unwrap();
        first.connected.leaves("s1".into());
        drop(first);
        let second = devices.enter(&identity("a"), 2).unwrap();
        assert_eq!(second.left.as_deref(), Some("s1"));
        let mut third = devices.enter(&identity("a"), 2).unwrap();
        assert_eq!(third.left, None, "once");
        second.connected.leaves("s2".into());
        assert!(matches!(third.commands.try_recv(), Ok(Command::Left(session)) if session == "s2"));
        for n in 0..=LEFT {
            devices.enter(&identity(&format!("d{n}")), 2).unwrap().connected.leaves(String::new());
        }
        assert_eq!(devices.lock().left.len(), LEFT);
    }

    #[test]
    fn a_device_that_connects_anew_replaces_itself_and_keeps_its_place() {
        let devices = Arc::new(Devices::default());
        let mut first = devices.enter(&identity("a"), 1).unwrap();
        let second = devices.enter(&identity("a"), 1).unwrap();
        assert_eq!((first.replaced, second.replaced), (false, true));
        assert!(matches!(first.commands.try_recv(), Ok(Command::Replaced)));
        drop(first);
        assert_eq!(devices.len(), 1, "the old one does not take the new one's place along");
        assert_eq!(devices.enter(&identity("b"), 1).unwrap_err(), Full { limit: 1 });
        drop(second);
        assert!(devices.enter(&identity("b"), 1).is_ok());
    }
}
