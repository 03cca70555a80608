//! The tests of this crate, in one program: each more would be linked with all that it needs.

mod alerts;
mod broker;
mod certificates;
mod common;
mod config;
mod datagrams;
mod echo;
mod fleet;
mod history;
mod http;
mod live;
mod mqtt_endpoint;
mod nats;
mod pages;
mod protection;
mod recording;
mod room;
mod shutdown;
mod speech_server;
mod speech_server_faults;
mod time_of_day;
mod web_devices;
mod web_media;
mod web_mqtt;
