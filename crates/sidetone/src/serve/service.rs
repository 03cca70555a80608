//! What a service manager (systemd) is told: that the gateway serves, that it is alive, that it ends. Nothing where there
//! is none.
//!
//! A task among those that serve says that the gateway is alive. Where it hangs, whatever hangs in it, that task falls
//! silent, and the manager ends the process: its sockets are closed then, and brokers and devices notice at once.

use tokio::task::JoinSet;

/// Says that the gateway is alive, as often as the manager wants, until this is dropped.
pub(super) struct Alive {
    _task: JoinSet<()>,
}

#[cfg(unix)]
mod told {
    use super::Alive;
    use sd_notify::NotifyState;
    use std::time::Duration;
    use tokio::task::{JoinSet, spawn_blocking};
    use tokio::time::{MissedTickBehavior, interval, timeout};

    /// So many times within the time after which the manager takes the gateway for dead.
    const OFTEN: u32 = 3;

    /// How long the manager may take to listen.
    const PATIENCE: Duration = Duration::from_secs(1);

    pub(in super::super) async fn serving() -> Alive {
        tell(NotifyState::Ready).await;
        let mut task = JoinSet::new();
        if let Some(within) = sd_notify::watchdog_enabled() {
            task.spawn(async move {
                let mut ticks = interval((within / OFTEN).max(Duration::from_millis(1)));
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                loop {
                    ticks.tick().await;
                    tell(NotifyState::Watchdog).await;
                }
            });
        }
        Alive { _task: task }
    }

    pub(in super::super) async fn ending() {
        tell(NotifyState::Stopping).await;
    }

    async fn tell(state: NotifyState<'static>) {
        // Its socket may be full.
        let told = timeout(PATIENCE, spawn_blocking(move || sd_notify::notify(&[state]))).await;
        let why = match told {
            Ok(Ok(Ok(()))) => return,
            Ok(Ok(Err(error))) => error.to_string(),
            Ok(Err(_)) | Err(_) => "it does not listen".into(),
        };
        tracing::warn!(why, "the service manager (NOTIFY_SOCKET) is not told how the gateway is");
    }
}

#[cfg(not(unix))]
mod told {
    use super::{Alive, JoinSet};

    pub(in super::super) async fn serving() -> Alive {
        Alive { _task: JoinSet::new() }
    }

    pub(in super::super) async fn ending() {}
}

pub(super) use told::{ending, serving};
