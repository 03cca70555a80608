// The tools that the device offers to the speech server (MCP, JSON-RPC), with answers that can be edited.

import { el, field } from '../../../ui/dom.js';

interface Tool {
  name: string;
  description: string;
  inputSchema: object;
  answer: string;
}

const TOOLS: readonly Tool[] = [
  {
    name: 'self.get_device_status',
    description: 'Volume, screen, battery and network of the device.',
    inputSchema: { type: 'object', properties: {} },
    answer: '{"audio_speaker":{"volume":70},"screen":{"brightness":75},"battery":{"level":83,"charging":false}}',
  },
  {
    name: 'self.audio_speaker.set_volume',
    description: 'Sets the volume.',
    inputSchema: { type: 'object', properties: { volume: { type: 'integer', minimum: 0, maximum: 100 } }, required: ['volume'] },
    answer: 'true',
  },
  {
    name: 'self.screen.set_brightness',
    description: 'Sets the brightness of the screen.',
    inputSchema: { type: 'object', properties: { brightness: { type: 'integer', minimum: 0, maximum: 100 } }, required: ['brightness'] },
    answer: 'true',
  },
];

/** Letters of a name that are repeated. */
const LETTERS = 200;

/** Letters of an answer: a message of firmware's is not longer. */
const LONGEST = 30_000;

interface Request {
  id?: unknown;
  method?: unknown;
  params?: { name?: unknown };
}

export class Mcp {
  readonly element: HTMLElement;
  #tools: Tool[] = TOOLS.map((tool) => ({ ...tool }));
  #last = el('output', { class: 'quiet' }, 'No request yet.');

  constructor() {
    const tools = this.#tools.map((tool) => {
      const answer = el('textarea', { rows: 2, maxlength: LONGEST, spellcheck: 'false', oninput: () => (tool.answer = answer.value) }, tool.answer);
      return field(tool.name, answer, tool.description);
    });
    this.element = el('div', {}, el('p', {}, 'Last request: ', this.#last), ...tools);
  }

  /** The answer to a request; `undefined` for a notification. */
  answer(payload: unknown): unknown {
    const { id, method, params } = (typeof payload === 'object' && payload !== null ? payload : {}) as Request;
    const [asked, name] = [method, params?.name].map((value) => String(value).slice(0, LETTERS));
    this.#last.textContent = typeof method === 'string' ? `${asked} ${typeof params?.name === 'string' ? name : ''}` : 'not understood';
    if (id === undefined) return undefined;
    const result = (value: unknown): unknown => ({ jsonrpc: '2.0', id, result: value });
    const error = (code: number, message: string): unknown => ({ jsonrpc: '2.0', id, error: { code, message } });
    switch (method) {
      case 'initialize':
        return result({
          protocolVersion: '2024-11-05',
          capabilities: { tools: {} },
          serverInfo: { name: 'sidetone-emulator', version: '0.1.0' },
        });
      case 'tools/list':
        return result({ tools: this.#tools.map(({ answer: _, ...tool }) => tool), nextCursor: '' });
      case 'tools/call': {
        const tool = this.#tools.find(({ name }) => name === params?.name);
        if (!tool) return error(-32602, `Unknown tool: ${name}`);
        return result({ content: [{ type: 'text', text: tool.answer }], isError: false });
      }
      default:
        return error(-32601, `Method not implemented: ${asked}`);
    }
  }
}
