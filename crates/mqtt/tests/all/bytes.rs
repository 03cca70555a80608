//! Any bytes, in any pieces: never a panic, and how they were cut makes no difference.

use crate::common::{all, connect_v5, connect_v311, packet, publish, subscribe};
use proptest::prelude::*;
use sidetone_mqtt::{Event, Limits, Stream, accept};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A peer that sends these pieces and then closes, and takes all it is sent.
struct Peer {
    pieces: std::vec::IntoIter<Vec<u8>>,
}

impl Peer {
    /// The bytes, cut where `cuts` say.
    fn new(bytes: &[u8], cuts: &[usize]) -> Self {
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).chain([bytes.len()]).collect();
        ends.sort_unstable();
        let starts = [0].into_iter().chain(ends.clone());
        let pieces: Vec<Vec<u8>> = starts.zip(&ends).map(|(start, end)| bytes[start..*end].to_vec()).collect();
        Self { pieces: pieces.into_iter().filter(|piece| !piece.is_empty()).collect::<Vec<_>>().into_iter() }
    }
}

impl AsyncRead for Peer {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(piece) = self.pieces.next() {
            let (now, later) = piece.split_at(piece.len().min(buf.remaining()));
            buf.put_slice(now);
            if !later.is_empty() {
                let rest: Vec<Vec<u8>> = [later.to_vec()].into_iter().chain(self.pieces.by_ref()).collect();
                self.pieces = rest.into_iter();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Peer {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// All that the endpoint makes of the bytes: its events, and how it ended.
fn made_of(bytes: &[u8], cuts: &[usize]) -> (Vec<Event>, String) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let limits = Limits { max_packet: 2048, ..Limits::default() };
        let knock = match accept(Stream::new(Peer::new(bytes, cuts)), &limits).await {
            Ok(knock) => knock,
            Err(error) => return (Vec::new(), error.to_string()),
        };
        let mut connection = match knock.welcome().await {
            Ok(connection) => connection,
            // A peer may take too little for a CONNACK.
            Err(error) => return (Vec::new(), error.to_string()),
        };
        let (events, end) = all(&mut connection).await;
        (events, format!("{end:?}"))
    })
}

/// What devices send, and some of what they should not.
fn some_packet() -> impl Strategy<Value = Vec<u8>> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..60);
    prop_oneof![
        (0u8..16, "[a-c/+#$]{0,6}", any::<u16>(), bytes())
            .prop_map(|(flags, topic, id, payload)| { publish(flags, &topic, id, &payload) }),
        (any::<u16>(), prop::collection::vec("[a-c/+#$]{0,6}", 0..4))
            .prop_map(|(id, filters)| { subscribe(id, &filters.iter().map(String::as_str).collect::<Vec<_>>()) }),
        (prop::sample::select(vec![0x40u8, 0x50, 0x62, 0x70]), 0u16..3)
            .prop_map(|(header, id)| { packet(header, &id.to_be_bytes()) }),
        (any::<u8>(), bytes()).prop_map(|(header, body)| packet(header, &body)),
        Just(vec![0xc0, 0]),
        Just(vec![0xe0, 0]),
        bytes(),
    ]
}

fn session() -> impl Strategy<Value = Vec<u8>> {
    let connect = prop_oneof![
        4 => Just(connect_v311(60)),
        4 => prop::sample::select(vec![&[][..], &[0x22, 0, 0], &[0x21, 0, 1], &[0x27, 0, 0, 0, 9], &[0x21, 0, 0]])
            .prop_map(|properties| connect_v5(60, properties)),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(|body| packet(0x10, &body)),
    ];
    (connect, prop::collection::vec(some_packet(), 0..12))
        .prop_map(|(connect, packets)| [connect, packets.concat()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn noise_is_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let (events, _) = made_of(&bytes, &[]);
        prop_assert!(events.is_empty());
    }

    #[test]
    fn any_cut_of_a_session_gives_the_same_events(
        bytes in session(),
        cuts in prop::collection::vec(any::<usize>(), 0..20),
    ) {
        prop_assert_eq!(made_of(&bytes, &[]), made_of(&bytes, &cuts));
    }

    #[test]
    fn a_flipped_bit_is_no_panic(bytes in session(), at in any::<usize>(), bit in 0u32..8) {
        let mut bytes = bytes;
        let at = at % bytes.len();
        bytes[at] ^= 1u8 << bit;
        let _ = made_of(&bytes, &[]);
    }
}

#[test]
fn a_session_cut_at_every_byte_gives_the_same_events() {
    let session = [
        connect_v311(60),
        subscribe(1, &["a/+", "b"]),
        publish(0, "t", 0, &[7; 300]),
        publish(0b0100, "t", 9, b"two"),
        vec![0x62, 2, 0, 9, 0xc0, 0, 0xe0, 0],
    ]
    .concat();
    let whole = made_of(&session, &[]);
    assert_eq!(whole.0.len(), 5);
    assert_eq!(made_of(&session, &(0..session.len()).collect::<Vec<_>>()), whole);
    for end in 0..session.len() {
        let (events, _) = made_of(&session[..end], &[]);
        let said = events.iter().filter(|event| !matches!(event, Event::Disconnected { .. })).count();
        assert_eq!(events[..said], whole.0[..said], "cut off at {end}");
    }
}
