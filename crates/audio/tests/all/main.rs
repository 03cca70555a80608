//! The tests of this crate, in one program: each more would be linked with all that it needs.

mod any_bytes;
mod bit;
mod common;
mod detect;
mod measure;
mod ogg_opus;
mod opus_tools;
mod output;
mod resample;
mod wav_reading;
mod wav_writing;
