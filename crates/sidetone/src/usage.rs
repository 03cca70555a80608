//! What is said of arguments that cannot be used. clap repeats them; some must not be repeated, and none as they are.

use crate::report::{self, NOT_SAID};
use anyhow::{Context, Result};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use sidetone_audio::shown;
use std::io::ErrorKind as Io;
use std::process::ExitCode;

/// Hex digits in a row that may be a key, or most of one.
const LIKE_A_KEY: usize = 16;

/// Prints help, the version, or what is wrong with the arguments.
pub(crate) fn tell(error: clap::Error) -> Result<ExitCode> {
    let error = discreet(error);
    let code = ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
    match error.print() {
        Err(cause) if cause.kind() != Io::BrokenPipe && !error.use_stderr() => Err(cause).context(report::STDOUT),
        _ => Ok(code),
    }
}

/// An error of usage that the program itself has found.
pub(crate) fn refused(error: &anyhow::Error) -> ! {
    clap::Error::raw(ErrorKind::ValueValidation, format!("{error:#}\n")).exit()
}

/// The error without what may be a key, and with control characters escaped.
fn discreet(mut error: clap::Error) -> clap::Error {
    let stray = error.kind() == ErrorKind::UnknownArgument;
    for kind in [ContextKind::InvalidArg, ContextKind::InvalidValue, ContextKind::InvalidSubcommand] {
        let Some(ContextValue::String(text)) = error.get(kind) else { continue };
        // What stands where nothing is expected may be anything, also a key that lost its option.
        let hide = stray && kind == ContextKind::InvalidArg && !text.starts_with('-') || is_like_a_key(text);
        let safe = if hide { NOT_SAID.to_owned() } else { shown::text(text).to_string() };
        if safe != *text {
            error.insert(kind, ContextValue::String(safe));
            // Hints would repeat it.
            for hint in [ContextKind::Suggested, ContextKind::SuggestedArg, ContextKind::SuggestedValue] {
                error.remove(hint);
            }
        }
    }
    error
}

fn is_like_a_key(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_hexdigit()).any(|digits| digits.len() >= LIKE_A_KEY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_rows_of_hex_digits_are_like_keys() {
        for (text, like) in [
            ("000102030405060708090a0b0c0d0e0f", true),
            ("--bitrate=000102030405060708090A0B", true),
            ("in-2026-11-23T10:00:00.wav", false),
            ("deadbeef.wav", false),
        ] {
            assert_eq!(is_like_a_key(text), like, "{text}");
        }
    }
}
