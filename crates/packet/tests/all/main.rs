//! The tests of this crate, in one program: each more would be linked with all that it needs.

mod any_bytes;
mod common;
mod corpus_packets;
mod counter_carry;
mod ctr_vectors;
mod direction;
mod forward_jump;
mod header_checks;
mod keystream_overlap;
mod nonce_rules;
mod replay_window;
mod schedule_cache;
mod secrets;
