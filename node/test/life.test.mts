// Life and death: collection, disposal, and a process that is killed in the middle of a step.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { ConflictError, open } from 'barograph';

import { run, start } from './child.mjs';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const folder = mkdtempSync(join(tmpdir(), 'barograph-life-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('what nobody holds any more is closed, what is in use is not', async () => {
  const program = `import { open } from 'barograph';
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const keep = await open({ inMemory: true });
const threads = () => (process.report.getReport().resourceUsage, (await0()));
function await0() { return 0; }
const risk = keep.risk;
let lost = 0;
const registry = new FinalizationRegistry(() => lost++);
for (let at = 0; at < 50; at++) registry.register(await open({ inMemory: true }), at);
for (let at = 0; at < 20 && lost < 49; at++) { globalThis.gc(); await sleep(20); }
console.log(lost >= 49, (await keep.info()).durability, typeof risk.change);`;
  const { code, text } = await run(program, ['--expose-gc']);
  assert.deepEqual([code, text.trim()], [0, 'true none function']);
});

test('a noun keeps its workspace alive', async () => {
  const program = `import { open } from 'barograph';
const list = (await open({ inMemory: true })).session;
for (let at = 0; at < 10; at++) { globalThis.gc(); await new Promise((resolve) => setTimeout(resolve, 10)); }
console.log((await list.list()).sessions.length);`;
  const { code, text } = await run(program, ['--expose-gc']);
  assert.deepEqual([code, text.trim()], [0, '0']);
});

test('await using closes at the end of the block', async () => {
  let outside;
  {
    await using ws = await open({ inMemory: true });
    outside = ws;
    assert.ok(!ws.closed);
  }
  assert.ok(outside.closed);
});

async function killed(id: string, policy: string): Promise<void> {
  const child = start(`import { open } from 'barograph';
import { appendFileSync } from 'node:fs';
const ws = await open(${JSON.stringify(folder)});
const session = await ws.session(${JSON.stringify(id)});
await session.step('first', () => { appendFileSync(${JSON.stringify(join(folder, id))}, 'first\\n'); return { n: 1 }; });
await session.step('second', async () => {
  appendFileSync(${JSON.stringify(join(folder, id))}, 'second\\n');
  console.log('in the middle');
  await new Promise((resolve) => setTimeout(resolve, 60_000));
}, { policy: ${JSON.stringify(policy)} });`);
  for (let at = 0; !child.text().includes('in the middle'); at++) {
    assert.ok(at < 2_000 && child.exitCode === null, child.text());
    await sleep(10);
  }
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('close', resolve));
}

test('a session goes on where the killed process stopped', async () => {
  await killed('retry', 'retry');
  await using ws = await open(folder);
  const session = await ws.session('retry', { resume: true });
  assert.deepEqual(await session.step('first', () => assert.fail('it is done')), { n: 1 });
  assert.equal(await session.step('second', () => 'again'), 'again');
  assert.equal((await session.complete('end')).status, 'completed');
  assert.equal(readFileSync(join(folder, 'retry'), 'utf8'), 'first\nsecond\n');
});

test('a step that may run once is not run again: the host decides', async () => {
  await killed('once', 'once');
  await using ws = await open(folder);
  const session = await ws.session('once', { resume: true });
  await session.step('first', () => assert.fail('it is done'));
  await session.close();
  const again = await ws.session('once', { resume: true });
  await again.step('first', () => assert.fail('it is done'));
  let token = '';
  await assert.rejects(
    again.step('second', () => assert.fail('it may have happened'), { policy: 'once' }),
    (error: Error) => {
      assert.ok(error instanceof ConflictError);
      assert.equal(error.code, 'session.unknown');
      assert.match(error.message, /`second`/);
      token = error.context['token'] ?? '';
      return true;
    },
  );
  await again.finish(token, 'it happened');
  await again.close();
  const decided = await ws.session('once', { resume: true });
  await decided.step('first', () => assert.fail('it is done'));
  assert.equal(await decided.step('second', () => assert.fail('it is decided'), { policy: 'once' }), 'it happened');
  assert.equal((await decided.complete()).status, 'completed');
});
