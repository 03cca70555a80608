//! The tests of this crate, in one program: each more would be linked with all that it needs.

mod any_message;
mod both_ends;
mod common;
mod credentials;
mod device_receive;
mod device_reconnect;
mod device_session;
mod gateway_random_walk;
mod gateway_session;
mod gateway_timers;
mod messages_in;
mod messages_out;
mod secrets;
mod topics;
mod websocket_frames;
