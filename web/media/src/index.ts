// @sidetone/media: Opus and packet crypto, the same module that the gateway runs, behind classes that guard what
// JavaScript gets wrong.

export { Decoder, Encoder, voice } from './codec.js';
export { Closed, Failed, Refused } from './errors.js';
export { toFloat32, toInt16 } from './guard.js';
export { load } from './load.js';
export { type Instantiate, type Manifest, Media, compile } from './media.js';
export { type Header, header } from './mirror.js';
export { Opener, Sealer } from './packet.js';
export { MOST_FAILURES, Sandbox } from './sandbox.js';
export { Session, type SessionConfig } from './session.js';
export type * from './types.js';
