// A gateway for the tests, where the real one is not built: MQTT and datagrams over WebSocket, WebSocket devices; the
// real module in Node at the far end. It says back what it hears, when the speaker has let go of the button.

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { Decoder, Encoder, Session, load, voice } from '@sidetone/media';
import { WebSocketServer } from 'ws';

const FRAME = 60;
const UP = 16000;
const DOWN = 24000;

const config = (connectionId) => ({
  role: 'gateway',
  connectionId,
  incoming: { payload: 'opus', delivery: 'pcm', frame: FRAME * 1000, channels: 1, sampleRate: DOWN, maxConcealed: 5, forwardLimit: 500, acceptUnmarkedDownlink: false },
  outgoing: { payload: 'opus', frame: FRAME * 1000, channels: 1, sampleRate: DOWN, application: 'voip', bitrate: { tag: 'auto' }, vbr: true, dtx: false, fec: false, expectedLoss: 0, signal: 'auto', split: 'auto', timestamps: 'elapsed' },
  quality: 'full',
});

export async function start(port = 0) {
  const media = await load();
  const calls = new Map();
  const server = createServer((_, response) => response.writeHead(404).end());
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'mqtt' });
  const gateway = { media, calls, hellos: 0, mcp: [], messages: [], port: 0 };

  /** A call: what it hears, and how it answers. */
  class Call {
    constructor(say, sealed) {
      this.id = randomBytes(4).toString('hex');
      this.say = (message) => say(JSON.stringify({ ...message, session_id: this.id }));
      this.begun = performance.now();
      this.heard = [];
      if (sealed) {
        this.key = randomBytes(16);
        this.connectionId = randomBytes(4).readUInt32BE();
        this.session = Session.open(media.sandbox(), new Uint8Array(this.key), config(this.connectionId));
        calls.set(this.connectionId, this);
      } else {
        this.decoder = Decoder.open(media.sandbox(), DOWN);
        this.encoder = Encoder.open(media.sandbox(), voice(DOWN));
      }
    }

    hear(samples) {
      if (this.mode === 'realtime') {
        this.rest = this.rest ? Int16Array.from([...this.rest, ...samples]) : samples;
        const frame = (DOWN * FRAME) / 1000;
        for (; this.rest.length >= frame; this.rest = this.rest.slice(frame)) this.play(this.rest.subarray(0, frame));
      } else this.heard.push(samples);
    }

    play(frame) {
      const at = performance.now() - this.begun;
      if (this.session) for (const datagram of this.session.send(frame, at)) this.out?.(datagram);
      else this.audio(Math.floor(at), this.encoder.encode(frame));
    }

    message({ type, state, mode }) {
      if (type === 'listen' && state === 'start') {
        this.mode = mode;
        this.heard = [];
        if (mode === 'realtime') this.say({ type: 'tts', state: 'start' });
      }
      // What is under way is waited for.
      if (type === 'listen' && state === 'stop') setTimeout(() => this.answer(), 100);
      if (type === 'abort') clearInterval(this.playing);
      if (type === 'goodbye') this.close();
    }

    answer() {
      if (this.mode === 'realtime') return this.say({ type: 'tts', state: 'stop' });
      const all = Int16Array.from(this.heard.flatMap((samples) => [...samples]));
      const text = `${(all.length / DOWN).toFixed(1)} s of speech`;
      this.say({ type: 'stt', text });
      this.say({ type: 'llm', text: '🙂', emotion: 'happy' });
      this.say({ type: 'tts', state: 'start' });
      this.say({ type: 'tts', state: 'sentence_start', text });
      const frame = (DOWN * FRAME) / 1000;
      let at = 0;
      const begun = performance.now();
      this.playing = setInterval(() => {
        for (; at < all.length && (at / frame) * FRAME <= performance.now() - begun; at += frame) {
          const piece = new Int16Array(frame);
          piece.set(all.subarray(at, at + frame));
          this.play(piece);
        }
        if (at >= all.length) {
          clearInterval(this.playing);
          this.say({ type: 'tts', state: 'stop' });
        }
      }, 10);
    }

    close() {
      clearInterval(this.playing);
      calls.delete(this.connectionId);
    }
  }

  function conversation(say, sealed, audio) {
    let call;
    return {
      text(text) {
        const message = JSON.parse(text);
        gateway.messages.push(message);
        if (message.type === 'hello') {
          gateway.hellos += 1;
          call = new Call(say, sealed);
          call.audio = audio;
          const reply = { type: 'hello', version: 3, transport: sealed ? 'udp' : 'websocket', audio_params: { format: 'opus', sample_rate: DOWN, channels: 1, frame_duration: FRAME } };
          if (sealed) {
            const nonce = Buffer.alloc(16);
            nonce[0] = 1;
            nonce.writeUInt32BE(call.connectionId, 4);
            reply.udp = { server: '127.0.0.1', port: 8884, encryption: 'aes-128-ctr', key: call.key.toString('hex'), nonce: nonce.toString('hex') };
          }
          call.say(reply);
          call.say({ type: 'mcp', payload: { jsonrpc: '2.0', id: 1, method: 'tools/list' } });
        } else if (message.type === 'mcp') gateway.mcp.push(message.payload);
        else if (call && message.session_id === call.id) call.message(message);
      },
      packet: (payload) => call?.hear(call.decoder.decode(payload)),
      close: () => call?.close(),
    };
  }

  function mqtt(socket) {
    let buffer = Buffer.alloc(0);
    const publish = (text) => {
      const topic = Buffer.from('devices/p2p/02_00_00_00_00_01');
      const body = Buffer.concat([Buffer.from([topic.length >> 8, topic.length & 255]), topic, Buffer.from(text)]);
      const length = [];
      for (let rest = body.length; ; rest >>= 7) {
        length.push((rest & 127) | (rest > 127 ? 128 : 0));
        if (rest <= 127) break;
      }
      socket.send(Buffer.concat([Buffer.from([0x30, ...length]), body]));
    };
    const talk = conversation(publish, true);
    socket.on('message', (data) => {
      buffer = Buffer.concat([buffer, data]);
      for (;;) {
        let [length, at] = [0, 1];
        for (; at < buffer.length && at < 5; at++) {
          length |= (buffer[at] & 127) << (7 * (at - 1));
          if (buffer[at] < 128) break;
        }
        if (at >= buffer.length || buffer.length < at + 1 + length) return;
        const [kind, body] = [buffer[0] >> 4, buffer.subarray(at + 1, at + 1 + length)];
        buffer = buffer.subarray(at + 1 + length);
        if (kind === 1) socket.send(Buffer.from([0x20, 2, 0, 0]));
        if (kind === 3) talk.text(body.subarray(2 + body.readUInt16BE(0)).toString());
        if (kind === 12) socket.send(Buffer.from([0xd0, 0]));
      }
    });
    socket.on('close', () => talk.close());
  }

  function datagrams(socket) {
    socket.on('message', (data) => {
      const call = data.length >= 16 ? calls.get(data.readUInt32BE(4)) : undefined;
      if (!call) return;
      call.out = (datagram) => socket.send(datagram);
      try {
        call.hear(call.session.receive(new Uint8Array(data)).samples);
      } catch {
        // Refused: a replay, or not ours. A gateway never answers.
      }
    });
  }

  function plain(socket) {
    const talk = conversation((text) => socket.send(text), false, (_, payload) => {
      socket.send(Buffer.concat([Buffer.from([0, 0, payload.length >> 8, payload.length & 255]), payload]));
    });
    socket.on('message', (data, binary) => (binary ? talk.packet(new Uint8Array(data.subarray(4))) : talk.text(data.toString())));
    socket.on('close', () => talk.close());
  }

  server.on('upgrade', (request, socket, head) => {
    const visit = { '/mqtt': mqtt, '/media': datagrams, '/xiaozhi/v1/': plain }[new URL(request.url, 'http://x').pathname];
    if (!visit) return socket.destroy();
    sockets.handleUpgrade(request, socket, head, visit);
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  gateway.port = server.address().port;
  gateway.url = `ws://127.0.0.1:${gateway.port}`;
  gateway.close = () => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
  };
  return gateway;
}
