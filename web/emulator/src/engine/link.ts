// The control connection: MQTT over a WebSocket, or a WebSocket of messages and audio.

import { Mqtt, WebSocketFrame, clientId, credentials, token, topics } from '@sidetone/device';
import type { Settings } from '../settings.js';
import { said } from './datagrams.js';

/** What a link tells its device. */
export interface Ears {
  connected(): void;
  disconnected(why: string): void;
  message(text: string): void;
  audio(timestamp: number, payload: Uint8Array): void;
}

export interface Link {
  send(text: string): void;
  sendAudio(timestamp: number, payload: Uint8Array): void;
  tick(now: number): void;
  readonly nextTimeout: number | undefined;
  close(): void;
}

/** Bytes that may wait to be sent; more means that the gateway takes nothing any more. */
const MOST_WAITING = 256 * 1024;

const KEEP_ALIVE = 240;

export function open(settings: Settings, ears: Ears): Link {
  return settings.transport === 'websocket' ? new Plain(settings, ears) : new Broker(settings, ears);
}

/** A path of the gateway's. */
export function at(gateway: string, path: string): URL {
  if (!/^wss?:\/\//i.test(gateway) || !URL.canParse(gateway)) {
    throw new Error(`the gateway's address ${gateway ? `“${gateway}” is none` : 'is empty'}: it is like ws://127.0.0.1:8000 or wss://voice.example`);
  }
  return new URL(path, gateway);
}

/** All that browsers tell of a connection that ended without a word. */
function lost(url: string, wasOpen: boolean): string {
  const { origin } = new URL(url);
  if (wasOpen) return `${origin} dropped the connection`;
  return `${origin} cannot be reached, or lets no page from ${location.origin} in (web.origins of the gateway)`;
}

abstract class Socketed {
  protected readonly socket: WebSocket;
  #over = false;
  #wasOpen = false;

  constructor(
    url: string,
    protocols: string[],
    protected readonly ears: Ears,
  ) {
    this.socket = new WebSocket(url, protocols);
    this.socket.binaryType = 'arraybuffer';
    this.socket.onopen = () => {
      this.#wasOpen = true;
      this.opened();
    };
    this.socket.onmessage = ({ data }) => this.heard(data as string | ArrayBuffer);
    this.socket.onclose = ({ code, reason }) => this.end(reason || (code === 1006 ? lost(url, this.#wasOpen) : `closed with code ${code}`));
  }

  protected abstract opened(): void;
  protected abstract heard(data: string | ArrayBuffer): void;

  protected put(data: string | Uint8Array): void {
    if (this.socket.readyState !== WebSocket.OPEN || data.length === 0) return;
    if (this.socket.bufferedAmount > MOST_WAITING) {
      this.end('the gateway takes nothing any more');
      return;
    }
    this.socket.send(data as string | Uint8Array<ArrayBuffer>);
  }

  protected end(why: string): void {
    if (this.#over) return;
    this.#over = true;
    this.socket.close();
    this.ears.disconnected(why);
  }

  close(): void {
    this.#over = true;
    this.socket.close();
  }
}

class Broker extends Socketed implements Link {
  #mqtt: Mqtt;
  #publish: string;
  #answers: string;
  #subscribe: boolean;
  /** The gateway has taken the connection: before that MQTT knows no goodbye. */
  #taken = false;

  constructor(settings: Settings, ears: Ears) {
    const id = clientId(settings.group, settings.mac, settings.uuid);
    let { username, password } = settings;
    if (settings.signatureKey) [username = '', password = ''] = credentials(id, settings.signatureKey);
    super(at(settings.gateway, '/mqtt').href, ['mqtt'], ears);
    this.#mqtt = new Mqtt(performance.now(), id, username, password, KEEP_ALIVE);
    [this.#publish = '', this.#answers = ''] = topics(id, 'mac');
    this.#subscribe = settings.subscribe;
  }

  get nextTimeout(): number | undefined {
    return this.#mqtt.nextTimeout;
  }

  protected opened(): void {
    this.put(this.#mqtt.takeOutput());
  }

  protected heard(data: string | ArrayBuffer): void {
    if (typeof data === 'string') return this.end('text came where MQTT should');
    this.#carefully(() => {
      const events = JSON.parse(this.#mqtt.receive(performance.now(), new Uint8Array(data))) as {
        event: string;
        text?: string;
      }[];
      for (const { event, text } of events) {
        if (event === 'connected') {
          this.#taken = true;
          if (this.#subscribe) this.#mqtt.subscribe(performance.now(), this.#answers);
          this.ears.connected();
        } else if (event === 'message') this.ears.message(text ?? '');
        else this.end('the gateway ended the connection');
      }
    });
  }

  send(text: string): void {
    this.#carefully(() => this.#mqtt.publish(performance.now(), this.#publish, new TextEncoder().encode(text)));
  }

  sendAudio(): void {
    throw new Error('audio does not go over MQTT');
  }

  tick(now: number): void {
    this.#carefully(() => this.#mqtt.tick(now));
  }

  override close(): void {
    if (this.#taken && this.socket.readyState === WebSocket.OPEN) this.#carefully(() => this.#mqtt.disconnect(performance.now()));
    super.close();
  }

  #carefully(run: () => void): void {
    try {
      run();
      this.put(this.#mqtt.takeOutput());
    } catch (error) {
      this.end(said(error));
    }
  }
}

class Plain extends Socketed implements Link {
  readonly nextTimeout = undefined;
  #version: number;

  constructor(settings: Settings, ears: Ears) {
    const url = at(settings.gateway, '/xiaozhi/v1/');
    url.searchParams.set('device-id', settings.mac);
    url.searchParams.set('client-id', settings.uuid);
    url.searchParams.set('protocol-version', String(settings.version));
    if (settings.signatureKey) {
      url.searchParams.set('authorization', token(settings.mac, settings.uuid, settings.signatureKey));
    } else if (settings.password) {
      url.searchParams.set('authorization', settings.password);
    }
    super(url.href, [], ears);
    this.#version = settings.version;
  }

  protected opened(): void {
    this.ears.connected();
  }

  protected heard(data: string | ArrayBuffer): void {
    if (typeof data === 'string') return this.ears.message(data);
    try {
      const frame = WebSocketFrame.decode(this.#version, new Uint8Array(data));
      const { isJson, timestamp, payload } = frame;
      frame.free();
      if (isJson) this.ears.message(new TextDecoder().decode(payload));
      else this.ears.audio(timestamp, payload);
    } catch (error) {
      this.end(said(error));
    }
  }

  send(text: string): void {
    this.put(text);
  }

  sendAudio(timestamp: number, payload: Uint8Array): void {
    this.put(WebSocketFrame.encode(this.#version, timestamp, payload));
  }

  tick(): void {}
}
