//! Topics, and the filters that subscribe to them (MQTT 3.1.1 and 5, section 4.7).

/// The longest topic or filter, in bytes.
pub const MAX_LEN: usize = 65_535;

/// Whether one can publish to it: 1 to 65535 bytes, no NUL, no wildcard.
pub fn is_valid_topic(topic: &str) -> bool {
    (1..=MAX_LEN).contains(&topic.len()) && !topic.contains(['\0', '+', '#'])
}

/// Whether one can subscribe to it: wildcards only as a whole level, and `#` only as the last one.
pub fn is_valid_filter(filter: &str) -> bool {
    if !(1..=MAX_LEN).contains(&filter.len()) || filter.contains('\0') {
        return false;
    }
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        let last = levels.peek().is_none();
        match level {
            "+" => {}
            "#" if last => {}
            _ if level.contains(['+', '#']) => return false,
            _ => {}
        }
    }
    true
}

/// Whether `filter` is a shared subscription, `$share/<group>/<filter>`.
pub fn is_shared(filter: &str) -> bool {
    filter.starts_with("$share/")
}

/// Whether a message to `topic` goes to who subscribed to `filter`.
///
/// Wildcards at the start do not match topics that begin with `$`. A shared filter matches nothing: who gets such a
/// message is for the broker to say.
///
/// ```
/// use sidetone_mqtt::topic::matches;
/// assert!(matches("devices/+/data", "devices/lamp/data"));
/// assert!(matches("devices/#", "devices"));
/// assert!(!matches("#", "$SYS/uptime"));
/// ```
pub fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let (mut filters, mut topics) = (filter.split('/'), topic.split('/'));
    loop {
        match (filters.next(), topics.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(_)) => {}
            (Some(filter), Some(topic)) if filter == topic => {}
            _ => return false,
        }
    }
}

/// The filters that one peer has subscribed to, of bounded number.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions(Vec<Box<str>>);

impl Subscriptions {
    /// Adds a filter; false if there are `max` of them already.
    pub(crate) fn add(&mut self, filter: &str, max: usize) -> bool {
        if self.0.iter().any(|known| **known == *filter) {
            return true;
        }
        if self.0.len() >= max {
            return false;
        }
        self.0.push(filter.into());
        true
    }

    /// Removes a filter; false if it was not there.
    pub(crate) fn remove(&mut self, filter: &str) -> bool {
        let position = self.0.iter().position(|known| **known == *filter);
        position.map(|position| self.0.swap_remove(position)).is_some()
    }

    pub(crate) fn matches(&self, topic: &str) -> bool {
        self.0.iter().any(|filter| matches(filter, topic))
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_match_as_the_specification_says() {
        #[rustfmt::skip]
        let table = [
            ("a/b", "a/b", true), ("a/b", "a/c", false), ("a/b", "a", false), ("a", "a/b", false),
            ("a/b", "A/b", false), ("/a", "a", false), ("a/", "a", false), ("a/", "a/", true),
            ("#", "a", true), ("#", "a/b/c", true), ("#", "/", true), ("a/#", "a", true), ("a/#", "a/", true),
            ("a/#", "a/b/c", true), ("a/#", "ab", false), ("a/b/#", "a", false), ("a/b/#", "a/b", true),
            ("+", "a", true), ("+", "/a", false), ("+", "a/b", false), ("+/+", "/a", true), ("/+", "/a", true),
            ("+", "", true), ("a/+", "a", false), ("a/+", "a/", true), ("a/+", "a/b", true), ("a/+", "a/b/c", false),
            ("a/+/c", "a/b/c", true), ("a/+/c", "a//c", true), ("+/b/#", "a/b", true), ("+/+/#", "a", false),
            ("#", "$SYS/a", false), ("+/a", "$SYS/a", false), ("+", "$SYS", false), ("$SYS/#", "$SYS/a", true),
            ("$SYS/#", "$SYS", true), ("$SYS/+", "$SYS/a", true), ("a/#", "a/$b", true), ("a/+", "a/$b", true),
            ("é/+", "é/ü", true), ("$share/g/a", "a", false),
        ];
        for (filter, topic, expected) in table {
            assert_eq!(matches(filter, topic), expected, "{filter} and {topic}");
        }
    }

    #[test]
    fn wildcards_are_whole_levels_and_hash_is_the_last() {
        for filter in ["a", "/", "+", "#", "a/#", "a/+/b", "+/+", "/#", "$share/g/a/#", " ", "a b"] {
            assert!(is_valid_filter(filter), "{filter}");
        }
        for filter in ["", "a#", "#/a", "a/#/b", "a+", "+a/b", "a/b+", "a/##", "a\0"] {
            assert!(!is_valid_filter(filter), "{filter}");
        }
        assert!(is_valid_filter(&"a".repeat(MAX_LEN)));
        assert!(!is_valid_filter(&"a".repeat(MAX_LEN + 1)));
    }

    #[test]
    fn one_cannot_publish_to_a_wildcard() {
        for topic in ["a", "/", "a//b", "$SYS/a", "ü"] {
            assert!(is_valid_topic(topic), "{topic}");
        }
        for topic in ["", "+", "a/#", "a+b", "a\0b"] {
            assert!(!is_valid_topic(topic), "{topic}");
        }
        assert!(!is_valid_topic(&"a".repeat(MAX_LEN + 1)));
    }

    #[test]
    fn subscriptions_are_bounded_and_a_repeated_one_counts_once() {
        let mut subscriptions = Subscriptions::default();
        assert!(subscriptions.add("a/+", 2) && subscriptions.add("b", 2) && subscriptions.add("a/+", 2));
        assert!(!subscriptions.add("c", 2));
        assert!(subscriptions.matches("a/x") && subscriptions.matches("b") && !subscriptions.matches("c"));
        assert!(subscriptions.remove("a/+") && !subscriptions.remove("a/+"));
        assert!(subscriptions.add("c", 2));
        assert_eq!(subscriptions.iter().collect::<Vec<_>>(), ["b", "c"]);
    }
}
