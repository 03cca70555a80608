//! Rules for alerts.

use super::Scratch;

#[test]
fn rules_for_alerts_are_read_and_what_is_wrong_with_one_is_named_with_its_line() {
    let scratch = Scratch::new();
    let good = scratch.sources(
        "[alerts]\nwebhook = \"https://hooks.example/s3cret\"\n[[alerts.rules]]\nname = \"latency\"\nmetric = \"total_p95_ms\"\nabove = 20\n\
         [[alerts.rules]]\nname = \"loss\"\nenabled = false\n",
    );
    let loaded = good.load().unwrap();
    let rules = &loaded.config.alerts.rules;
    assert_eq!((rules.len(), rules[0].above, rules[0].severity.as_str()), (2, Some(20.0), "warning"));
    let printed = loaded.to_toml();
    assert!(printed.contains("\n[[alerts.rules]]\n") && !printed.contains("s3cret"), "{printed}");
    let again = scratch.sources(&printed.replace("# webhook = \"***\"", "# "));
    assert_eq!(again.load().unwrap().config.alerts.rules, *rules, "what is printed can be read");

    let rule = "[[alerts.rules]]\nname = \"x\"\n";
    let cases = [
        (
            format!("{rule}metric = \"cals\"\nabove = 1"),
            "alerts.rules.x.metric = \"cals\" (s.toml:1): there is no such series; did you mean \"calls\"?",
        ),
        (
            format!("{rule}above = 1"),
            "alerts.rules.x.metric (s.toml:1): is missing: name a series, such as \"total_p99_ms\" (docs/api.md lists them)",
        ),
        (
            format!("{rule}metric = \"calls\""),
            "alerts.rules.x.above (s.toml:1): is missing: give above = NUMBER, or below = NUMBER",
        ),
        (
            format!("{rule}metric = \"calls\"\nabove = 1\nbelow = 2"),
            "alerts.rules.x.below (s.toml:1): is set beside above; give one of both",
        ),
        (format!("{rule}metric = \"calls\"\nabove = nan"), "alerts.rules.x.above = NaN (s.toml:1): must be a number"),
        (
            format!("{rule}metric = \"calls\"\nabove = 1\nseverity = \"bad\""),
            "alerts.rules.x.severity = \"bad\" (s.toml:1): must be \"info\", \"warning\" or \"critical\"",
        ),
        (
            format!("{rule}metric = \"calls\"\nabove = 1\nfor = 90000"),
            "alerts.rules.x.for = 90000 (s.toml:1): must be a whole number from 0 to 86400: seconds",
        ),
        (format!("{rule}metric = \"calls\"\nabove = \"1\""), "alerts.rules.above = \"1\" (s.toml:1): must be a number"),
        (
            format!("{rule}metrik = \"calls\""),
            "alerts.rules.metrik (s.toml:1): there is no such key; did you mean metric?",
        ),
        (
            "[[alerts.rules]]\nmetric = \"calls\"".into(),
            "alerts.rules.name (s.toml:1): is missing: give each rule a name, such as name = \"latency\"",
        ),
        (
            "[[alerts.rules]]\nname = \"A b\"\nenabled = false".into(),
            "alerts.rules.A b.name = \"A b\" (s.toml:1): must be 1 to 64 of a to z, 0 to 9 and -, such as \"latency\"",
        ),
        (
            "[alerts]\nrules = 5".into(),
            "alerts.rules (s.toml:2): rules are written as [[alerts.rules]], each with its keys below",
        ),
        (
            "[alerts]\nrules = [5]".into(),
            "alerts.rules (s.toml:2): a rule is a table: write [[alerts.rules]], with its keys below",
        ),
        (
            "[alerts]\nwebhook = \"ftp://x/s3cret\"".into(),
            "alerts.webhook (s.toml:2): must be http://HOST/… or https://HOST/…, without user name and password (alerts.webhook_token)",
        ),
        (
            "[alerts]\nwebhook_token = \"x\"".into(),
            "alerts.webhook_token (s.toml:2): needs alerts.webhook, which is not set",
        ),
        (
            "[history]\nmost_bytes = 5".into(),
            "history.most_bytes = 5 (s.toml:2): must be a whole number from 4194304 to 1099511627776",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(scratch.wrong(&scratch.sources(&text)), [expected], "{text}");
    }
    let twice = format!("{rule}enabled = false\n{rule}enabled = false");
    let said = scratch.wrong(&scratch.sources(&twice));
    assert_eq!(said, ["alerts.rules.x.name = \"x\" (s.toml:4): another rule has this name; give each its own"]);
}
