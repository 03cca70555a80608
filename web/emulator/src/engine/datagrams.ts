// The way of the sealed datagrams: WebTransport, which is nearest to UDP, or binary frames of a WebSocket.

export interface Datagrams {
  readonly name: string;
  send(datagram: Uint8Array): void;
  close(): void;
}

interface Ways {
  webTransport: string;
  certificate: string;
  webSocket: string;
  prefer: 'auto' | 'webtransport' | 'websocket';
  received(datagram: Uint8Array): void;
  /** It broke, after it was there. */
  broke(why: string): void;
  notice(text: string): void;
}

/** How long a way may take to be there, in ms. */
const PATIENCE = 5000;

/** The best way there is. */
export async function connect(ways: Ways): Promise<Datagrams> {
  const wanted = ways.prefer !== 'websocket' && ways.webTransport !== '';
  if (wanted && typeof WebTransport === 'undefined') {
    ways.notice('This browser has no WebTransport: audio goes through a WebSocket instead.');
  } else if (wanted) {
    try {
      return await webTransport(ways);
    } catch (error) {
      ways.notice(`WebTransport to ${ways.webTransport} failed (${said(error)}): audio goes through a WebSocket instead.`);
    }
  } else if (ways.prefer === 'webtransport') {
    ways.notice('The gateway named no address for WebTransport: audio goes through a WebSocket instead.');
  }
  return webSocket(ways);
}

async function webTransport(ways: Ways): Promise<Datagrams> {
  const options: WebTransportOptions = { congestionControl: 'low-latency' };
  if (ways.certificate) {
    const value = Uint8Array.from(ways.certificate.match(/[0-9a-f]{2}/gi) ?? [], (pair) => Number.parseInt(pair, 16));
    options.serverCertificateHashes = [{ algorithm: 'sha-256', value }];
  }
  const transport = new WebTransport(ways.webTransport, options);
  let closed = false;
  // Told once it is there; before that it is the failure below.
  let there = false;
  const over = (why: string): void => {
    if (there && !closed) ways.broke(why);
    closed = true;
  };
  transport.closed.then(
    () => over('the gateway closed it'),
    (error: unknown) => over(said(error)),
  );
  let writer: WritableStreamDefaultWriter<Uint8Array>;
  let reader: ReadableStreamDefaultReader<Uint8Array>;
  try {
    await within(transport.ready, PATIENCE);
    writer = outgoing(transport.datagrams).getWriter();
    reader = transport.datagrams.readable.getReader();
  } catch (error) {
    closed = true;
    transport.close();
    throw error;
  }
  there = true;
  void (async () => {
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        ways.received(value);
      }
    } catch (error) {
      over(said(error));
    }
  })();
  return {
    name: 'WebTransport',
    // What cannot be sent now is as good as lost on the way.
    send: (datagram) => void writer.write(datagram).catch(() => undefined),
    close: () => {
      closed = true;
      transport.close();
    },
  };
}

/** As the standard has it now, and Safari has had it from the first; before that it was a property. */
function outgoing(datagrams: WebTransportDatagramDuplexStream): WritableStream<Uint8Array> {
  const { createWritable } = datagrams as { createWritable?: () => WritableStream<Uint8Array> };
  return createWritable?.call(datagrams) ?? datagrams.writable;
}

async function webSocket(ways: Ways): Promise<Datagrams> {
  const socket = new WebSocket(ways.webSocket);
  socket.binaryType = 'arraybuffer';
  let closed = false;
  await within(
    new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.onclose = ({ code }) => reject(new Error(`closed with code ${code}`));
    }),
    PATIENCE,
  ).catch((error: unknown) => {
    socket.close();
    throw new Error(`${ways.webSocket} cannot be reached: ${said(error)}`);
  });
  socket.onmessage = ({ data }) => {
    if (data instanceof ArrayBuffer) ways.received(new Uint8Array(data));
  };
  socket.onclose = ({ code }) => {
    if (!closed) ways.broke(`closed with code ${code}`);
  };
  return {
    name: 'WebSocket',
    send: (datagram) => {
      // A second of speech waits at most: later it would only be late.
      if (socket.readyState === WebSocket.OPEN && socket.bufferedAmount < 8192) socket.send(datagram as Uint8Array<ArrayBuffer>);
    },
    close: () => {
      closed = true;
      socket.close();
    },
  };
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
