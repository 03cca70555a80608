// What goes wrong in a pool, as classes to tell apart. `Refused` and `Failed` are those of @sidetone/media.

export { Closed, Failed, Refused } from '#media';

/** An operation took too long. A thread that hangs is ended, and its streams begin anew on another. */
export class Timeout extends Error {
  override readonly name = 'Timeout';

  constructor(
    /** The number of the request. */
    readonly request: number,
    readonly milliseconds: number,
  ) {
    super(`Worker request ${request} timeout after ${milliseconds}ms`);
  }
}

/** Too much is in flight already: nothing was done. Send less, or give the pool more threads. */
export class Busy extends Error {
  override readonly name = 'Busy';
}

/** The thread ended with the operation in hand. Its streams go on, on a fresh one. */
export class Crashed extends Error {
  override readonly name = 'Crashed';
}
