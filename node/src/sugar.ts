/** What makes sessions, workers and streams pleasant: steps, claims, handlers, async iteration. */

import { type Wire, integer, known } from './check.js';
import { BarographError, raise } from './errors.js';
import { Handle, Noun, OWNER, invoke } from './handle.js';
import type { Session } from './nouns_gen.js';
import { kept, valueOf } from './payload.js';
import type {
  CallOptions,
  ClaimedSession,
  ClaimedTask,
  Event,
  EventPage,
  Failure,
  SessionBatch,
  SessionClaimOptions,
  SessionOpenOptions,
  StepBeginOptions,
  StepFinishOptions,
  StepFinished,
  StepStart,
  TaskBatch,
  TaskFailure,
  TaskReport,
  TaskResult,
} from './types_gen.js';

/** An error of the host as plain data. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { message: String(error) };
  const causes: string[] = [];
  // The chain may close on itself; nobody reads more than this of it.
  for (let cause = error.cause; cause !== undefined && cause !== null && causes.length < 20; ) {
    causes.push(cause instanceof Error ? cause.message : String(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return { message: error.message || error.name, kind: error.name, causes };
}

/** A step's result on the wire, and as any later reader gets it; `undefined` is null. */
function settled(value: unknown): [Wire, unknown] {
  const wire = kept('session.finish', 'result', value ?? null) as Wire;
  // What holds other values may be changed by its owner, or by `toJSON`; texts and numbers are what they are.
  if (wire.json === undefined || wire.json === null || typeof wire.json !== 'object') return [wire, valueOf(wire)];
  const json: unknown = JSON.parse(JSON.stringify(wire.json));
  return [{ json }, json];
}

/** What a step's function is told. */
export interface StepContext {
  /** How often the step has been begun, this time included. */
  readonly attempt: number;
  /** The signal of `step`'s options. */
  readonly signal: AbortSignal | undefined;
}

export abstract class SessionSugar extends Handle {
  abstract begin(name: string, options?: StepBeginOptions): Promise<StepStart>;
  abstract finish(token: string, result?: unknown, options?: StepFinishOptions): Promise<StepFinished>;

  /** A wait for a signal or a time ends with the handle, however long it was asked for. @internal */
  protected override waits(op: string, wire: Wire): boolean {
    return super.waits(op, wire) || op === 'session.wait_signal' || op === 'session.sleep';
  }

  /**
   * Runs a step once: where its result is known it is given back and `run` is not called.
   *
   * The value is what JSON keeps of it (or a `Uint8Array`), the same at the first run and after a
   * crash. What `run` throws is recorded and thrown on; the step runs again when it is begun again.
   * A step of policy `once` that was cut short throws `session.unknown`: find out whether its
   * effect happened, then report it with `finish` and the token in the error's `context`.
   */
  async step<T>(name: string, run: (step: StepContext) => T | Promise<T>, options?: StepBeginOptions): Promise<T> {
    if (typeof run !== 'function') {
      throw raise('invalid_input', 'args.type', 'session.begin', '`run` must be a function; pass what the step does');
    }
    const start = await this.begin(name, options);
    if (start.state === 'done') return start.result as T;
    if (start.state === 'unknown') {
      throw raise(
        'conflict',
        'session.unknown',
        'session.begin',
        `step \`${name}\` was cut short and may have had its effect; find out, then report it with ` +
          'session.finish and the token in `context`',
        undefined,
        { step: name, token: start.token ?? '' },
      );
    }
    const token = start.token ?? '';
    let wire: Wire;
    let value: unknown;
    try {
      [wire, value] = settled(await run({ attempt: start.attempt, signal: options?.signal }));
    } catch (error) {
      try {
        await this.finish(token, null, { failure: failureOf(error) });
      } catch {
        // The step's own error is the one to tell; an unreported step is begun again all the same.
      }
      throw error;
    }
    await invoke(this, 'session.finish', { token, result: wire });
    return value as T;
  }
}

/** Which sessions a loop over `session.claimed` takes, and when it ends. */
export interface ClaimedOptions extends CallOptions {
  /** Only sessions that carry all of these labels. */
  labels?: Record<string, string>;
  /** End when no session came for this many milliseconds; without it the loop runs until `signal` is aborted. */
  idleMs?: number;
}

/** A claimed session, open, with what it started with: one go at it. */
export type SessionRun = Session & Readonly<ClaimedSession>;

export abstract class SessionNounSugar extends Noun {
  abstract claim(max?: number, waitMs?: number, options?: SessionClaimOptions): Promise<SessionBatch>;
  abstract open(id: string, options?: SessionOpenOptions): Promise<Session>;

  /**
   * Claims sessions, waiting for them, and gives each out open, with its `input`.
   *
   * Each is closed when the loop goes on or is left, also by an exception. What was not completed then
   * is claimed again, at once or when the signal or time that it waits for is there. The loop ends when
   * `signal` is aborted or the workspace is closed; several loops and processes share the work.
   *
   * ```js
   * for await (const s of ws.session.claimed()) {
   *   await s.complete(await s.step('build', () => build(s.input)));
   * }
   * ```
   */
  async *claimed(options?: ClaimedOptions): AsyncGenerator<SessionRun, void, undefined> {
    const op = 'session.claim';
    const { labels = {}, idleMs, signal } = known<ClaimedOptions>(op, options, ['labels', 'idleMs']);
    integer(op, 'idleMs', idleMs, 0, Number.MAX_SAFE_INTEGER);
    const stopped = (): boolean => Boolean(signal?.aborted) || this[OWNER].closed;
    let idleSince = Date.now();
    for (let asked = false; !stopped(); ) {
      const left = idleMs === undefined ? POLL_MS : idleMs - (Date.now() - idleSince);
      if (asked && left <= 0) return;
      asked = true;
      let batch: SessionBatch;
      try {
        batch = await this.claim(1, Math.max(0, Math.min(POLL_MS, left)), signal ? { labels, signal } : { labels });
      } catch (error) {
        if (stopped()) return;
        throw error;
      }
      for (const claimed of batch.sessions) {
        const session = await this.open(claimed.id, { resume: true });
        try {
          yield Object.assign(session, claimed);
        } finally {
          await session.close();
        }
        idleSince = Date.now();
        asked = false;
      }
    }
  }
}

/** What a handler gets beside the task's value. */
export interface TaskContext {
  /** The task as it was claimed. */
  readonly task: ClaimedTask;
  /** Aborted when the worker is told to stop. */
  readonly signal: AbortSignal | undefined;
}

/** Runs one task; what it returns is the task's result, what it throws its failure. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type TaskHandler = (payload: any, context: TaskContext) => unknown;

/** How a worker runs. */
export interface RunOptions extends CallOptions {
  /** How many tasks run at the same time. Default `1`. */
  concurrency?: number;
  /** End when no task came for this many milliseconds; without it the worker runs until it is aborted or closed. */
  idleMs?: number;
}

/** What a worker has done. */
export interface RunReport {
  /** Tasks whose result was written. */
  completed: number;
  /** Tasks whose failure was written. */
  failed: number;
  /** Tasks whose claim was lost to another worker. */
  lost: number;
}

/** How long one poll waits, milliseconds. */
const POLL_MS = 30_000;

export abstract class WorkerSugar extends Handle {
  readonly #handlers = new Map<string, TaskHandler>();

  abstract next(max?: number, waitMs?: number, options?: CallOptions): Promise<TaskBatch>;
  abstract complete(tasks: readonly TaskResult[], options?: CallOptions): Promise<TaskReport>;
  abstract fail(tasks: readonly TaskFailure[], options?: CallOptions): Promise<TaskReport>;

  /** Names the handler of the tasks of one name; a second one replaces the first. */
  task(name: string, handler: TaskHandler): this {
    if (typeof name !== 'string' || typeof handler !== 'function') {
      throw raise('invalid_input', 'args.type', 'worker.next', '`task` takes a name and a function');
    }
    this.#handlers.set(name, handler);
    return this;
  }

  /**
   * Takes tasks and runs their handlers until `signal` is aborted, the worker is closed, or nothing
   * came for `idleMs`; tasks that run then are finished and reported before the promise settles.
   */
  async run(options: RunOptions = {}): Promise<RunReport> {
    const { signal, idleMs } = options;
    const slots = options.concurrency ?? 1;
    if (!Number.isSafeInteger(slots) || slots < 1) {
      throw raise('invalid_input', 'args.type', 'worker.next', '`concurrency` must be an integer from 1');
    }
    const report: RunReport = { completed: 0, failed: 0, lost: 0 };
    const running = new Set<Promise<void>>();
    let failure: { error: unknown } | undefined;
    let idleSince = Date.now();
    const stopped = (): boolean => Boolean(signal?.aborted) || this.closed || failure !== undefined;
    while (!stopped()) {
      const free = slots - running.size;
      if (free === 0) {
        await Promise.race(running);
        continue;
      }
      const left = idleMs === undefined ? POLL_MS : idleMs - (Date.now() - idleSince);
      // A full wait only when idle: a handler that ends reports at once either way.
      let batch: TaskBatch;
      try {
        batch = await this.next(free, Math.max(0, Math.min(POLL_MS, left)), signal ? { signal } : {});
      } catch (error) {
        if (stopped()) break;
        failure = { error };
        break;
      }
      for (const task of batch.tasks) {
        const work = this.#one(task, signal, report).catch((error: unknown) => {
          failure ??= { error };
        });
        running.add(work);
        void work.finally(() => running.delete(work));
      }
      if (batch.tasks.length > 0) idleSince = Date.now();
      else if (idleMs !== undefined && running.size === 0 && Date.now() - idleSince >= idleMs) break;
      else if (running.size > 0) idleSince = Date.now();
    }
    await Promise.all(running);
    if (failure !== undefined) throw failure.error;
    return report;
  }

  async #one(task: ClaimedTask, signal: AbortSignal | undefined, report: RunReport): Promise<void> {
    let answer: TaskReport;
    let failed = false;
    try {
      const handler = this.#handlers.get(task.name);
      if (handler === undefined) {
        const known = [...this.#handlers.keys()].map((name) => `\`${name}\``).join(', ') || 'none';
        throw new Error(`no handler for tasks named \`${task.name}\` (this worker has: ${known})`);
      }
      const result = (await handler(task.payload, { task, signal })) ?? null;
      answer = await this.complete([{ id: task.id, result }]);
    } catch (error) {
      // What the library itself answers to the report is not the task's failure.
      if (error instanceof BarographError && error.op === 'worker.complete' && error.code !== 'value.not_i_json') {
        throw error;
      }
      failed = true;
      answer = await this.fail([{ id: task.id, failure: failureOf(error) }]);
    }
    report.lost += answer.refused.length;
    if (failed) report.failed += answer.accepted;
    else report.completed += answer.accepted;
  }
}

export abstract class EventStreamSugar extends Handle implements AsyncIterable<Event> {
  #held = false;
  /** Set while the loop below asks for its next page. */
  #looping = false;

  abstract next(max?: number, waitMs?: number, options?: CallOptions): Promise<EventPage>;

  /**
   * Lets a `for await` that waits for new events hold the process alive; by itself it does not. A call
   * of `next` holds it for as long as it was told to wait.
   */
  ref(): this {
    this.#held = true;
    return this;
  }

  /** Lets the process end although a `for await` waits for new events: how a stream begins. */
  unref(): this {
    this.#held = false;
    return this;
  }

  protected override holds(wire: Wire): boolean {
    // The first page is asked for without waiting: that answer comes at once, follow or not.
    return this.#held || !this.#looping || !(wire.wait_ms > 0);
  }

  /** Every event in order; ends with the stream, or when it is closed. Leaving the loop closes it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Event, void, undefined> {
    try {
      for (let wait = 0; !this.closed; ) {
        let page: EventPage;
        try {
          this.#looping = true;
          const asked = this.next(1000, wait);
          this.#looping = false;
          page = await asked;
        } catch (error) {
          if (this.closed) return;
          throw error;
        }
        yield* page.events;
        if (page.ended) return;
        wait = page.events.length === 0 ? POLL_MS : 0;
      }
    } finally {
      await this.close();
    }
  }
}
