//! The tests of this crate, in one program: each more would be linked with all that it needs.
//! Beside it stand those that measure or set up their whole process.

mod bad_input;
mod batch;
mod batch_nats;
mod book;
mod chains;
mod common;
mod conformance;
mod formats;
mod inspect;
mod loss;
mod manual;
mod metrics;
mod one_place;
mod opus_tools;
mod processes;
mod round_trip;
mod serve;
mod service_manager;
mod two_gateways;
