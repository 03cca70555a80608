// What goes wrong, as classes to tell apart.

/** The component refused what it was given: a value of the WIT interface, and nothing has changed. */
export class Refused extends Error {
  override readonly name = 'Refused';

  constructor(
    /** The case, such as `replayed` or `not-opus`. */
    readonly tag: string,
    /** The value at fault, where the case has one. */
    readonly value?: unknown,
  ) {
    super(value === undefined ? tag : `${tag}: ${String(value)}`);
  }
}

/** The instance failed and is gone. A fresh one goes on where it stood; the frame in hand is lost. */
export class Failed extends Error {
  override readonly name = 'Failed';

  constructor(cause: unknown) {
    super(`the module failed (${cause instanceof Error ? cause.message : String(cause)}); a fresh instance goes on`, {
      cause,
    });
  }
}

/** Used after `close`. */
export class Closed extends Error {
  override readonly name = 'Closed';

  constructor(what: string) {
    super(`${what} is closed`);
  }
}

/** A refusal in the form in which the transpiled component throws it. */
export function refusal(error: unknown): Refused | undefined {
  if (!(error instanceof Error) || !('payload' in error)) return undefined;
  const { payload } = error as { payload: unknown };
  if (typeof payload === 'string') return new Refused(payload);
  if (typeof payload !== 'object' || payload === null || !('tag' in payload)) return undefined;
  const { tag, val } = payload as { tag: string; val?: { tag?: string; val?: unknown } | unknown };
  // A case within a case, such as `codec` of a session: the inner one says more.
  if (typeof val === 'object' && val !== null && 'tag' in val) {
    const inner = val as { tag: string; val?: unknown };
    return new Refused(inner.tag, inner.val);
  }
  return new Refused(tag, val);
}
