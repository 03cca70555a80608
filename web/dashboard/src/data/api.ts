// What the gateway answers: docs/api.md, as types. Only what the page shows.

/** Latencies in ms. */
export interface Latency {
  count: number;
  avg: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

export interface Spread {
  latency: Latency;
  counts: number[];
}

export type Quality = 'full' | 'medium' | 'minimal';

export interface Worker {
  worker: number;
  sessions: number;
  queued: number;
  recentMs: number;
  total: Latency;
  quality: Quality;
  qualitySince: number | null;
}

export interface Tenant {
  sessions: number;
  frames: number;
  errors: number;
  refused: number;
  shed: number;
  restarts: number;
  lostFrames: number;
  concealed: number;
  keystreamOverlaps: number;
  memory: number;
}

export type Severity = 'info' | 'warning' | 'critical';

export interface Stats {
  version: string;
  component: { sha256: string; coreSha256: string | null; libopus: string };
  started: number;
  uptime: number;
  phase: string;
  ready: boolean;
  bridge: string;
  devices: number;
  calls: number;
  residentMemory: number | null;
  edges: Record<string, { address: string; listening: boolean }>;
  slots: number;
  slotsUsed: number;
  pendingRequests: number;
  restarts: Record<string, number>;
  shed: Record<string, number>;
  workersReplaced: number;
  tenants: Record<string, Tenant>;
  tenantLatency: Record<string, Latency>;
  workerStats: Worker[];
  ladder: { downMs: number; furtherDownMs: number; upMs: number; firstUpMs: number; dwellMs: number };
  gateway: Record<string, number>;
  recent: {
    seconds: number;
    boundsMs: number[];
    queue: Spread;
    guest: Spread;
    total: Spread;
    values: Record<string, number | null>;
  };
  alerts: { firing: number; pending: number; silenced: number; worst: Severity | null };
  history: { kept: 'file' | 'memory' | 'off'; working: boolean; why: string | null; bytes: number; mostBytes: number; days: number; oldest: number | null; dropped: number };
}

export interface Check {
  what: string;
  ok: boolean;
  detail: string;
}

export interface Readiness {
  ready: boolean;
  checks: Check[];
}

export interface Counts {
  received: number;
  lost: number;
  concealed: number;
  sent: number;
  unsent: number;
  late: number;
  frames: number;
  errors: number;
  shed: number;
  restarts: number;
  lostFrames: number;
  keystreamOverlaps: number;
}

export interface Session {
  id: string;
  device: string;
  tenant: string;
  peer: string | null;
  worker: number;
  started: number;
  seconds: number;
  carrier: string;
  uplink: string;
  downlink: string;
  mcp: boolean;
  quality: Quality;
  qualityCause: string;
  qualityWhy: string;
  counts: Counts;
  lossPercent: number | null;
  avgMs: number;
  maxMs: number;
  memory: number;
  state?: 'live' | 'ended';
  ended?: number | null;
  cause?: string | null;
}

export interface SessionDetails extends Session {
  events: { at: number; what: string; detail: string | null }[];
  eventsMissed: number;
}

export interface Alert {
  id: string;
  metric: string;
  unit: string;
  comparison: 'above' | 'below';
  threshold: number;
  for: number;
  severity: Severity;
  help: string;
  state: 'ok' | 'pending' | 'firing';
  value: number | null;
  since: number | null;
  silence: { until: number; why: string | null } | null;
}

export interface Alerts {
  now: number;
  alerts: Alert[];
  recent: { at: number; id: string; severity: Severity; state: 'firing' | 'resolved'; value: number | null; silenced: boolean }[];
  webhook: { to: string; working: boolean; why: string | null; waiting: number; sent: number; failed: number; givenUp: number } | null;
}

export const RANGES = ['15m', '1h', '6h', '24h', '7d', '30d'] as const;
export type Range = (typeof RANGES)[number];

export interface History {
  range: Range;
  from: number;
  to: number;
  step: number;
  kept: string;
  times: number[];
  series: Record<string, (number | null)[]>;
  boundsMs: number[];
  histograms: { queue: number[]; guest: number[]; total: number[] };
}

export type Happening =
  | { event: 'opened'; at: number; call: Session }
  | { event: 'closed'; at: number; id: string; device: string; tenant: string; cause: string; seconds: number }
  | { event: 'pool'; at: number; what: string; session: number | null; call: string | null; worker: number | null }
  | { event: 'alert'; at: number; alert: Alert }
  | { event: 'lagged'; missed: number };

/** The gateway answered, and it was no. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** How long an answer is waited for. */
const PATIENCE = 8_000;

/** Asks. Throws [`Refused`] where the answer is no, and what `fetch` throws where there is none. */
async function ask<T>(path: string, init: RequestInit = {}, alsoFine: number[] = []): Promise<T> {
  const response = await fetch(path, { ...init, cache: 'no-store', signal: AbortSignal.timeout(PATIENCE) });
  if (response.ok || alsoFine.includes(response.status)) return (await response.json()) as T;
  const said = (await response.json().catch(() => ({}))) as { error?: string };
  throw new Refused(response.status, said.error ?? `the gateway answers ${response.status}`);
}

export const stats = (): Promise<Stats> => ask('api/stats');
export const readiness = (): Promise<Readiness> => ask('readyz', {}, [503]);
export const sessions = async (): Promise<Session[]> => (await ask<{ sessions: Session[] }>('api/sessions')).sessions;
export const session = (id: string): Promise<SessionDetails> => ask(`api/sessions/${encodeURIComponent(id)}`);
export const end = (id: string): Promise<unknown> => ask(`api/sessions/${encodeURIComponent(id)}`, { method: 'DELETE' });
export const alerts = (): Promise<Alerts> => ask('api/alerts');
export const history = (range: Range, series: readonly string[]): Promise<History> => ask(`api/history?range=${range}&series=${series.join(',')}`);

export const ended = (before: number | null): Promise<{ sessions: Session[]; next: number | null }> =>
  ask(`api/history/sessions?limit=200${before === null ? '' : `&before=${before}`}`);

export const silence = (id: string, seconds: number, why: string): Promise<Alert> =>
  ask(`api/alerts/${encodeURIComponent(id)}/silence`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(why === '' ? { seconds } : { seconds, why }),
  });

export const lift = (id: string): Promise<Alert> => ask(`api/alerts/${encodeURIComponent(id)}/silence`, { method: 'DELETE' });
