//! Text that some clients send through the audio channel: `ping:<session>`, `keepalive:<session>` and the like.

const WORDS: [&[u8]; 5] = [b"keepalive", b"ping", b"pong", b"hello", b"goodbye"];

/// Whether a payload is such text: one of the known words, then nothing or something that is not a letter.
pub(crate) fn is_text(payload: &[u8]) -> bool {
    WORDS.iter().any(|word| {
        payload.strip_prefix(*word).is_some_and(|rest| rest.first().is_none_or(|b| !b.is_ascii_alphanumeric()))
    })
}

#[cfg(test)]
mod tests {
    use super::is_text;

    #[test]
    fn known_words_are_text_and_audio_is_not() {
        for text in ["ping", "ping:abc", "keepalive:1", "pong\n", "hello", "goodbye {}"] {
            assert!(is_text(text.as_bytes()), "{text}");
        }
        for other in ["", "pin", "pinging", "hellos", "\u{58}ping", "PING"] {
            assert!(!is_text(other.as_bytes()), "{other}");
        }
    }
}
