// The component from JavaScript: a device and a gateway, each in an instance of its own, and a packet between them.
//
//     node session.mjs        needs the package @sidetone/media; a browser runs the same

import { Refused, Session, load } from '@sidetone/media';

const media = await load();
const key = '000102030405060708090a0b0c0d0e0f';
const config = (role, hears, speaks) => ({
  role,
  connectionId: 7,
  incoming: {
    payload: 'opus',
    delivery: 'pcm',
    frame: 60_000,
    channels: 1,
    sampleRate: hears,
    maxConcealed: 5,
    forwardLimit: 500,
    acceptUnmarkedDownlink: false,
  },
  outgoing: {
    payload: 'opus',
    frame: 60_000,
    channels: 1,
    sampleRate: speaks,
    application: 'voip',
    bitrate: { tag: 'bits-per-second', val: 24_000 },
    vbr: true,
    dtx: false,
    fec: false,
    expectedLoss: 0,
    signal: 'voice',
    split: 'auto',
    timestamps: 'elapsed',
  },
  quality: 'medium',
});
const device = Session.open(media.sandbox(), key, config('device', 24_000, 16_000));
const gateway = Session.open(media.sandbox(), key, config('gateway', 16_000, 24_000));

const tone = Int16Array.from({ length: 960 }, (_, n) => 8000 * Math.sin((2 * Math.PI * 440 * n) / 16_000));
let datagram;
for (let frame = 0; frame < 3; frame++) {
  [datagram] = device.send(tone, frame * 60);
  const heard = gateway.receive(datagram);
  console.log(`sequence ${heard.sequence}: ${datagram.length} bytes, ${heard.samples.length} samples, ${heard.kind}`);
}
try {
  gateway.receive(datagram);
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  console.log(`the same again: ${error.tag}(${error.value})`);
}
device.close();
gateway.close();
