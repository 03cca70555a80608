// The page's half of audio: a context, two worklets, and ports between them and the worker.

import captureUrl from './capture.worklet.ts?worker&url';
import playoutUrl from './playout.worklet.ts?worker&url';

/** How long a sound card is waited for, in ms: browsers open none before the first click. */
const PATIENCE = 1000;

/** What stands in the way of audio here, in a sentence; `undefined`: nothing. */
export function lacking(microphone: boolean): string | undefined {
  if (!globalThis.isSecureContext) {
    return (
      `This page came over plain HTTP from ${location.hostname}: browsers give microphone and sound to secure pages only. ` +
      'Open it over HTTPS, or from localhost. Calls with clip or tone work; they are only not heard.'
    );
  }
  if (typeof AudioWorkletNode === 'undefined') return 'This browser has no AudioWorklet: calls work, but nothing is heard.';
  if (microphone && !navigator.mediaDevices?.getUserMedia) return 'This browser gives pages no microphone. Choose another source.';
  return undefined;
}

export class Sound {
  #context: AudioContext;
  #stream: MediaStream | undefined;
  #source: MediaStreamAudioSourceNode | undefined;
  /** One for all microphones that come and go. */
  #capture: AudioWorkletNode | undefined;

  private constructor(context: AudioContext) {
    this.#context = context;
  }

  get rate(): number {
    return this.#context.sampleRate;
  }

  get isRunning(): boolean {
    return this.#context.state === 'running';
  }

  /** Opens the sound card. To be called when the user has just done something; `changed`: it plays, or stands still. */
  static async open(changed: (running: boolean) => void): Promise<{ sound: Sound; playout: MessagePort }> {
    const context = new AudioContext({ latencyHint: 'interactive' });
    // At once, and not after what is waited for below: Safari asks that it be part of the click.
    const running = context.resume();
    context.onstatechange = () => changed(context.state === 'running');
    await Promise.all([context.audioWorklet.addModule(captureUrl), context.audioWorklet.addModule(playoutUrl)]);
    const node = new AudioWorkletNode(context, 'sidetone-playout', { numberOfInputs: 0, outputChannelCount: [1] });
    node.connect(context.destination);
    const { port1, port2 } = new MessageChannel();
    node.port.postMessage(port1, [port1]);
    // Where it does not come in time it does at the next click: the device need not wait for it.
    await Promise.race([running, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
    const again = (): void => void context.resume();
    for (const event of ['pointerdown', 'keydown']) addEventListener(event, again, { passive: true });
    changed(context.state === 'running');
    return { sound: new Sound(context), playout: port2 };
  }

  /**
   * Opens the microphone, where it is not open, and returns the port that it is heard at, the first time. `wanted`: it still
   * is, when the user has allowed it at last. What stands in the way is thrown as a sentence.
   */
  async microphone(wanted: () => boolean, lost: (why: string) => void): Promise<MessagePort | undefined> {
    if (this.#stream?.active) return undefined;
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
    } catch (error) {
      throw new Error(REFUSALS[error instanceof DOMException ? error.name : ''] ?? `The microphone cannot be opened: ${String(error)}`);
    }
    this.silence();
    this.#stream = stream;
    if (!wanted()) {
      this.silence();
      return undefined;
    }
    for (const track of stream.getTracks()) {
      track.onended = () => lost('The microphone is gone: unplugged, or no longer allowed. Talk again when it is back, or choose another source.');
    }
    this.#source = this.#context.createMediaStreamSource(stream);
    if (this.#capture) {
      this.#source.connect(this.#capture);
      return undefined;
    }
    this.#capture = new AudioWorkletNode(this.#context, 'sidetone-capture', { numberOfOutputs: 0, channelCount: 1, channelCountMode: 'explicit' });
    this.#source.connect(this.#capture);
    const { port1, port2 } = new MessageChannel();
    this.#capture.port.postMessage(port1, [port1]);
    return port2;
  }

  /** Lets go of the microphone: the browser shows that it is open. */
  silence(): void {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#source?.disconnect();
    [this.#stream, this.#source] = [undefined, undefined];
  }
}

const REFUSALS: Record<string, string> = {
  NotAllowedError: 'The microphone was not allowed. Allow it in the address bar and talk again, or choose another source.',
  NotFoundError: 'There is no microphone. Plug one in, or choose another source.',
  NotReadableError: 'The microphone is in use by another program. Close that, or choose another source.',
};

/** Decodes an audio file, mixed to mono, at its own or the browser's rate. */
export async function decodeFile(data: ArrayBuffer): Promise<{ rate: number; samples: Float32Array }> {
  const buffer = await new OfflineAudioContext(1, 1, 48000).decodeAudioData(data);
  const samples = new Float32Array(buffer.length);
  for (let channel = 0; channel < buffer.numberOfChannels; channel++) {
    const from = buffer.getChannelData(channel);
    for (let n = 0; n < samples.length; n++) samples[n] = (samples[n] ?? 0) + (from[n] ?? 0) / buffer.numberOfChannels;
  }
  return { rate: buffer.sampleRate, samples };
}
