// The page's half of audio: a context, two worklets, and ports between them and the worker.

import captureUrl from './capture.worklet.ts?worker&url';
import playoutUrl from './playout.worklet.ts?worker&url';

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
  #playout: AudioWorkletNode;

  private constructor(context: AudioContext, playout: AudioWorkletNode) {
    this.#context = context;
    this.#playout = playout;
  }

  get rate(): number {
    return this.#context.sampleRate;
  }

  /** Opens the sound card. To be called when the user has just done something. */
  static async open(): Promise<{ sound: Sound; playout: MessagePort }> {
    const context = new AudioContext({ latencyHint: 'interactive' });
    await Promise.all([context.audioWorklet.addModule(captureUrl), context.audioWorklet.addModule(playoutUrl)]);
    const node = new AudioWorkletNode(context, 'sidetone-playout', { numberOfInputs: 0, outputChannelCount: [1] });
    node.connect(context.destination);
    const { port1, port2 } = new MessageChannel();
    node.port.postMessage(port1, [port1]);
    await context.resume();
    return { sound: new Sound(context, node), playout: port2 };
  }

  /** Opens the microphone. What stands in the way is thrown as a sentence. */
  async microphone(): Promise<MessagePort> {
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
    } catch (error) {
      throw new Error(REFUSALS[error instanceof DOMException ? error.name : ''] ?? `The microphone cannot be opened: ${String(error)}`);
    }
    const node = new AudioWorkletNode(this.#context, 'sidetone-capture', { numberOfOutputs: 0, channelCount: 1, channelCountMode: 'explicit' });
    this.#context.createMediaStreamSource(this.#stream).connect(node);
    const { port1, port2 } = new MessageChannel();
    node.port.postMessage(port1, [port1]);
    return port2;
  }

  async close(): Promise<void> {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#playout.disconnect();
    await this.#context.close();
  }
}

const REFUSALS: Record<string, string> = {
  NotAllowedError: 'The microphone was not allowed. Allow it in the address bar and choose it again, or choose another source.',
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
