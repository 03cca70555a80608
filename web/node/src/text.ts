// Text that some clients send through the audio channel: the rule of crates/session/src/text.rs.

/** What the words begin with. Few packets do, and each is looked at. */
const BEGINNINGS: readonly (number | undefined)[] = [...'kphg'].map((letter) => letter.charCodeAt(0));
const TEXT = /^(?:keepalive|ping|pong|hello|goodbye)(?![0-9A-Za-z])/;

/** Whether a payload is such text: one of the known words, then nothing or something that is no letter. */
export function isText(payload: Uint8Array): boolean {
  if (!BEGINNINGS.includes(payload[0])) return false;
  // None of the words is longer than 9 bytes; one more tells where it ends.
  return TEXT.test(Buffer.from(payload.buffer, payload.byteOffset, Math.min(payload.length, 10)).toString('latin1'));
}
