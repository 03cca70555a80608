//! The tests of this crate, in one program: each more would be linked with all that it needs.

mod conformance;
mod crypto;
mod encode_against_native;
mod guest_errors;
mod hostile_core_calls;
mod instruction_counts;
mod key_display;
mod limits;
mod quality;
mod quality_at_bitrates;
mod same_datagrams;
mod secret_residue;
mod secret_residue_packet;
mod session_replay;
mod world;
