//! Secure by default: what is reachable from outside must know who it talks to.

use crate::config::{Config, Listen};

/// What of a configuration would let strangers in unnoticed: setting, and why.
pub(crate) fn problems(config: &Config) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    let mqtt = &config.mqtt;
    let open = mqtt.signature_key.is_none() && !mqtt.allow_anonymous;
    let for_devices: [(&'static str, Listen); 6] = [
        ("mqtt.listen", mqtt.listen),
        ("mqtt.tls_listen", mqtt.tls_listen),
        ("udp.listen", config.udp.listen),
        ("web.listen", config.web.listen),
        ("web.tls_listen", config.web.tls_listen),
        ("web.transport_listen", config.web.transport_listen),
    ];
    // Behind an external broker, that one checks who connects.
    let brokered = config.broker.url.is_some();
    for (name, listen) in for_devices {
        let excused = brokered && name == "udp.listen";
        if open && listen.is_public() && !excused {
            problems.push((
                name,
                format!(
                    "{listen} is reachable from outside, but without mqtt.signature_key anybody could connect: set the key that devices' passwords are made with, or mqtt.allow_anonymous = true"
                ),
            ));
        }
    }
    if config.http.listen.is_public() && config.http.token.is_none() {
        let why = format!("{} is reachable from outside: set http.token, or listen on loopback", config.http.listen);
        problems.push(("http.listen", why));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    fn with(change: impl FnOnce(&mut Config)) -> Result<(), String> {
        let mut config = Config::default();
        change(&mut config);
        config.check().map_err(|error| error.to_string())
    }

    #[test]
    fn loopback_needs_no_key_and_the_world_does() {
        assert_eq!(with(|_| {}), Ok(()));
        let public = "0.0.0.0:1883".parse().unwrap();
        let refused = with(|config| config.mqtt.listen = public).unwrap_err();
        assert!(refused.starts_with("mqtt.listen: 0.0.0.0:1883 is reachable"), "{refused}");
        let keyed = |config: &mut Config| {
            config.mqtt.listen = public;
            config.mqtt.signature_key = Some(Secret::new("k".into()));
        };
        assert_eq!(with(keyed), Ok(()));
        assert!(with(|config| config.http.listen = public).unwrap_err().contains("http.token"));
        assert!(with(|config| config.udp.listen = public).is_err());
        let brokered = |config: &mut Config| {
            config.udp.listen = public;
            config.broker.url = Some("mqtt://broker".into());
        };
        assert_eq!(with(brokered), Ok(()));
    }
}
