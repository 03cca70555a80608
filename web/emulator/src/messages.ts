// What page and worker say to each other.

import type { ListenMode, Settings } from './settings.js';

/** Page to worker. */
export type Command =
  | { do: 'configure'; settings: Settings }
  | { do: 'power'; on: boolean }
  /** `at`: when the button went down, in ms since 1970, as `performance` has them. */
  | { do: 'listen'; mode: ListenMode; at: number }
  | { do: 'stop-listening'; at: number }
  | { do: 'abort'; reason?: string }
  | { do: 'detect'; text: string }
  | { do: 'hangup' }
  | { do: 'mcp'; payload: unknown }
  | { do: 'audio'; rate: number; capture?: MessagePort; playout?: MessagePort }
  | { do: 'clip'; rate: number; samples: Float32Array }
  /** Whether the sound card plays. */
  | { do: 'card'; running: boolean }
  | { do: 'fail-module' }
  | (Question & { id: number });

/** What the worker answers to, with `answer`. */
export type Question = { do: 'inspect'; number: number } | { do: 'recording' } | { do: 'report' };

/** Worker to page. */
export type Event =
  | { on: 'ready'; sha256: string; libopus: string }
  | { on: 'state'; activity: string; online: boolean; session: string; carrier: string; capturing: boolean; playing: boolean }
  | { on: 'notice'; level: 'info' | 'warning' | 'error'; text: string }
  | { on: 'log'; entries: Entry[] }
  | { on: 'show'; message: Shown }
  | { on: 'mcp'; payload: unknown }
  | { on: 'levels'; up: number; down: number }
  | { on: 'statistics'; statistics: Statistics }
  | { on: 'answer'; id: number; value: unknown };

/** A line of the timeline. */
export interface Entry {
  /** Never the same twice. */
  number: number;
  /** Milliseconds since the worker began. */
  time: number;
  direction: 'up' | 'down' | 'here';
  kind: 'message' | 'audio' | 'state' | 'error';
  text: string;
  bytes: number;
}

/** What the gateway wants shown. */
export interface Shown {
  type: string;
  state?: string;
  text?: string;
  emotion?: string;
  status?: string;
  message?: string;
}

/** A packet, looked into. */
export interface Inspection {
  header?: { flags: number; payloadLen: number; connectionId: number; timestamp: number; sequence: number };
  opus?: { mode: string; bandwidth: string; channels: number; frames: number; duration: number; redundancy: boolean };
  toc?: number;
  problem?: string;
  datagram: Uint8Array;
  payload?: Uint8Array;
}

export interface Downlink {
  received: number;
  bytes: number;
  lost: number;
  concealed: number;
  recovered: number;
  skipped: number;
  late: number;
  duplicate: number;
  overflowed: number;
  notPlaying: number;
  dropped: number;
  played: number;
  underruns: number;
  depth: number;
  target: number;
  jitter: number;
}

export interface NetworkCounts {
  packets: number;
  lost: number;
  duplicated: number;
  reordered: number;
  overflowed: number;
}

export interface Statistics {
  time: number;
  sent: number;
  sentBytes: number;
  down: Downlink;
  network: { up: NetworkCounts; down: NetworkCounts };
  /** Something is still to be heard. */
  playing: boolean;
  /** Times that the sound card found nothing to play. */
  starved: number;
  /** Times that the sound card, or its thread, stood still for more than 50 ms: the machine is busy. */
  stalls: number;
  rejected: number;
  undecodable: number;
  restarts: number;
  /** Milliseconds from the last press of the button to the first audio that was heard. */
  firstAudio: number | null;
  /** Microseconds a frame, mean of the last. */
  encodeMicros: number;
  decodeMicros: number;
}
