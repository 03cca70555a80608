//! The tests of this crate, in one program: each more would be linked with all that it needs.

mod common;
mod framing;
mod gaps;
mod hostile;
mod pcm_payload;
mod quality;
mod restart;
mod round_trip;
mod text;
mod timestamps;
mod undecodable;
