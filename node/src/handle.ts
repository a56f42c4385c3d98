/** Things with a life, and the way of a call through the door. */

import { isMainThread } from 'node:worker_threads';

import type { Wire } from './check.js';
import { errorOf, raise } from './errors.js';
import { type Body, type Door, load } from './native.js';
import type { ErrorRecord } from './types_gen.js';

/** Calls that have not answered yet, by their number. */
const pending = new Map<number, (body: Body) => void>();
let lastCall = 0;

let door: Door | undefined;

/** Numbers of handles that are open in this environment. */
const open = new Set<number>();

/** The door of this environment, opened at its first use. */
function theDoor(): Door {
  if (door !== undefined) return door;
  const Native = load().Door;
  const made = new Native((id, body) => {
    const settle = pending.get(id);
    pending.delete(id);
    settle?.(body);
  });
  // Work that nobody will hear of stops with the environment; other threads keep their handles.
  process.once('exit', () => {
    if (isMainThread) made.shutdown();
    else for (const handle of open) made.close(handle, 0);
  });
  door = made;
  return made;
}

const CALL: unique symbol = Symbol('call');

/** A handle number that is never given out: the door answers `handle.closed`. */
const CLOSED = Number.MAX_SAFE_INTEGER;

/** Handles that were dropped without `close()` are closed when they are collected. */
const forgotten = new FinalizationRegistry<number>((handle) => {
  if (open.delete(handle)) theDoor().close(handle, 0);
});

/** Something with a life: it ends with `close()`, with `await using`, or when it is collected. */
export abstract class Handle {
  /** @internal */
  #number: number;
  /** @internal */
  readonly #waiting = new Set<number>();
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(number: number) {
    this.#number = number;
    open.add(number);
    forgotten.register(this, number, this);
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return this.#number === CLOSED;
  }

  /** Ends it; calls that wait for something to come are cancelled, later calls are `handle.closed`. */
  close(): Promise<void> {
    if (this.#closing !== undefined) return this.#closing;
    const number = this.#number;
    this.#number = CLOSED;
    forgotten.unregister(this);
    open.delete(number);
    for (const token of this.#waiting) theDoor().cancel(token);
    const id = ++lastCall;
    this.#closing = new Promise((resolve) => {
      pending.set(id, () => resolve());
      theDoor().close(number, id);
    });
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Whether a pending call holds the process alive. @internal */
  protected holds(_wire: Wire): boolean {
    return true;
  }

  /** Whether a call waits for something to come, and so ends when the handle is closed. @internal */
  protected waits(_op: string, wire: Wire): boolean {
    return wire.wait_ms > 0;
  }

  /** Calls an operation on this handle. @internal */
  async [CALL](op: string, wire: Wire, signal: AbortSignal | undefined, columns: boolean): Promise<Body> {
    const door = theDoor();
    if (signal === undefined && !this.waits(op, wire)) {
      return answerOf(await start(this.#number, op, wire, columns, 0, this.holds(wire)));
    }
    if (signal?.aborted) throw aborted(op, signal);
    const token = door.token();
    const abort = (): void => door.cancel(token);
    signal?.addEventListener('abort', abort, { once: true });
    this.#waiting.add(token);
    try {
      return answerOf(await start(this.#number, op, wire, columns, token, this.holds(wire)), signal);
    } finally {
      this.#waiting.delete(token);
      signal?.removeEventListener('abort', abort);
      door.release(token);
    }
  }
}

/** The place of calls that need no handle. */
class Root extends Handle {
  constructor() {
    super(0);
    open.delete(0);
  }
}

/** The receiver of operations that need no handle. */
export const ROOT: Handle = new Root();

/** Where a noun keeps the workspace that it belongs to. */
export const OWNER: unique symbol = Symbol('workspace');

/** The operations of one noun: light, and alive as long as its workspace. */
export abstract class Noun {
  /** @internal */
  readonly [OWNER]: Handle;

  /** @internal */
  constructor(owner: Handle) {
    this[OWNER] = owner;
  }
}

/** The noun as a function that calls its verb. @internal */
export function callable<N extends Noun, V extends keyof N>(noun: N, verb: V): N & N[V] {
  const method = noun[verb] as unknown as (...args: unknown[]) => unknown;
  const call = (...args: unknown[]): unknown => method.apply(noun, args);
  Object.setPrototypeOf(call, Object.getPrototypeOf(noun) as object);
  Object.defineProperty(call, OWNER, { value: noun[OWNER] });
  return call as unknown as N & N[V];
}

/** Starts a call; the promise is fulfilled with the body, also with that of an error. */
function start(
  handle: number,
  op: string,
  wire: Wire,
  columns: boolean,
  token: number,
  hold: boolean,
): Promise<Body> | Body {
  const id = ++lastCall;
  const now = theDoor().call(handle, op, JSON.stringify(wire), columns, token, id, hold);
  if (now !== null && now !== undefined) return now;
  return new Promise((resolve) => pending.set(id, resolve));
}

/** The body; an error in it is thrown from here, where the caller's stack is known. */
function answerOf(body: Body, signal?: AbortSignal): Body {
  if (typeof body !== 'string' || body.charCodeAt(0) !== 33) return body;
  const record = JSON.parse(body.slice(1)) as ErrorRecord;
  throw errorOf(record, record.kind === 'cancelled' && signal?.aborted ? signal.reason : undefined);
}

function aborted(op: string, signal: AbortSignal): Error {
  return raise('cancelled', 'call.cancelled', op, 'the call was cancelled by its caller', signal.reason);
}

/** Calls an operation for its record. @internal */
export async function invoke(on: Handle, op: string, wire: Wire, signal?: AbortSignal): Promise<Wire> {
  return JSON.parse((await on[CALL](op, wire, signal, false)) as string);
}

/** Calls an operation for its columns: one Arrow IPC stream. @internal */
export async function columns(on: Handle, op: string, wire: Wire, signal?: AbortSignal): Promise<Uint8Array> {
  const body = (await on[CALL](op, wire, signal, true)) as Uint8Array;
  return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
}

/** The class instance for a handle that an operation opened. @internal */
export function openHandle<T>(
  kind: new (handle: number) => T,
  answer: { handle: number },
): T {
  return new kind(answer.handle);
}
