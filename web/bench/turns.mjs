// What a benchmark asks of a program that runs beside it: a line of JSON each way.
//
// `{"ask":"case", …}` is answered with the variants that there are, `{"ask":"pass","variant":…}` with µs a frame,
// `{"ask":"figures"}` with figures by name. An error is answered as `{"error":…}`.

import { createInterface } from 'node:readline';

/** Answers until the other end is gone. `prepare(case)` gives passes by name of the variant. */
export async function answer({ prepare, figures = () => ({}) }) {
  let passes = {};
  for await (const line of createInterface({ input: process.stdin })) {
    const asked = JSON.parse(line);
    let answer;
    try {
      if (asked.ask === 'case') {
        passes = await prepare(asked);
        answer = { variants: Object.keys(passes) };
      } else if (asked.ask === 'pass') {
        answer = { micros: await passes[asked.variant]() };
      } else {
        answer = { figures: await figures() };
      }
    } catch (error) {
      answer = { error: error instanceof Error ? error.message : String(error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}
