// Numbers, times and words, as one reads them.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** A count. From 100,000 on in thousands and millions. */
export function count(value: number): string {
  if (value >= 1e9) return `${(value / 1e9).toFixed(2)} G`;
  if (value >= 1e6) return `${(value / 1e6).toFixed(value >= 1e7 ? 1 : 2)} M`;
  if (value >= 1e5) return `${(value / 1e3).toFixed(0)} k`;
  return whole.format(value);
}

/** With as many digits as matter. */
export function decimal(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 0.01) return '<0.01';
  return size >= 100 ? whole.format(value) : value.toFixed(size >= 10 ? 1 : 2);
}

export const ms = (value: number | null | undefined): string => (value === null || value === undefined ? '–' : `${decimal(value)} ms`);

export const percent = (value: number | null | undefined): string => (value === null || value === undefined ? '–' : `${decimal(value)} %`);

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  const steps = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let step = 0;
  while (value >= 1024 && step < steps.length - 1) {
    value /= 1024;
    step += 1;
  }
  return `${step === 0 ? whole.format(value) : value.toFixed(value >= 100 ? 0 : 1)} ${steps[step]}`;
}

/** A value of a series, in its unit. */
export function inUnit(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined) return '–';
  if (unit === 'ms') return ms(value);
  if (unit === 'percent') return percent(value);
  if (unit === 'bytes') return bytes(value);
  if (unit === 'flag') return value > 0 ? 'yes' : 'no';
  return Number.isInteger(value) ? count(value) : decimal(value);
}

const two = (value: number): string => String(value).padStart(2, '0');

/** Time of day, in the reader's time zone. */
export function clock(at: number): string {
  const date = new Date(at);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

const day = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short' });

export const date = (at: number): string => day.format(at);

/** Time of day, and the day where it is not today. */
export const when = (at: number): string => (new Date(at).toDateString() === new Date().toDateString() ? clock(at) : `${date(at)}, ${clock(at)}`);

/** `45 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(seconds: number): string {
  const all = Math.max(0, Math.floor(seconds));
  const parts: [number, string][] = [
    [Math.floor(all / 86_400), 'd'],
    [Math.floor(all / 3600) % 24, 'h'],
    [Math.floor(all / 60) % 60, 'min'],
    [all % 60, 's'],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  if (first < 0) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ');
}

/** `0:45`, `3:20`, `2:05:00`: for columns. */
export function span(seconds: number): string {
  const all = Math.max(0, Math.floor(seconds));
  const [hours, minutes] = [Math.floor(all / 3600), Math.floor(all / 60) % 60];
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(all % 60)}`;
}

/** `device_goodbye`, `tooOld`: as words. */
export const words = (name: string): string =>
  name
    .replaceAll(/[_-]/g, ' ')
    .replaceAll(/([a-z])([A-Z])/g, (_match, before: string, after: string) => `${before} ${after.toLowerCase()}`);

export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

/** A device's client id, `GROUP@@@MAC@@@UUID`, by what tells it from others: the MAC address, and the group. */
export function deviceName(id: string): string {
  const [, group, mac] = /^(.*)@@@([0-9a-f]{2}(?:_[0-9a-f]{2}){5})@@@/i.exec(id) ?? [];
  return mac ? `${mac.replaceAll('_', ':')} ${group}` : id;
}
