//! The password of a CONNECT, put into the bytes that go out: the protocol library, which frees its packets without
//! zeroing them, never sees it.

use zeroize::Zeroize;

/// Where the flags are, behind the remaining length: after the protocol's name and its level.
const FLAGS: usize = 7;
const PASSWORD: u8 = 0b0100_0000;

/// A CONNECT without a password, with this one. `None`: the password is too long. The bytes that came in are zeroed.
pub(crate) fn insert(mut connect: Vec<u8>, password: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(password.len()).ok()?;
    // The first byte is the type; the length that follows ends with the first byte without its highest bit.
    let body = connect.iter().skip(1).position(|byte| byte & 0x80 == 0)? + 2;
    let mut rest = connect.len() - body + 2 + password.len();
    let mut whole = Vec::with_capacity(body + 1 + rest);
    whole.push(*connect.first()?);
    loop {
        let more = if rest > 0x7f { 0x80 } else { 0 };
        whole.push((rest & 0x7f) as u8 | more);
        rest >>= 7;
        if more == 0 {
            break;
        }
    }
    let flags = whole.len() + FLAGS;
    whole.extend_from_slice(&connect[body..]);
    connect.zeroize();
    *whole.get_mut(flags)? |= PASSWORD;
    whole.extend_from_slice(&length.to_be_bytes());
    whole.extend_from_slice(password);
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt_protocol_core::mqtt::packet::{v3_1_1, v5_0};

    #[test]
    fn it_is_what_the_library_would_have_written() {
        for (id, password) in
            [("lamp", &b"s3cret"[..]), ("lamp", b""), (&"l".repeat(90), &[7; 20]), ("x", &[9; 20_000])]
        {
            macro_rules! connect {
                ($version:ident) => {
                    $version::Connect::builder().client_id(id).unwrap().keep_alive(9).user_name("user").unwrap()
                };
            }
            let (plain, whole) =
                (connect!(v3_1_1).build().unwrap(), connect!(v3_1_1).password(password.to_vec()).unwrap());
            let expected = whole.build().unwrap().to_continuous_buffer();
            assert_eq!(insert(plain.to_continuous_buffer(), password), Some(expected));
            let (plain, whole) = (connect!(v5_0).build().unwrap(), connect!(v5_0).password(password.to_vec()).unwrap());
            let expected = whole.build().unwrap().to_continuous_buffer();
            assert_eq!(insert(plain.to_continuous_buffer(), password), Some(expected));
        }
        let longest = v5_0::Connect::builder().client_id("x").unwrap().build().unwrap().to_continuous_buffer();
        assert_eq!(insert(longest, &[0; 65_536]), None);
    }
}
