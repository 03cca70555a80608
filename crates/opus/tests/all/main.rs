//! The tests of this crate, in one program: each more would be linked with all that it needs.

mod any_bytes;
mod bad_values;
mod common;
mod conformance;
mod every_format;
mod loss;
mod output_room;
mod packet_parser;
mod packet_rules;
mod settings;
mod split;
mod toc;
