//! What a message can be refused for. Whatever has a type is a message; so this is little.

use thiserror::Error;

use super::{MAX_DEPTH, MAX_MESSAGE};
use crate::SecretError;

/// Bytes are not a message. No variant repeats what was sent: it may hold a key or what somebody said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MessageError {
    /// Longer than [`MAX_MESSAGE`].
    #[error("message of {len} bytes, {MAX_MESSAGE} are allowed")]
    TooLong {
        /// Bytes that came.
        len: usize,
    },
    /// Arrays and objects nested deeper than [`MAX_DEPTH`].
    #[error("message nested deeper than {MAX_DEPTH}")]
    TooDeep,
    /// No JSON (RFC 8259), or not in UTF-8.
    #[error("no JSON: wrong at line {line}, column {column}")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1; 0 at the start of a line.
        column: usize,
    },
    /// JSON, but not an object.
    #[error("message is not an object")]
    NotAnObject,
    /// An object without a string `type`.
    #[error("message has no `type`")]
    NoType,
    /// A hello reply whose `udp` lacks a field, or has it wrong: there is no session without it.
    #[error("hello reply lacks a usable `udp.{field}`")]
    Udp {
        /// The field.
        field: &'static str,
    },
    /// A hello reply with an unusable `udp.key` or `udp.nonce`.
    #[error("hello reply with an unusable `udp.{field}`: {error}")]
    Secret {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        error: SecretError,
    },
}
