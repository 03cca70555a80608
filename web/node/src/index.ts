// @sidetone/node: what a Node voice gateway calls for its audio, on the module that the Sidetone gateway runs.

export { StreamingCrypto } from './crypto.js';
export { Busy, Closed, Crashed, Failed, Refused, Timeout } from './errors.js';
export { PerformanceMonitor } from './monitor.js';
export { WorkerPoolManager } from './pool.js';
export { Session } from './session.js';
export type { CryptoStats } from './crypto.js';
export type { Detailed, Performance } from './monitor.js';
export type { CodecParams, PoolOptions, PoolStats } from './pool.js';
export type { EncoderConfig, Quality, Received, SessionConfig, State, Stats } from '#media';
