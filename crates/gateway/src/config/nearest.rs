//! What somebody may have meant.

/// The candidate that is nearest to `word`, where one is near enough to be meant.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    let near = (word.len() / 3).max(2);
    let measured =
        candidates.into_iter().map(|candidate| (distance(&word, &candidate.to_ascii_lowercase()), candidate));
    measured.filter(|&(far, _)| far <= near).min_by_key(|&(far, _)| far).map(|(_, candidate)| candidate)
}

/// Letters to insert, remove or replace (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, &y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_understood_and_nonsense_is_not() {
        let names = ["mqtt.listen", "mqtt.tls_listen", "udp.listen", "http.token"];
        assert_eq!(nearest("mqtt.lisen", names), Some("mqtt.listen"));
        assert_eq!(nearest("MQTT.TLS-LISTEN", names), Some("mqtt.tls_listen"));
        assert_eq!(nearest("http.tokens", names), Some("http.token"));
        assert_eq!(nearest("colour", names), None);
        assert_eq!((distance("", "abc"), distance("kitten", "sitting"), distance("a", "a")), (3, 3, 0));
    }
}
