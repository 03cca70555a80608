//! The tests of this crate, in one program: each more would be linked with all that it needs.
//! Beside it stand those that measure or set up their whole process.

mod bytes;
mod client;
mod common;
mod endpoint;
mod foreign_clients;
mod listener;
mod mosquitto;
mod transports;
