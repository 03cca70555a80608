//! Text from outside, such as a file's name, made safe to print.
//!
//! A name may hold line ends and the escape sequences that a terminal obeys; printed as it is, it could forge what a
//! program says, or hide it.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::path::Path;

/// Text whose control characters show as escapes, `\n` or `\u{1b}`; bytes that are not UTF-8 show as U+FFFD.
#[derive(Debug, Clone)]
pub struct Shown<'a>(Cow<'a, str>);

/// A file's name, to be printed.
pub fn path(path: &Path) -> Shown<'_> {
    Shown(path.to_string_lossy())
}

/// Any other text from outside, to be printed.
pub fn text(text: &str) -> Shown<'_> {
    Shown(text.into())
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .chars()
            .try_for_each(|c| if is_hidden(c) { write!(f, "{}", c.escape_default()) } else { f.write_char(c) })
    }
}

/// Whether a character does something to the text around it instead of showing: control characters, and those that
/// turn the direction of writing.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_show_is_escaped_and_nothing_else() {
        for (name, shown) in [
            ("a b'c\"\\.wav", "a b'c\"\\.wav"),
            ("Zürich e\u{301} 音.wav", "Zürich e\u{301} 音.wav"),
            ("a\nerror: b\x1b[2J\x7f", "a\\nerror: b\\u{1b}[2J\\u{7f}"),
            ("\u{9b}31m\u{202e}vaw.\u{2069}", "\\u{9b}31m\\u{202e}vaw.\\u{2069}"),
        ] {
            assert_eq!(text(name).to_string(), shown);
            assert_eq!(path(Path::new(name)).to_string(), shown);
        }
    }
}
