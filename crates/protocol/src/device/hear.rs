//! What a device makes of what its gateway says.

use super::{Call, Device, EndCause, Failure, Output, Talk};
use crate::Media;
use crate::message::{DeviceBody, GatewayBody, GatewayHello, GatewayMessage, ListenMode, Transport};

impl Device {
    pub(super) fn message(&mut self, message: GatewayMessage, out: &mut Vec<Output>) {
        let GatewayMessage { session_id, body } = message;
        match (body, &mut self.call) {
            (GatewayBody::Hello(hello), Call::Opening { mode, .. }) => {
                let mode = *mode;
                self.open(session_id, hello, Some(mode), out);
            }
            (GatewayBody::Hello(hello), Call::Live(_)) => {
                self.close(EndCause::Rekeyed, out);
                self.open(session_id, hello, None, out);
            }
            (GatewayBody::Hello(_), _) => {}
            (GatewayBody::Goodbye, Call::Live(talk)) if session_id.as_ref().is_none_or(|id| *id == talk.session_id) => {
                if self.config.answers_goodbye {
                    talk.say(DeviceBody::Goodbye, out);
                }
                self.close(EndCause::GatewayGoodbye, out);
            }
            (GatewayBody::Goodbye, _) => {}
            (body, Call::Live(talk)) => talk.message(self.now, body, out),
            (GatewayBody::Mcp { payload }, _) => out.push(Output::Mcp { payload }),
            // Firmware shows alerts, and obeys no tts, without a session.
            (GatewayBody::Tts(_), _) => {}
            (body, _) => out.push(Output::Show(body)),
        }
    }

    fn open(&mut self, id: Option<String>, hello: GatewayHello, mode: Option<ListenMode>, out: &mut Vec<Output>) {
        let GatewayHello { transport, udp, audio_params: downlink, .. } = hello;
        let usable = match transport {
            Transport::Udp => udp.is_some(),
            Transport::WebSocket => true,
            Transport::Mqtt | Transport::Other(_) => false,
        };
        if !usable || downlink.check().is_err() {
            self.fail(Failure::BadHello, out);
            return;
        }
        let session_id = id.unwrap_or_default();
        let uplink = self.config.hello.audio_params.clone();
        let mut talk = Talk::new(session_id.clone(), self.now);
        out.push(Output::OpenMedia(Media { session_id, uplink, downlink, udp }));
        if let Some(mode) = mode {
            talk.listen(mode, out);
        }
        self.call = Call::Live(talk);
    }
}
