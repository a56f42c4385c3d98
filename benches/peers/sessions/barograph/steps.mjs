// Barograph in Node: `steps.mjs FOLDER`, started by run.py.
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { open } from '../../../../node/dist/index.mjs';

const folder = process.argv[2];
const ws = await open(folder, { store: join(folder, 'barograph.db') });
const session = await ws.session('node', { resume: true });

async function steps(count, policy) {
  const start = performance.now();
  for (let at = 0; at < count; at++) await session.step('noop', () => null, { policy });
  return { seconds: (performance.now() - start) / 1e3 };
}

const verbs = { steps: (count) => steps(count, 'retry'), once: (count) => steps(count, 'once') };
console.log('{"ready": true}');
for await (const line of createInterface({ input: process.stdin })) {
  const [verb, ...numbers] = line.split(' ');
  console.log(JSON.stringify(await verbs[verb](...numbers.map(Number))));
}
await session.close();
await ws.close();
