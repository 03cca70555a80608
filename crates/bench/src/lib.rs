//! What the benchmarks share: interleaved measuring, the table, the JSON file.
//!
//! Benchmarks here print ratios measured side by side in one run. The variants of a case take turns, pass by pass, so
//! that a noisy machine is noisy to all of them; the minimum tells what the code costs, the median what it costs here.

pub mod beside;
pub mod levels;
pub mod machine;
pub mod options;
pub mod plot;
pub mod report;
pub mod speech;
pub mod spread;
pub mod table;
mod turns;

pub use report::{Report, folder, write_bytes};
pub use turns::{Measured, Variant, take_turns};
