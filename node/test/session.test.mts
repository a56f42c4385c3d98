// Sessions that wait, are submitted, claimed, signalled and taken back.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CancelledError, ClosedError, InvalidInputError, Payload, TimeoutError, open } from 'barograph';
import type { SessionRun } from 'barograph';

const DAY = 86_400_000;

test('values come back as they were passed', async () => {
  for (const value of [null, true, 7, 'yes', { by: ['ada'] }, new Uint8Array([0, 255])]) {
    await using ws = await open({ inMemory: true });
    await ws.session.submit('s', value, { labels: { kind: 'release' } });
    let checkpoint = '';
    for await (const s of ws.session.claimed({ idleMs: 0 })) {
      assert.deepEqual([s.id, s.input, { ...s.labels }], ['s', value, { kind: 'release' }]);
      await ws.session.signal('s', 'approved', value);
      assert.deepEqual(await s.waitSignal('approved', { timeoutMs: DAY }), { value, timedOut: false });
      assert.deepEqual(await s.step('same', () => value), value);
      checkpoint = (await s.checkpoint('halfway', value)).id;
      await s.append('message', [value, value]);
      await s.complete(value);
    }
    const { entries } = await ws.session.entries('s');
    assert.deepEqual(entries.map((entry) => entry.value), [value, value]);
    assert.deepEqual((await ws.session.checkpoints('s', { states: true })).checkpoints[0]?.state, value);
    assert.deepEqual((await ws.session.get('s')).output, value);
    assert.deepEqual((await ws.session.restore('s', checkpoint)).state, value);
  }
});

test('bytes keep their media type', async () => {
  await using ws = await open({ inMemory: true });
  const picture = new Payload(new Uint8Array([137, 80]), 'image/png');
  await ws.session.submit('s', picture);
  const { input } = await ws.session.get('s');
  assert.ok(input instanceof Payload);
  assert.deepEqual([input.value, input.mediaType], [picture.bytes, 'image/png']);
});

test('a session is opened with what it belongs to', async () => {
  await using ws = await open({ inMemory: true });
  await ws.session('parent', { input: { n: 1 }, labels: { team: 'core' }, deadlineMs: DAY });
  await ws.session('child', { parent: 'parent' });
  const parent = await ws.session.get('parent');
  assert.deepEqual([parent.input, { ...parent.labels }, typeof parent.deadline], [{ n: 1 }, { team: 'core' }, 'string']);
  assert.equal((await ws.session.get('child')).parent, 'parent');
});

test('a wait that time ends has no value, one that ends before is a timeout', async () => {
  await using ws = await open({ inMemory: true });
  const s = await ws.session('s');
  assert.deepEqual(await s.waitSignal('approved', { timeoutMs: 1 }), { value: null, timedOut: true });
  await s.sleep(1);
  await assert.rejects(s.waitSignal('later', { waitMs: 0 }), (error: Error) => {
    assert.ok(error instanceof TimeoutError);
    assert.deepEqual([error.code, error.retryable, error.name], ['session.waiting', true, 'TimeoutError']);
    return true;
  });
});

test('a wait without an end ends with its signal, its abort, or its handle', async () => {
  await using ws = await open({ inMemory: true });
  const s = await ws.session('s');
  const abort = new AbortController();
  const waiting = s.waitSignal('go', { signal: abort.signal });
  abort.abort(new Error('enough'));
  await assert.rejects(waiting, (error: Error) => {
    assert.ok(error instanceof CancelledError);
    assert.deepEqual([error.name, error.cause], ['AbortError', abort.signal.reason]);
    return true;
  });
  const again = s.waitSignal('go');
  await ws.session.signal('s', 'go', 5);
  assert.equal((await again).value, 5);
  const ended = assert.rejects(s.sleep(DAY), CancelledError);
  await s.close();
  await ended;
});

test('a session that waits is claimed when its signal is there', async () => {
  await using ws = await open({ inMemory: true });
  await ws.session.submit('s');
  const seen: unknown[] = [];
  const round = async (): Promise<void> => {
    for await (const s of ws.session.claimed({ idleMs: 0 })) {
      try {
        seen.push((await s.waitSignal('approved', { waitMs: 0 })).value);
      } catch (error) {
        assert.ok(error instanceof TimeoutError);
        seen.push('waits');
        continue;
      }
      await s.complete();
    }
  };
  await round();
  assert.deepEqual(seen, ['waits']);
  await ws.session.signal('s', 'approved', { by: 'ada' });
  await round();
  assert.deepEqual(seen, ['waits', { by: 'ada' }]);
});

test('a body that throws releases its session', async () => {
  await using ws = await open({ inMemory: true });
  await ws.session.submit('s', 7);
  const runs: SessionRun[] = [];
  await assert.rejects(async () => {
    for await (const s of ws.session.claimed({ idleMs: 0 })) {
      runs.push(s);
      throw new RangeError('not today');
    }
  }, RangeError);
  await assert.rejects(runs[0]!.begin('later'), ClosedError);
  for await (const s of ws.session.claimed({ idleMs: 0 })) await s.complete(s.input);
  assert.equal((await ws.session.get('s')).output, 7);
});

test('claimed takes what carries the labels, waits, and ends with its signal or its workspace', async () => {
  const ws = await open({ inMemory: true });
  await ws.session.submit('other', null, { labels: { kind: 'build' } });
  const abort = new AbortController();
  setTimeout(() => void ws.session.submit('late', null, { labels: { kind: 'review' } }), 30);
  const seen: string[] = [];
  for await (const s of ws.session.claimed({ labels: { kind: 'review' }, signal: abort.signal })) {
    seen.push(s.id);
    await s.complete();
    abort.abort();
  }
  assert.deepEqual(seen, ['late']);
  setTimeout(() => void ws.close(), 30);
  for await (const s of ws.session.claimed({ labels: { kind: 'nobody' } })) assert.fail(s.id);
});

test('a cancelled session is no aborted call', async () => {
  await using ws = await open({ inMemory: true });
  const s = await ws.session('s');
  await ws.session.cancel('s', 'not needed');
  await assert.rejects(s.begin('a'), (error: Error) => {
    assert.ok(error instanceof CancelledError);
    assert.deepEqual([error.code, error.name], ['session.cancelled', 'CancelledError']);
    return true;
  });
});

test('a patch answers yes or no', async () => {
  await using ws = await open({ inMemory: true });
  {
    await using s = await ws.session('old');
    await s.step('build', () => 1);
    await s.step('publish', () => 2);
  }
  for (let turn = 0; turn < 2; turn++) {
    await using s = await ws.session('old', { resume: true });
    await s.step('build', () => assert.fail('it is done'));
    assert.equal(await s.patch('v2'), false);
    await s.step('publish', () => assert.fail('it is done'));
    assert.equal(await s.patch('v3'), true);
  }
});

test('wrong use names what is wrong', async () => {
  await using ws = await open({ inMemory: true });
  const s = await ws.session('s');
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  const any = (value: unknown): any => value;
  const wrong: [() => Promise<unknown>, string, RegExp][] = [
    [() => s.sleep(any(undefined)), 'args.invalid', /`durationMs` is missing/],
    [() => s.waitSignal('a', { timeoutMs: 1.5 }), 'args.type', /`timeoutMs` must be an integer/],
    [() => s.waitSignal('a', any({ timeout: 5 })), 'args.unknown_option', /did you mean `timeoutMs`\?/],
    [() => s.append('log', any('text')), 'args.type', /`entries` must be an array/],
    [() => s.append('log', [1, new Set()]), 'value.not_i_json', /`entries\[1\]` is a Set/],
    [() => s.checkpoint('c', NaN), 'value.not_i_json', /`state` is NaN/],
    [() => ws.session.claimed({ idleMs: -1 }).next(), 'args.type', /`idleMs` must be an integer/],
  ];
  for (const [call, code, message] of wrong) {
    await assert.rejects(call(), (error: Error) => {
      assert.ok(error instanceof InvalidInputError, String(error));
      assert.equal((error as InvalidInputError).code, code);
      assert.match(error.message, message);
      return true;
    });
  }
});
