//! Sealing and opening of the device protocol's UDP audio packets.
//!
//! A packet is a 16-byte big-endian [`Header`] and AES-128-CTR ciphertext, whose initial counter block is the
//! header itself. One key and one connection id serve a session in both directions.
//!
//! # ⚠️ What the protocol does not give
//!
//! **There is no authentication.** Whoever can send a datagram can flip bits of the plaintext, and any ciphertext
//! decrypts to something. [`Opener`] therefore works in two steps: [`Opener::open`] checks what a header can tell and
//! decrypts; the caller judges whether the plaintext is plausible (it parses as Opus, with the negotiated duration);
//! only [`Opener::accept`] moves the replay window.
//!
//! **Keystream can repeat.** The sequence number is also the low word of the block counter, so two packets that are
//! equal in everything else and whose sequence numbers are closer than the packet has blocks share keystream. A
//! [`Sealer`] for [`Direction::Downlink`] makes that impossible (timestamps strictly increase); what real devices send
//! uplink is counted ([`Counters::keystream_overlap`]).
//!
//! # What this crate holds
//!
//! - [`header`]: the header, field by field.
//! - [`Sealer`] and [`Opener`]: one direction of one session each, with the key schedule kept for the session's life.
//! - [`ReplayWindow`]: which sequence numbers have been seen, usable by itself.
//! - [`seal_with`], [`open_with`] and [`ScheduleCache`]: the stateless form, for many short calls.
//!
//! Nothing here does input or output, reads a clock or a random source, or allocates a packet; a session allocates
//! when it is built. Keys come in by reference. Key schedules live in boxes, so that moving a [`Sealer`] leaves no copy
//! of round keys behind, and are zeroised when dropped; [`wipe_stack`] removes what working copies left on the stack.
//!
//! # Example
//!
//! ```
//! use sidetone_packet::{Direction, HEADER_LEN, Opener, OpenerConfig, Sealer};
//!
//! let (key, connection_id) = ([7; 16], 0xa1b2_c3d4);
//! let mut device = Sealer::new(&key, connection_id, Direction::Uplink);
//! let mut gateway = Opener::new(&key, connection_id, Direction::Uplink, OpenerConfig::default());
//!
//! let mut packet = [0; HEADER_LEN + 5];
//! device.seal(0, b"frame", &mut packet)?;
//!
//! let mut plaintext = [0; 1024];
//! let candidate = gateway.open(&packet, &mut plaintext)?;
//! assert_eq!(&plaintext[..candidate.payload_len()], b"frame");
//! let accepted = gateway.accept(candidate)?;
//! assert_eq!((accepted.header.sequence, accepted.gap), (1, 0));
//!
//! assert!(gateway.open(&packet, &mut plaintext).is_err(), "a replay is refused");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod cache;
mod counters;
mod error;
pub mod header;
mod jump;
mod key_schedule;
mod opener;
mod overlap;
mod replay;
mod sealer;
mod stateless;

pub use cache::{CacheCounters, DEFAULT_CAPACITY, ScheduleCache};
pub use counters::Counters;
pub use error::{AcceptError, HeaderError, OpenError, SealError};
pub use header::{Direction, FLAG_DOWNLINK, HEADER_LEN, Header, MAX_PAYLOAD, PACKET_TYPE};
pub use jump::{PACKETS_IN_A_ROW, ROW_SPACING};
pub use key_schedule::{KEY_LEN, KeySchedule, wipe_stack};
pub use opener::{Accepted, Candidate, DEFAULT_FORWARD_LIMIT, Opener, OpenerConfig};
pub use replay::{Freshness, OpenerState, ReplayWindow, WINDOW};
pub use sealer::{Sealer, SealerState};
pub use stateless::{open_with, seal_with};
