// What a call costs from Node: `border.mjs REPOSITORY`, started by run.sh. Prints one JSON object.
import { createRequire } from 'node:module';

import { open } from '../../node/dist/index.mjs';

// The lowest of rounds: other programs of a busy machine can only add.
const ROUNDS = 100;
const CALLS = 200;
const TABLES = 15;
const args = 'x'.repeat(1_000);

/** The lowest of the rounds' mean time of one call, in microseconds. */
async function eachUs(call, before = () => {}, after = () => {}) {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    await before();
    const start = performance.now();
    for (let at = 0; at < CALLS; at++) await call();
    rounds.push(((performance.now() - start) * 1e3) / CALLS);
    await after();
  }
  return Math.min(...rounds);
}

/** The lowest time of one call, in milliseconds. */
async function onceMs(call) {
  const rounds = [];
  for (let round = 0; round < TABLES; round++) {
    globalThis.gc?.();
    const start = performance.now();
    await call();
    rounds.push(performance.now() - start);
  }
  return Math.min(...rounds);
}

/** One napi call with nothing behind it, without a promise. */
function bareUs() {
  const { Door } = createRequire(import.meta.url)('../../node/barograph.linux-x64-gnu.node');
  const door = new Door(() => {});
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let at = 0; at < CALLS; at++) door.cancel(2 ** 50);
    rounds.push(((performance.now() - start) * 1e3) / CALLS);
  }
  return Math.min(...rounds);
}

const memory = await open({ inMemory: true });
const info = await eachUs(() => memory.info());
const first = await memory.session('border');
for (let at = 0; at < CALLS; at++) {
  const { token } = await first.begin('build', { args });
  await first.finish(token, 'done');
}
await first.close();
let session;
const step = await eachUs(
  async () => {
    if ((await session.begin('build', { args })).state !== 'done') {
      throw new Error('a finished step was not answered as done');
    }
  },
  async () => {
    session = await memory.session('border', { resume: true });
  },
  () => session.close(),
);
await memory.close();

const ws = await open(process.argv[2], { inMemory: true });
const rows = (await ws.git.features()).rows.length;
const columns = await onceMs(() => ws.git.featuresColumns());
const records = await onceMs(() => ws.git.features());
await ws.close();
console.log(
  JSON.stringify({
    language: 'Node',
    rows,
    bare_us: bareUs(),
    info_us: info,
    step_us: step,
    columns_ms: columns,
    records_ms: records,
  }),
);
