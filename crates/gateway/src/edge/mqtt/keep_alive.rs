//! How often a broker hears of a gateway: so that it notices one that hangs, its sockets open, in time.
//!
//! A broker takes a connection for dead after one and a half times its keep-alive, and publishes its will, which is a
//! device's goodbye. Two things must hold, whatever the broker's clock shows when the gateway stops:
//!
//! - the connection that takes hellos is dead no later than those of calls: a device that was told goodbye says hello
//!   at once, and one that goes to a gateway that hangs is lost for as long as a device waits for its answer (10 s);
//! - a device is told within nine seconds, so that it can be in a call again within ten.

use std::time::Duration;

/// Where hellos come in.
pub(super) const HELLOS: Duration = Duration::from_secs(1);

/// Where a call is.
pub(super) const CALL: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;
    use sidetone_mqtt::Options;

    /// Times in tenths of a second.
    const SECOND: u64 = 10;

    /// Mosquitto 2.0 looks at all connections in whole seconds of its clock, six apart; later ones each second. It takes
    /// one for dead of which it has heard nothing for more than one and a half times its keep-alive, rounded down.
    fn found_dead(keep_alive: Duration, heard: u64, looks_at: impl Fn(u64) -> bool) -> u64 {
        let (heard, most) = (heard / SECOND, keep_alive.as_secs() * 3 / 2);
        let dead = (heard..).find(|&second| looks_at(second) && second - heard > most);
        dead.unwrap_or(u64::MAX) * SECOND
    }

    /// When a gateway was heard last that stops at `stop`, and whose pings come at `phase` of their interval.
    fn heard(keep_alive: Duration, stop: u64, phase: u64) -> u64 {
        let mut options = Options::new("mqtt://b").unwrap();
        options.keep_alive = keep_alive;
        let interval = options.ping_interval().unwrap().as_millis() as u64 / 100;
        stop - (stop + interval - phase % interval) % interval
    }

    #[test]
    fn whatever_the_brokers_clock_shows_hellos_end_before_calls_and_these_within_nine_seconds() {
        for (every, most) in [(6, 90), (1, 40)] {
            let mut worst = 0;
            for look in 0..every {
                let looks_at = |second: u64| second % every == look;
                for stop in 100..160 {
                    for (of_hellos, of_call) in (0..10).flat_map(|a| (0..10).map(move |b| (a, b))) {
                        let hellos = found_dead(HELLOS, heard(HELLOS, stop, of_hellos), looks_at);
                        let call = found_dead(CALL, heard(CALL, stop, of_call), looks_at);
                        assert!(hellos <= call, "stopped at {stop}: hellos until {hellos}, calls until {call}");
                        worst = worst.max(call - stop);
                    }
                }
            }
            assert_eq!(worst, most, "tenths of a second, looking every {every} s");
        }
    }

    #[test]
    fn a_ping_that_is_late_by_half_a_second_costs_no_connection() {
        for keep_alive in [HELLOS, CALL] {
            let mut options = Options::new("mqtt://b").unwrap();
            options.keep_alive = keep_alive;
            let silence = options.ping_interval().unwrap() + Duration::from_millis(500);
            assert!(silence <= keep_alive * 3 / 2, "{silence:?}");
        }
    }
}
