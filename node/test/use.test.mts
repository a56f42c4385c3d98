// Wrong use: the host's own error, named place, nearest name. Nothing of it reaches the core.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ArgumentTypeError, BarographError, ClosedError, InvalidInputError, NotFoundError, open } from 'barograph';

/* eslint-disable @typescript-eslint/no-explicit-any */
const any = (value: unknown): any => value;

async function refused(call: Promise<unknown>): Promise<BarographError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof BarographError, String(error));
    return error;
  }
  throw new Error('nothing was refused');
}

test('wrong types are the TypeError of the host, and a BarographError', async () => {
  await using ws = await open({ inMemory: true });
  const wrong: [string, () => Promise<unknown>, string][] = [
    ['range', () => ws.risk.change(any(5)), '`range` must be a string, not the number 5'],
    ['a bigint', () => ws.risk.change('HEAD', { baseRate: any(1n) }), '`baseRate` must be a finite number, not a bigint'],
    ['NaN', () => ws.risk.change('HEAD', { baseRate: NaN }), '`baseRate` must be a finite number, not the number NaN'],
    ['a text as flag', () => ws.risk.change('HEAD', { worktree: any('yes') }), '`worktree` must be true or false, not a string'],
    ['half a millisecond', () => ws.worker('q', { leaseMs: 0.5 }), '`leaseMs` must be an integer from 0 to 9007199254740991, not the number 0.5'],
    ['a negative count', () => ws.session.list({ limit: -1 }), '`limit` must be an integer from 0 to 4294967295, not the number -1'],
    ['beyond 32 bits', () => ws.session.list({ limit: 2 ** 32 }), '`limit` must be an integer from 0 to 4294967295, not the number 4294967296'],
    ['inside a list', () => ws.queue.enqueue('q', [{ name: 'a' }, { name: any(5) }]), '`tasks[1].name` must be a string, not the number 5'],
    ['inside a map', () => ws.session('s', { labels: { team: any(null) } }), '`labels.team` must be a string, not null'],
    ['no list', () => ws.queue.enqueue('q', any({ name: 'a' })), '`tasks` must be an array, not an object'],
    ['no options', () => ws.session('s', any('resume')), '`options` must be an object, not a string'],
    ['null for a text', () => ws.session(any(null)), '`id` must be a string, not null'],
    ['no signal', () => ws.info({ signal: any({}) }), '`signal` must be an AbortSignal, not an object'],
    ['no duration', async () => (await ws.session('d')).sleep(any('1h')), '`durationMs` must be an integer from 0 to 9007199254740991, not a string'],
  ];
  for (const [what, call, message] of wrong) {
    const error = await refused(call());
    assert.equal(error.message, message, what);
    assert.ok(error instanceof TypeError, what);
    assert.ok(error instanceof ArgumentTypeError && error instanceof InvalidInputError, what);
    assert.ok(!(error instanceof NotFoundError), what);
    assert.deepEqual([error.kind, error.code, error.name], ['invalid_input', 'args.type', 'TypeError'], what);
    assert.match(error.op, /^[a-z]+\.[a-z_]+$/, what);
  }
});

test('unknown options name the nearest known one', async () => {
  await using ws = await open({ inMemory: true });
  const unknown: [() => Promise<unknown>, RegExp][] = [
    [() => ws.risk.change('HEAD', any({ worktre: true })), /no option `worktre`; did you mean `worktree`\?/],
    [() => ws.risk.change('HEAD', any({ base_rate: 0.1 })), /no option `base_rate`; did you mean `baseRate`\?/],
    [() => ws.risk.change(any({ rnge: 'HEAD' })), /did you mean `range`\?/],
    [() => ws.risk.change('HEAD', any({ range: 'HEAD' })), /`range` is no option: pass it before the options/],
    [() => ws.queue.enqueue('q', [any({ name: 'a', payloda: {} })]), /no option `tasks\[0\]\.payloda`; did you mean `payload`\?/],
    [() => ws.session.claimed(any({ lables: {} })).next(), /no option `lables`; did you mean `labels`\?/],
    [() => ws.info(any({ sgnal: 1 })), /did you mean `signal`\?/],
  ];
  for (const [call, message] of unknown) {
    const error = await refused(call());
    assert.deepEqual([error.kind, error.code], ['invalid_input', 'args.unknown_option']);
    assert.match(error.message, message);
    assert.ok(error instanceof InvalidInputError && !(error instanceof TypeError));
  }
});

test('what is missing or no variant is named', async () => {
  await using ws = await open({ inMemory: true });
  assert.equal((await refused(any(ws.session)())).message, '`id` is missing; pass it');
  assert.equal((await refused(ws.queue.enqueue('q', [any({})]))).message, '`tasks[0].name` is missing; pass it');
  const variant = await refused(ws.session.list({ status: any('opne') }));
  assert.equal(variant.code, 'args.invalid');
  assert.match(variant.message, /did you mean `open`\?/);
});

test('values that JSON would change are refused', async () => {
  await using ws = await open({ inMemory: true });
  const loop: Record<string, unknown> = {};
  loop['self'] = loop;
  const values: [unknown, RegExp][] = [
    [NaN, /is NaN/],
    [{ a: [1, Infinity] }, /`tasks\[0\]\.payload\.a\[1\]` is Infinity/],
    [10n, /is a bigint/],
    [() => 1, /is a function/],
    [Symbol('x'), /is a symbol/],
    [[undefined], /holds undefined at 0/],
    [new Map([[1, 2]]), /is a Map/],
    [{ bytes: new Uint8Array(1) }, /is a Uint8Array/],
    ['\ud800', /surrogate/],
    [loop, /contains itself/],
  ];
  for (const [json, message] of values) {
    const error = await refused(ws.queue.enqueue('q', [{ name: 'a', payload: json }]));
    assert.deepEqual([error.code, error.op], ['value.not_i_json', 'queue.enqueue']);
    assert.match(error.message, message);
  }
});

test('a closed handle says so, closing twice does nothing', async () => {
  const ws = await open({ inMemory: true });
  assert.equal((await ws.info()).durability, 'none');
  await ws.close();
  await ws.close();
  assert.ok(ws.closed);
  const error = await refused(ws.info());
  assert.ok(error instanceof ClosedError);
  assert.deepEqual([error.code, error.op], ['handle.closed', 'workspace.info']);
  assert.equal((await refused(ws.risk.change('HEAD'))).code, 'handle.closed');
});

test('an error shows where the caller stood, and its causes', async () => {
  const error = await refused(open('/nowhere/at/all'));
  assert.ok(error instanceof NotFoundError);
  assert.equal(error.name, 'NotFoundError');
  assert.equal(error.code, 'git.not_a_repository');
  assert.equal(error.context['path'], '/nowhere/at/all');
  assert.match(error.stack ?? '', /use\.test/);
  const { errorOf } = (await import(new URL('../dist/errors.js', import.meta.url).href)) as any;
  const record = { kind: 'unavailable', code: 'store.unreachable', message: 'm', op: '', retryable: true, context: {}, causes: ['a', 'b'] };
  const made = errorOf(record);
  assert.equal(made.cause.message, 'a');
  assert.equal(made.cause.cause.message, 'b');
  assert.ok(made.retryable);
});
