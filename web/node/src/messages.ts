// What goes between the main thread and a worker. Only what structured cloning takes.

import type { EncoderConfig, SessionConfig, State } from '#media';

/** What of a stream is opened, and how. A session's key is needed to open it. */
export type Opening =
  | { part: 'encoder'; config: EncoderConfig }
  | { part: 'decoder'; sampleRate: number; channels: number }
  | { part: 'session'; key: Uint8Array; config: SessionConfig };

export type Part = Opening['part'];

/** One operation, on one part of one stream. */
export interface Request {
  id: number;
  stream: number;
  part: Part;
  operation: string;
  args: unknown[];
  /** Sent where the thread does not have the part yet: it opens it first. */
  open?: Opening;
}

/** What the main thread asks. `close` has no answer. */
export type ToWorker = Request | { close: number };

/** How it went. */
export interface Reply {
  id: number;
  value?: unknown;
  error?: { name: string; message: string; tag?: string; value?: unknown };
  /** Where a session stands, to go on from on another thread. */
  state?: State;
}

export type FromWorker = Reply | { ready: true };

/** What became of a packet. */
export interface Decoded {
  pcm: Int16Array;
  /** It was text, and swallowed; or no audio, and concealed. */
  instead?: 'text' | 'undecodable';
}
