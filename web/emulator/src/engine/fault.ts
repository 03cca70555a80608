// A module that can be let fail, for tests and demonstrations: one of its functions runs into a real `unreachable`.

// `(module (func (export "trap") unreachable))`
const TRAP = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 8, 1, 4, 116, 114, 97, 112, 0, 0, 10, 5, 1, 3, 0, 0, 11];

/** What a call sends speech with. */
const SENDS = /stream\.send$|encoder\.encode$/;

export class Fault {
  #next = false;

  /** The next frame that is sent fails. */
  arm(): void {
    this.#next = true;
  }

  /** Instantiates a module so that it can be let fail. */
  readonly instantiate = (module: WebAssembly.Module, imports?: WebAssembly.Imports): WebAssembly.Instance => {
    const instance = new WebAssembly.Instance(module, imports);
    const sends = Object.keys(instance.exports).filter((name) => SENDS.test(name) && !name.startsWith('cabi_post'));
    if (sends.length === 0) return instance;
    const exports: Record<string, WebAssembly.ExportValue> = { ...instance.exports };
    for (const name of sends) {
      const send = exports[name] as (...args: unknown[]) => unknown;
      exports[name] = ((...args: unknown[]) => {
        if (this.#next) {
          this.#next = false;
          trap();
        }
        return send(...args);
      }) as unknown as WebAssembly.ExportValue;
    }
    return { exports };
  };
}

function trap(): never {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(TRAP)));
  (exports['trap'] as () => void)();
  throw new Error('`unreachable` was passed');
}
