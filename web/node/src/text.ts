// Text that some clients send through the audio channel: the rule of crates/session/src/text.rs.

const TEXT = /^(?:keepalive|ping|pong|hello|goodbye)(?![0-9A-Za-z])/;

/** Whether a payload is such text: one of the known words, then nothing or something that is no letter. */
export function isText(payload: Uint8Array): boolean {
  // None of the words is longer than 9 bytes; one more tells where it ends.
  return TEXT.test(Buffer.from(payload.buffer, payload.byteOffset, Math.min(payload.length, 10)).toString('latin1'));
}
