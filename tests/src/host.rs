//! The component on the host's engine: compiled once a test program.

use sidetone_host::{Component, Engine, EngineConfig};
use std::sync::LazyLock;
use std::time::Duration;

/// Settings under which no test fails because the machine was busy.
#[must_use]
pub fn patient() -> EngineConfig {
    let patience = Duration::from_secs(60);
    EngineConfig { instances: 64, deadline: patience, init_deadline: patience, ..EngineConfig::default() }
}

/// The component, [patiently](patient).
///
/// # Panics
/// Where this machine does not run it.
pub fn component() -> &'static Component {
    static COMPONENT: LazyLock<Component> = LazyLock::new(|| compile(&patient()));
    &COMPONENT
}

/// The component on an engine of its own.
///
/// # Panics
/// Where this machine does not run it.
#[must_use]
pub fn compile(config: &EngineConfig) -> Component {
    let engine = Engine::new(config).expect("an engine");
    engine.compile(sidetone_artifact::COMPONENT).expect("the component compiles")
}
