//! From the crates' types to those of the WIT files, and back: same names, same values.

use crate::bindings::exports::sidetone::media::{session as ws, types as wt};
use sidetone_opus as opus;
use sidetone_packet as packet;
use sidetone_session as session;

macro_rules! same_enum {
    ($($ours:ty => $wit:ty { $($variant:ident),* })*) => {
        $(impl From<$ours> for $wit {
            fn from(value: $ours) -> Self {
                match value { $(<$ours>::$variant => Self::$variant,)* }
            }
        }
        impl From<$wit> for $ours {
            fn from(value: $wit) -> Self {
                match value { $(<$wit>::$variant => Self::$variant,)* }
            }
        })*
    };
}

same_enum! {
    opus::Application => wt::Application { Voip, Audio, LowDelay }
    opus::Bandwidth => wt::Bandwidth { Narrow, Medium, Wide, SuperWide, Full }
    opus::Signal => wt::Signal { Auto, Voice, Music }
    opus::Split => wt::Split { Auto, Never, Always }
    packet::Direction => wt::Direction { Uplink, Downlink }
    session::Role => ws::Role { Gateway, Device }
    session::Payload => ws::Payload { Opus, Pcm }
    session::Delivery => ws::Delivery { Pcm, Packets }
    session::Timestamps => ws::Timestamps { Elapsed, Zero }
    session::Quality => ws::Quality { Minimal, Medium, Full }
    session::Kind => ws::Kind { Audio, Undecodable, Late, Text }
}

impl From<opus::Bitrate> for wt::Bitrate {
    fn from(bitrate: opus::Bitrate) -> Self {
        match bitrate {
            opus::Bitrate::Auto => Self::Auto,
            opus::Bitrate::Max => Self::Max,
            opus::Bitrate::BitsPerSecond(bits) => Self::BitsPerSecond(bits),
        }
    }
}

impl From<packet::SealerState> for wt::SealedState {
    fn from(state: packet::SealerState) -> Self {
        Self { next_sequence: state.next_sequence, last_timestamp: state.last_timestamp }
    }
}

impl From<wt::SealedState> for packet::SealerState {
    fn from(state: wt::SealedState) -> Self {
        Self { next_sequence: state.next_sequence, last_timestamp: state.last_timestamp }
    }
}

impl From<packet::OpenerState> for wt::OpenedState {
    fn from(state: packet::OpenerState) -> Self {
        let [window_high, window_low] = [(state.window >> 64) as u64, state.window as u64];
        Self { highest: state.highest, window_high, window_low }
    }
}

impl From<wt::OpenedState> for packet::OpenerState {
    fn from(state: wt::OpenedState) -> Self {
        let window = u128::from(state.window_high) << 64 | u128::from(state.window_low);
        Self { highest: state.highest, window }
    }
}

impl From<session::State> for ws::State {
    fn from(state: session::State) -> Self {
        Self { sealed: state.sealed.into(), opened: state.opened.into(), position: state.position }
    }
}

impl From<ws::State> for session::State {
    fn from(state: ws::State) -> Self {
        Self { sealed: state.sealed.into(), opened: state.opened.into(), position: state.position }
    }
}

impl From<&session::Config> for ws::Config {
    fn from(config: &session::Config) -> Self {
        let session::Config { role, connection_id, incoming, outgoing, quality, resume } = *config;
        Self {
            role: role.into(),
            connection_id,
            incoming: ws::Incoming {
                payload: incoming.payload.into(),
                delivery: incoming.delivery.into(),
                frame: incoming.frame.micros(),
                channels: incoming.channels.count() as u8,
                sample_rate: incoming.rate.hz(),
                max_concealed: incoming.max_concealed,
                forward_limit: incoming.forward_limit,
                accept_unmarked_downlink: incoming.accept_unmarked_downlink,
            },
            outgoing: ws::Outgoing {
                payload: outgoing.payload.into(),
                frame: outgoing.frame.micros(),
                channels: outgoing.channels.count() as u8,
                sample_rate: outgoing.rate.hz(),
                application: outgoing.application.into(),
                bitrate: outgoing.bitrate.into(),
                vbr: outgoing.vbr,
                dtx: outgoing.dtx,
                fec: outgoing.fec,
                expected_loss: outgoing.expected_loss,
                signal: outgoing.signal.into(),
                split: outgoing.split.into(),
                timestamps: outgoing.timestamps.into(),
            },
            quality: quality.into(),
            resume: (resume != session::State::START).then(|| resume.into()),
        }
    }
}
