// Waiting: abort, streams, the event loop, and when a process may end.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Worker as Thread } from 'node:worker_threads';

import { CancelledError, ConflictError, type Event, open } from 'barograph';

import { run, start } from './child.mjs';

// A stream that follows does not keep the process alive, and a test that waits for one would end with it.
const awake = setInterval(() => {}, 1_000);
after(() => clearInterval(awake));

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test('an abort rejects with AbortError and cancels the call', async () => {
  await using ws = await open({ inMemory: true });
  const worker = await ws.worker('q');
  const aborter = new AbortController();
  const waiting = worker.next(1, 60_000, { signal: aborter.signal });
  const began = performance.now();
  setTimeout(() => aborter.abort(new Error('enough')), 20);
  await assert.rejects(waiting, (error: Error) => {
    assert.ok(error instanceof CancelledError);
    assert.deepEqual([error.name, error.kind, error.code, error.op], ['AbortError', 'cancelled', 'call.cancelled', 'worker.next']);
    assert.equal((error.cause as Error).message, 'enough');
    return true;
  });
  assert.ok(performance.now() - began < 5_000);
  await assert.rejects(ws.info({ signal: AbortSignal.abort() }), { name: 'AbortError', op: 'workspace.info' });
  // A signal that is never aborted keeps no listener behind.
  const quiet = new AbortController();
  for (let at = 0; at < 100; at++) await ws.info({ signal: quiet.signal });
  quiet.abort();
  assert.equal((await ws.info()).durability, 'none');
});

test('closing cancels what waits', async () => {
  await using ws = await open({ inMemory: true });
  const worker = await ws.worker('q');
  const waiting = assert.rejects(worker.next(1, 60_000), { name: 'AbortError' });
  await sleep(10);
  await worker.close();
  await waiting;
  await assert.rejects(worker.next(), { code: 'handle.closed' });
});

test('a stream is an async iterable that ends, and follows', async () => {
  await using ws = await open({ inMemory: true });
  const session = await ws.session('s');
  await session.step('one', () => 1);
  const kinds: string[] = [];
  for await (const event of await ws.events()) kinds.push(event.kind);
  assert.equal(kinds[0], 'session.created');
  assert.ok(kinds.includes('step.finished'), kinds.join(' '));

  const stream = await ws.events({ follow: true });
  const seen: Event[] = [];
  const reader = (async () => {
    for await (const event of stream) {
      seen.push(event);
      if (event.kind === 'session.completed') break;
    }
  })();
  await sleep(20);
  await session.step('two', () => 2);
  await session.complete('end');
  await reader;
  assert.ok(stream.closed, 'leaving the loop closes the stream');
  assert.deepEqual(seen.map(({ seq }) => seq), [...seen.map(({ seq }) => seq)].sort((a, b) => a - b));

  const idle = await ws.events({ follow: true, after: undefined } as never).catch((error: Error) => error);
  assert.ok(idle instanceof Error, '`after` goes before the options');
  const other = await ws.events(seen.at(-1)!.seq, { follow: true });
  const ended = (async () => {
    for await (const event of other) assert.fail(event.kind);
    return 'ended';
  })();
  await sleep(20);
  await other.close();
  assert.equal(await ended, 'ended');
});

test('steps give what is kept, throw on, and tell when the outcome is unknown', async () => {
  await using ws = await open({ inMemory: true });
  const session = await ws.session('s');
  const when = new Date(0);
  assert.deepEqual(await session.step('dates', () => ({ when, gone: undefined })), { when: '1970-01-01T00:00:00.000Z' });
  assert.equal(await session.step('nothing', () => undefined), null);
  assert.deepEqual(await session.step('bytes', () => new Uint8Array([0, 255])), new Uint8Array([0, 255]));
  const labels = { 'snake_case key': 'x' };
  assert.deepEqual(await session.step('keys', () => ({ snake_case: { max_attempts: 1 } }), { args: { a_b: 1 } }), {
    snake_case: { max_attempts: 1 },
  });
  assert.deepEqual((await (await ws.session('labels', { labels })).complete()).labels, labels);
  let runs = 0;
  const flaky = (): number => {
    runs += 1;
    if (runs === 1) throw new RangeError('first', { cause: new Error('root') });
    return runs;
  };
  await assert.rejects(session.step('flaky', flaky), RangeError);
  await assert.rejects(session.step('nan', () => NaN), { code: 'value.not_i_json' });
  const { steps } = await ws.session.show('s');
  assert.deepEqual(steps.find(({ name }) => name === 'flaky')?.failure, { message: 'first', kind: 'RangeError', causes: ['root'] });
  await session.close();
  const again = await ws.session('s', { resume: true });
  assert.deepEqual(await again.step('dates', () => assert.fail('it is done')), { when: '1970-01-01T00:00:00.000Z' });
  assert.equal(await again.step('nothing', () => assert.fail('it is done')), null);
  assert.deepEqual(await again.step('bytes', () => assert.fail('it is done')), new Uint8Array([0, 255]));
  await again.close();
  void ConflictError;
});

test('a worker runs handlers, reports failures, and stops on abort', async () => {
  await using ws = await open({ inMemory: true });
  await ws.queue.enqueue('q', [
    ...Array.from({ length: 20 }, (_, n) => ({ name: 'double', payload: n })),
    { name: 'bytes', payload: new Uint8Array([1, 2]) },
    { name: 'throws', maxAttempts: 1 },
    { name: 'nobody', maxAttempts: 1 },
  ]);
  const worker = await ws.worker('q');
  const done: unknown[] = [];
  let most = 0;
  let now = 0;
  worker.task('double', async (n: number, { task }) => {
    most = Math.max(most, ++now);
    await sleep(2);
    now--;
    assert.equal(task.attempt, 1);
    done.push(n * 2);
    return n * 2;
  });
  worker.task('bytes', (bytes: Uint8Array) => done.push(bytes.length));
  worker.task('throws', () => {
    throw new Error('no');
  });
  const report = await worker.run({ concurrency: 4, idleMs: 50 });
  assert.deepEqual(report, { completed: 21, failed: 2, lost: 0 });
  assert.equal(done.length, 21);
  assert.ok(most > 1 && most <= 4, `${most} at the same time`);
  assert.deepEqual(await ws.queue.show('q'), { queue: 'q', waiting: 0, running: 0, done: 21, dead: 2 });
  const aborter = new AbortController();
  const running = worker.run({ signal: aborter.signal });
  await sleep(20);
  aborter.abort();
  assert.deepEqual(await running, { completed: 0, failed: 0, lost: 0 });
  await assert.rejects(worker.run({ concurrency: 0 }), { code: 'args.type' });
});

test('the event loop goes on while a long call runs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'barograph-loop-'));
  try {
    // Three thousand commits through fast-import: enough to keep the core busy for a while.
    const lines: string[] = [];
    for (let at = 1; at <= 3_000; at++) {
      const text = `${at}\n`.repeat(20);
      const head = `commit refs/heads/main\nmark :${at}\ncommitter A <a@example.com> ${1_600_000_000 + at * 60} +0000\ndata 2\nx\n`;
      lines.push(`${head}${at > 1 ? `from :${at - 1}\n` : ''}M 100644 inline d${at % 50}/f${at % 500}\ndata ${text.length}\n${text}`);
    }
    execFileSync('git', ['init', '--quiet', '--initial-branch=main', folder]);
    execFileSync('git', ['-C', folder, 'fast-import', '--quiet'], { input: `${lines.join('\n')}\n` });
    await using ws = await open(folder, { inMemory: true });
    const delay = monitorEventLoopDelay({ resolution: 1 });
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const began = performance.now();
    delay.enable();
    const ipc = await ws.git.featuresColumns();
    delay.disable();
    const took = performance.now() - began;
    clearInterval(timer);
    assert.ok(took < 50 || ticks > 0, `no tick in ${took} ms`);
    assert.ok(delay.max / 1e6 < Math.max(took / 2, 50), `stood still for ${delay.max / 1e6} of ${took} ms`);
    const table = await ws.git.features();
    assert.equal(table.rows.length, 3_000);
    assert.ok(ipc.length > 100_000 && Object.getPrototypeOf(ipc) === Uint8Array.prototype);
    assert.equal(Buffer.from(ipc.subarray(0, 4)).toString('hex'), 'ffffffff', 'the start of an Arrow IPC stream');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

const FOLLOW = `import { open } from 'barograph';
const ws = await open({ inMemory: true });
const stream = await ws.events({ follow: true });`;

test('the script ends within 2 s when only streams wait', async () => {
  const began = `${FOLLOW}
(async () => { for await (const event of stream) console.log(event.kind); })();
console.log('end');`;
  const { code, text, ms } = await run(began);
  assert.deepEqual([code, text.trim()], [0, 'end']);
  assert.ok(ms < 20_000, `${ms} ms`);
  const exit = await run(`${FOLLOW}
const worker = await ws.worker('q');
worker.next(1, 60_000).catch(() => {});
const at = process.hrtime.bigint();
process.on('exit', () => console.log(Number(process.hrtime.bigint() - at) / 1e6 < 2000 ? 'quick' : 'slow'));
process.exit(3);`);
  assert.deepEqual([exit.code, exit.text.trim()], [3, 'quick']);
});

test('calls, workers and streams with ref() keep the script alive', async () => {
  const calls = await run(`import { open } from 'barograph';
const ws = await open({ inMemory: true });
const session = await ws.session('s');
session.step('slow', () => 1).then(() => session.complete(1)).then((done) => console.log(done.status));`);
  assert.deepEqual([calls.code, calls.text.trim()], [0, 'completed']);
  const worker = await run(`import { open } from 'barograph';
const ws = await open({ inMemory: true });
const worker = await ws.worker('q');
console.log((await worker.next(1, 300)).tasks.length);`);
  assert.deepEqual([worker.code, worker.text.trim()], [0, '0']);
  const stream = await run(`${FOLLOW}
console.log((await stream.next(1, 300)).events.length);`);
  assert.deepEqual([stream.code, stream.text.trim()], [0, '0']);
  const held = start(`${FOLLOW}
(async () => { for await (const event of stream.ref()) console.log(event.kind); })();
console.log('waits');`);
  while (!held.text().includes('waits')) await sleep(10);
  await sleep(500);
  assert.equal(held.exitCode, null, held.text());
  held.kill('SIGKILL');
});

test('threads have doors of their own', async () => {
  await using ws = await open({ inMemory: true });
  const thread = new Thread(
    `const { open } = require('barograph');
     (async () => {
       const ws = await open({ inMemory: true });
       (async () => { for await (const event of await ws.events({ follow: true })); })();
       require('node:worker_threads').parentPort.postMessage((await ws.info()).durability);
     })();`,
    { eval: true },
  );
  const said = await new Promise((resolve, reject) => thread.once('message', resolve).once('error', reject));
  assert.equal(said, 'none');
  assert.equal(await new Promise((resolve) => thread.once('exit', resolve)), 0);
  assert.equal((await ws.info()).durability, 'none', 'the end of a thread closes nothing of another');
});
