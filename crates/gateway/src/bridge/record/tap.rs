//! Sits in a leg, passes everything on at once, and has it written down.

use super::events;
use super::writer::{Piece, Session};
use crate::bridge::{Heard, Leg, LegEnd, Over, Put, Room, Speech, ToBackEnd, ToDevice};
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

impl Tap {
    pub(super) const fn new(outer: LegEnd, inner: Leg, session: Session, tells: bool) -> Self {
        Self { outer, inner, session, tells }
    }

    pub(super) async fn run(mut self) {
        while self.step().await.is_ok() {}
        self.session.close();
    }

    /// An error: one of both sides is gone.
    async fn step(&mut self) -> Result<(), Over> {
        let Self { outer, inner, session, .. } = self;
        tokio::select! {
            told = outer.receive() => {
                let told = told.ok_or(Over)?;
                write_told(session, &told);
                let abort = matches!(told, ToBackEnd::Abort(_));
                match inner.to.put(told) {
                    Put::Taken => {}
                    Put::DroppedOldest => session.counts().dropped.add(1),
                    Put::Overflow => return Err(Over),
                }
                while abort && let Ok(what) = inner.from.try_recv() {
                    // Speech that was under way is heard by nobody.
                    if !matches!(what, ToDevice::Speech(_)) {
                        write_said(session, &what);
                        outer.send(what).await?;
                    }
                }
            }
            next = next(outer, inner) => {
                let (room, what) = next?;
                write_said(session, &what);
                room.send(what);
            }
        }
        if self.tells && self.session.has_failed() {
            self.tells = false;
            let alert = Alert::sad("Recording", "The recording stopped: there is no room for more.");
            self.outer.send(GatewayBody::Alert(alert)).await?;
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

fn write_said(session: &mut Session, what: &ToDevice) {
    match what {
        ToDevice::Speech(Speech::Pcm(samples)) => session.downlink(Piece::Pcm(samples.clone())),
        ToDevice::Speech(Speech::Packet(payload)) => session.downlink(Piece::Packet(payload.clone())),
        other => {
            if let Some(event) = events::said(other) {
                session.event(event);
            }
        }
    }
}

/// What the back end has for the device next, once the call has room for it. Cancel-safe.
async fn next<'o>(outer: &'o LegEnd, inner: &mut Leg) -> Result<(Room<'o>, ToDevice), Over> {
    let room = outer.room().await?;
    let what = inner.from.recv().await.ok_or(Over)?;
    Ok((room, what))
}
