//! Seals and opens packets in native code, for the tests of the page: what one end seals the other opens.
//!
//! `packets seal KEY ID` takes payloads in hexadecimal, a line each, and prints datagrams of a gateway; `packets open KEY
//! ID` takes datagrams of a device, and prints sequence number, timestamp and payload. It ends with exit code 1 at the
//! first that is refused.

use sidetone_packet::{Direction, HEADER_LEN, Opener, OpenerConfig, Sealer};
use std::error::Error;
use std::io::{BufRead, stdin};

const MOST: usize = 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [act, key, id] = words.as_slice() else { return Err("usage: packets seal|open KEY ID".into()) };
    let key: [u8; 16] = bytes(key)?.try_into().map_err(|_| "KEY has 32 hexadecimal digits")?;
    let id = u32::from_str_radix(id, 16)?;
    let mut sealer = Sealer::new(&key, id, Direction::Downlink);
    let mut opener = Opener::new(&key, id, Direction::Uplink, OpenerConfig::default());
    for (n, line) in stdin().lock().lines().enumerate() {
        let data = bytes(&line?)?;
        if act == "seal" {
            let mut datagram = vec![0; HEADER_LEN + data.len()];
            sealer.seal(n as u32 * 60, &data, &mut datagram)?;
            println!("{}", digits(&datagram));
        } else {
            let mut payload = [0; MOST];
            let candidate = opener.open(&data, &mut payload)?;
            let len = candidate.payload_len();
            let header = opener.accept(candidate)?.header;
            println!("{} {} {}", header.sequence, header.timestamp, digits(&payload[..len]));
        }
    }
    Ok(())
}

fn bytes(digits: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    if !digits.len().is_multiple_of(2) || !digits.is_ascii() {
        return Err(format!("no hexadecimal digits: {digits}").into());
    }
    (0..digits.len()).step_by(2).map(|at| Ok(u8::from_str_radix(&digits[at..at + 2], 16)?)).collect()
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
