//! `[bridge]`: where speech goes.

use super::super::{Secret, ServerUrl};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Which back end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BridgeKind {
    /// Speaks back what it heard.
    #[default]
    Echo,
    /// A speech server on WebSocket (xiaozhi-server).
    Websocket,
    /// Writes what it hears to files.
    Record,
}

/// The back end.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BridgeConfig {
    /// Which.
    pub kind: BridgeKind,
    /// `websocket`: `ws://…` or `wss://…`.
    pub url: Option<ServerUrl>,
    /// `websocket`: what is sent as `Authorization: Bearer …`.
    pub token: Option<Secret>,
    /// `websocket`: PEM file of the authorities that the server's certificate must be signed by; the system's where there
    /// is none.
    pub ca: Option<PathBuf>,
    /// `websocket`: how audio is laid into binary frames: `gateway` (16 bytes before the Opus), `plain` (bare Opus), or
    /// `auto`: `gateway` where the URL ends in `?from=mqtt_gateway`, `plain` otherwise. What comes back may be either.
    pub framing: FramingName,
    /// `websocket`: have the server's and the device's Opus packets decoded and coded anew even where they could pass.
    pub transcode: bool,
    /// Any kind: record all calls too, as `record` does.
    pub record: bool,
    /// `record`: the directory; made where it is missing.
    pub directory: PathBuf,
    /// `record`: most bytes a session.
    pub most_bytes: u64,
}

impl Default for BridgeConfig {
    fn default() -> Self {
        Self {
            kind: BridgeKind::Echo,
            url: None,
            token: None,
            ca: None,
            framing: FramingName::default(),
            transcode: false,
            record: false,
            directory: "recordings".into(),
            most_bytes: 256 << 20,
        }
    }
}

/// A layout of binary frames, by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FramingName {
    /// By the URL.
    #[default]
    Auto,
    /// With the header of gateways.
    Gateway,
    /// Bare Opus.
    Plain,
}
