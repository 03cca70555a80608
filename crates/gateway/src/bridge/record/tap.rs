//! Sits in a leg, passes everything on at once, and has it written down.

use super::events;
use super::writer::{Piece, Session};
use crate::bridge::{Heard, Leg, LegEnd, Message, Put, Speech, ToBackEnd};
use sidetone_protocol::message::{Alert, GatewayBody};

pub(super) struct Tap {
    /// The call's side.
    outer: LegEnd,
    /// The back end's side.
    inner: Leg,
    session: Session,
    /// The user is told when recording ends early.
    tells: bool,
}

/// One of both sides is gone.
struct Over;

impl Tap {
    pub(super) const fn new(outer: LegEnd, inner: Leg, session: Session, tells: bool) -> Self {
        Self { outer, inner, session, tells }
    }

    pub(super) async fn run(mut self) {
        while self.step().await.is_ok() {}
        // The last word of a back end that went.
        while let Ok(message) = self.inner.messages.try_recv() {
            self.session.event(events::said(&message));
            if self.outer.messages.send(message).await.is_err() {
                break;
            }
        }
        self.session.close();
    }

    async fn step(&mut self) -> Result<(), Over> {
        let Self { outer, inner, session, .. } = self;
        tokio::select! {
            told = outer.receive() => {
                let told = told.ok_or(Over)?;
                write_told(session, &told);
                if matches!(told, ToBackEnd::Abort(_)) {
                    // What was under way is heard by nobody.
                    while inner.speech.try_recv().is_ok() {}
                }
                match inner.to.put(told) {
                    Put::Taken => {}
                    Put::DroppedOldest => session.counts().dropped.add(1),
                    Put::Overflow => return Err(Over),
                }
            }
            said = inner.messages.recv() => {
                let message = said.ok_or(Over)?;
                session.event(events::said(&message));
                outer.messages.send(message).await.map_err(|_| Over)?;
            }
            spoken = spoken(outer, &mut inner.speech) => {
                let (permit, speech) = spoken?;
                match &speech {
                    Speech::Mark(tts) => session.event(events::mark(tts)),
                    Speech::Pcm(samples) => session.downlink(Piece::Pcm(samples.clone())),
                    Speech::Packet(payload) => session.downlink(Piece::Packet(payload.clone())),
                }
                permit.send(speech);
            }
        }
        if self.tells && self.session.has_failed() {
            self.tells = false;
            let alert = Alert::sad("Recording", "The recording stopped: there is no room for more.");
            self.outer.messages.send(Message::Say(GatewayBody::Alert(alert))).await.map_err(|_| Over)?;
        }
        Ok(())
    }
}

fn write_told(session: &mut Session, told: &ToBackEnd) {
    match told {
        ToBackEnd::Audio(Heard::Pcm { samples, position }) => {
            session.uplink(Piece::Pcm(samples.clone()), Some(*position));
        }
        ToBackEnd::Audio(Heard::Packet { payload, .. }) => session.uplink(Piece::Packet(payload.clone()), None),
        other => {
            if let Some(event) = events::told(other) {
                session.event(event);
            }
        }
    }
}

/// The next piece of speech, once the call has room for it. Cancel-safe.
async fn spoken<'o>(
    outer: &'o LegEnd,
    inner: &mut tokio::sync::mpsc::Receiver<Speech>,
) -> Result<(tokio::sync::mpsc::Permit<'o, Speech>, Speech), Over> {
    let permit = outer.speech.reserve().await.map_err(|_| Over)?;
    let speech = inner.recv().await.ok_or(Over)?;
    Ok((permit, speech))
}
