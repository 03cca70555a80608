// A WebSocket server that says to a device what no gateway should: on this machine alone, at a port of the system's.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

const TEXT = 1;
const BINARY = 2;

/** One frame of a server: whole, and not masked (RFC 6455, 5.2). */
function frame(kind, payload) {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = 0x80 | kind;
  head[1] = length < 126 ? length : length < 65_536 ? 126 : 127;
  if (head[1] === 126) head.writeUInt16BE(length, 2);
  if (head[1] === 127) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

/** Says all of this to whoever has said something: objects and strings as text, buffers as they are. */
export async function saying(...messages) {
  const server = createServer();
  const sockets = new Set();
  server.on('upgrade', ({ headers }, socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    const accept = createHash('sha1').update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`);
    socket.once('data', () => {
      for (const message of messages) {
        if (Buffer.isBuffer(message)) socket.write(frame(BINARY, message));
        else socket.write(frame(TEXT, Buffer.from(typeof message === 'string' ? message : JSON.stringify(message))));
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `ws://127.0.0.1:${server.address().port}`,
    close: () => new Promise((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(resolve);
    }),
  };
}
