//! What the cross-cutting tests share: the component, compiled once; the corpus, where it is present; speech.
//!
//! | Module | What it has |
//! |---|---|
//! | [`corpus`] | data from outside the repository; a test that finds none says what it skipped, and passes |
//! | [`speech`] | voices at the rate a test wants |
//! | [`host`] | the component on the host's engine, with deadlines that no busy machine misses |
//! | [`raw`] | the component on its WIT interface, for values that the host's types cannot hold |
//! | [`core_module`] | the core module alone, whose memory can be read and which can be lied to |
//! | [`counts`] | instruction counts that are kept in the repository |
//! | [`datagrams`] | sealed datagrams made natively |
//! | [`rfc_quality`] | the measure by which the RFC tells a decoder from none |
//! | [`residue`] | looking for secrets in a memory |
#![forbid(unsafe_code)]

pub mod core_module;
pub mod corpus;
pub mod counts;
pub mod datagrams;
pub mod host;
pub mod raw;
pub mod residue;
pub mod rfc_quality;
pub mod speech;

/// Bytes of hexadecimal digits; spaces do not count.
///
/// # Panics
/// Where it is none.
#[must_use]
pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> =
        text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).expect("a hexadecimal digit")).collect();
    assert!(digits.len().is_multiple_of(2), "an even number of hexadecimal digits");
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

/// Bytes as hexadecimal digits.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The Rust in the book, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/embedding.md")]
struct Embedding;
