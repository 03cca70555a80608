// A page without a device: the module and the worklets by themselves, for tests and benchmarks. Not shipped.

import { Decoder, Encoder, Opener, Sealer, load, voice } from '@sidetone/media';
import captureUrl from '../src/audio/capture.worklet.ts?worker&url';
import playoutUrl from '../src/audio/playout.worklet.ts?worker&url';

const media = await load();

export const lab = { media, Decoder, Encoder, Opener, Sealer, voice, captureUrl, playoutUrl };

declare global {
  interface Window {
    lab: typeof lab;
  }
}

window.lab = lab;
