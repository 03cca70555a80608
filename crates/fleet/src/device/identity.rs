//! Who a device is: its client id, topics and credentials, all from its number.

use serde_json::{Map, Value};
use sidetone_mqtt::Options;
use sidetone_protocol::credential::encode_username;
use sidetone_protocol::topic::{ClientId, Mac};
use zeroize::Zeroizing;

use crate::random::Random;
use crate::{Config, Error};

/// How long firmware lets MQTT be silent.
const KEEP_ALIVE: std::time::Duration = std::time::Duration::from_secs(240);

/// The client id of device `number`: a locally administered MAC address, and a UUID drawn from the seed.
pub(crate) fn client_id(config: &Config, number: u32) -> Result<ClientId, Error> {
    let [a, b, c, d] = number.to_be_bytes();
    let mut random = Random::of(config.seed, u64::from(number));
    let (high, low) = (random.bits(), random.bits());
    let uuid = format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff
    );
    let id = Mac([0x02, 0x5d, a, b, c, d]).client_id(&config.group, &uuid);
    id.map_err(|error| Error::Config(format!("group {:?}: {error}", config.group)))
}

/// How a device connects. `base` has the server and what to trust.
pub(crate) fn options(config: &Config, base: &Options, id: &ClientId) -> Options {
    let mut options = base.clone();
    options.client_id = id.as_str().into();
    options.keep_alive = KEEP_ALIVE;
    let ip = Map::from_iter([("ip".to_owned(), Value::from("127.0.0.1"))]);
    let username = encode_username(&ip);
    options.password = config.signature_key.as_ref().map(|key| {
        let password = key.password(id.as_str(), &username);
        Zeroizing::new(password.as_bytes().to_vec())
    });
    options.username = Some(username);
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use sidetone_protocol::credential::SignatureKey;
    use sidetone_protocol::topic::Dialect;

    #[test]
    fn a_device_is_the_same_in_every_run_and_its_credentials_are_accepted() {
        let key = SignatureKey::new(b"key").unwrap();
        let config = Config { signature_key: Some(key.clone()), ..Config::default() };
        let id = client_id(&config, 258).unwrap();
        assert_eq!(id.as_str(), "GID_fleet@@@02_5d_00_00_01_02@@@89479f79-5662-4105-85cb-961452da8738");
        assert_eq!(Dialect::Mac.downlink(&id), "devices/p2p/02_5d_00_00_01_02");
        let options = options(&config, &Options::new("mqtt://localhost").unwrap(), &id);
        let password = String::from_utf8(options.password.unwrap().to_vec()).unwrap();
        let known = key.check(&options.client_id, &options.username.unwrap(), &password).unwrap();
        assert_eq!(known["ip"], "127.0.0.1");
    }
}
