// Figures of a process that does audio, in the form in which gateways print them: strings with units.

/** What `getStats` gives. */
export interface Performance {
  framesProcessed: number;
  errors: number;
  avgLatency: string;
  maxLatency: string;
  avgQueueSize: string;
  runtime: string;
  framesPerSecond: string;
  avgCpuUsage: string;
  maxCpuUsage: string;
  currentCpuUsage: string;
  avgMemoryUsage: string;
  maxMemoryUsage: string;
  currentMemory: { rss: string; heapUsed: string; heapTotal: string };
}

/** What `getDetailedStats` adds. */
export interface Detailed extends Performance {
  rawData: { cpuSamples: number; memorySamples: number; latencySamples: number };
}

/** Above these, `shouldDowngrade` says so: mean latency in ms, CPU of the process in percent, heap in MB. */
const LIMITS = { latency: 10, cpu: 80, heap: 500 };
const MOST_SAMPLES = 100;
const EVERY_MS = 1000;
const MB = 1024 * 1024;

/** The last hundred samples. */
class Samples {
  #values: number[] = [];
  #next = 0;

  push(value: number): void {
    this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % MOST_SAMPLES;
  }

  get length(): number {
    return this.#values.length;
  }

  get mean(): number {
    return this.length === 0 ? 0 : this.#values.reduce((sum, value) => sum + value, 0) / this.length;
  }

  get max(): number {
    return this.length === 0 ? 0 : Math.max(...this.#values);
  }

  get last(): number {
    return this.#values[(this.#next + MOST_SAMPLES - 1) % MOST_SAMPLES] ?? 0;
  }
}

/** Latency, throughput, queue, CPU and memory. Samples CPU and memory once a second, until `stop`. */
export class PerformanceMonitor {
  #latency = new Samples();
  #queue = new Samples();
  #cpu = new Samples();
  #heap = new Samples();
  #frames = 0;
  #errors = 0;
  #started = Date.now();
  #cpuBefore = process.cpuUsage();
  #cpuAt = performance.now();
  #timer?: NodeJS.Timeout;

  constructor() {
    this.startResourceMonitoring();
  }

  startResourceMonitoring(): void {
    this.stop();
    this.#timer = setInterval(() => {
      this.recordCpuUsage();
      this.recordMemoryUsage();
    }, EVERY_MS);
    // It keeps no process alive.
    this.#timer.unref();
  }

  /** CPU of the process since the last time, in percent of one core. */
  recordCpuUsage(): number {
    const { user, system } = process.cpuUsage(this.#cpuBefore);
    const now = performance.now();
    const passed = Math.max(now - this.#cpuAt, 1e-3);
    const percent = (user + system) / 10 / passed;
    [this.#cpuBefore, this.#cpuAt] = [process.cpuUsage(), now];
    this.#cpu.push(percent);
    return percent;
  }

  /** Memory in MB. */
  recordMemoryUsage(): { rss: number; heapTotal: number; heapUsed: number; external: number; timestamp: number } {
    const memory = this.#memory();
    this.#heap.push(memory.heapUsed);
    return { ...memory, timestamp: Date.now() };
  }

  /** Notes how long something took: since `start` of `process.hrtime.bigint()`, or ms. Returns ms. */
  recordProcessingTime(start: bigint | number): number {
    const took = typeof start === 'bigint' ? Number(process.hrtime.bigint() - start) / 1e6 : start;
    if (!Number.isFinite(took) || took < 0) throw new RangeError(`a processing time of ${took} ms`);
    this.#latency.push(took);
    return took;
  }

  recordFrame(): void {
    this.#frames += 1;
  }

  recordError(): void {
    this.#errors += 1;
  }

  recordQueueSize(size: number): void {
    this.#queue.push(size);
  }

  getAverageProcessingTime(): number {
    return this.#latency.mean;
  }

  getMaxProcessingTime(): number {
    return this.#latency.max;
  }

  getAverageCpuUsage(): number {
    return this.#cpu.mean;
  }

  getAverageMemoryUsage(): number {
    return this.#heap.mean;
  }

  getStats(): Performance {
    const runtime = Math.max(Date.now() - this.#started, 1);
    const { rss, heapUsed, heapTotal } = this.#memory();
    return {
      framesProcessed: this.#frames,
      errors: this.#errors,
      avgLatency: `${this.#latency.mean.toFixed(2)}ms`,
      maxLatency: `${this.#latency.max.toFixed(2)}ms`,
      avgQueueSize: this.#queue.mean.toFixed(1),
      runtime: `${(runtime / 1000).toFixed(1)}s`,
      framesPerSecond: ((this.#frames / runtime) * 1000).toFixed(1),
      avgCpuUsage: `${this.#cpu.mean.toFixed(2)}%`,
      maxCpuUsage: `${this.#cpu.max.toFixed(2)}%`,
      currentCpuUsage: `${this.#cpu.last.toFixed(2)}%`,
      avgMemoryUsage: `${this.#heap.mean.toFixed(2)}MB`,
      maxMemoryUsage: `${this.#heap.max.toFixed(2)}MB`,
      currentMemory: {
        rss: `${rss.toFixed(2)}MB`,
        heapUsed: `${heapUsed.toFixed(2)}MB`,
        heapTotal: `${heapTotal.toFixed(2)}MB`,
      },
    };
  }

  getDetailedStats(): Detailed {
    const rawData = {
      cpuSamples: this.#cpu.length,
      memorySamples: this.#heap.length,
      latencySamples: this.#latency.length,
    };
    return { ...this.getStats(), rawData };
  }

  /** Whether to do with less: mean latency above 10 ms, CPU above 80 %, or a heap above 500 MB. */
  shouldDowngrade(): boolean {
    return this.#latency.mean > LIMITS.latency || this.#cpu.mean > LIMITS.cpu || this.#heap.mean > LIMITS.heap;
  }

  reset(): void {
    [this.#latency, this.#queue, this.#cpu, this.#heap] = [new Samples(), new Samples(), new Samples(), new Samples()];
    [this.#frames, this.#errors, this.#started] = [0, 0, Date.now()];
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #memory(): { rss: number; heapTotal: number; heapUsed: number; external: number } {
    const { rss, heapTotal, heapUsed, external } = process.memoryUsage();
    return { rss: rss / MB, heapTotal: heapTotal / MB, heapUsed: heapUsed / MB, external: external / MB };
  }
}
