// Runs the steps of a session; see run.py for what is asked of it.
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { open } from 'barograph';

const [store, session] = process.argv.slice(2, 4);
const [steps, stop] = process.argv.slice(4, 6).map(Number);
const folder = dirname(store);

async function work(number) {
  appendFileSync(join(folder, 'effects'), `${number} node\n`);
  if (number === stop) {
    console.log('waiting');
    await new Promise((resolve) => setTimeout(resolve, 600_000));
  }
  return { step: number, half: number / 2, text: `é${number}` };
}

const ws = await open(folder, { store });
const s = await ws.session(session, { resume: true });
let total = 0;
for (let number = 0; number < steps; number++) {
  const result = await s.step(`step-${number}`, () => work(number), { args: { a: [number, 'é'], b: number } });
  assert.deepEqual(result, { step: number, half: number / 2, text: `é${number}` });
  total += result.step;
}
const blob = await s.step('bytes', () => new Uint8Array([0, 1, 254, 255]));
assert.deepEqual([...blob], [0, 1, 254, 255]);
await s.complete({ total });
await s.close();
await ws.close();
