// The types of the WIT interface, by name.

export type {
  Config,
  Delivery,
  Incoming,
  Outgoing,
  Payload,
  Quality,
  Received,
  Role,
  State,
  Stats,
  Timestamps,
} from '../dist/interfaces/sidetone-media-session.js';
export type { EncoderConfig, Mode, PacketInfo } from '../dist/interfaces/sidetone-media-codec.js';
export type { Accepted, Candidate } from '../dist/interfaces/sidetone-media-packet.js';
export type {
  Application,
  Bandwidth,
  Bitrate,
  Direction,
  Key,
  Signal,
  Split,
} from '../dist/interfaces/sidetone-media-types.js';
