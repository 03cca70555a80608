// What the tests of the package open sessions with.

// The usual call: the device speaks 16 kHz and hears 24 kHz, mono, in frames of 60 ms.
export function config(role, connectionId) {
  const [hears, speaks] = role === 'gateway' ? [16000, 24000] : [24000, 16000];
  return {
    role,
    connectionId,
    incoming: {
      payload: 'opus',
      delivery: 'pcm',
      frame: 60000,
      channels: 1,
      sampleRate: hears,
      maxConcealed: 5,
      forwardLimit: 500,
      acceptUnmarkedDownlink: false,
    },
    outgoing: {
      payload: 'opus',
      frame: 60000,
      channels: 1,
      sampleRate: speaks,
      application: 'voip',
      bitrate: { tag: 'auto' },
      vbr: true,
      dtx: false,
      fec: false,
      expectedLoss: 0,
      signal: 'auto',
      split: 'auto',
      timestamps: 'elapsed',
    },
    quality: 'full',
    resume: undefined,
  };
}
