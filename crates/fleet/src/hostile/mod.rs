//! Attacks, beside the devices that behave: the report then says what these lost.
//!
//! Attackers here speak to the gateway that the fleet is pointed at, and to no other.

mod impostor;
mod mode;
mod outsider;
mod pace;
mod session;

use std::sync::Arc;

pub use mode::{Hostile, Mode, ParseHostileError};
use tokio::sync::watch::Receiver;

use crate::Shared;
use crate::random::Random;

/// Carries out an attack until the fleet ends. `number` is that of a device which nobody else is.
pub(crate) async fn attack(shared: Arc<Shared>, hostile: Hostile, number: u32, mut ending: Receiver<bool>) {
    let random = Random::of(shared.config.seed, u64::from(number) << 8 | 1);
    let attack = async {
        match hostile.mode {
            Mode::WrongKey | Mode::Replay | Mode::FarFuture | Mode::Oversized | Mode::Text => {
                session::attack(&shared, hostile, number, random).await;
            }
            Mode::MalformedJson => session::malformed_json(&shared, hostile, number, random).await,
            Mode::Spoof => impostor::spoof(&shared, hostile, random).await,
            Mode::UnknownIds => impostor::unknown_ids(&shared, hostile, random).await,
            Mode::MalformedMqtt => outsider::malformed_mqtt(&shared, hostile, random).await,
            Mode::ConnectionFlood => outsider::connection_flood(&shared, hostile).await,
        }
    };
    tokio::select! {
        () = crate::device::ended(&mut ending) => {}
        () = attack => {}
    }
}
