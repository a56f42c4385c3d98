/**
 * Durable sessions, parallel execution and change risk for code.
 *
 * ```js
 * import { open } from 'barograph';
 * const ws = await open('.');
 * const risk = await ws.risk.change('HEAD');
 * console.log(risk.level, risk.reasons[0]?.sentence);
 * await ws.close();
 * ```
 *
 * @packageDocumentation
 */

export {
  AlreadyExistsError,
  ArgumentTypeError,
  BarographError,
  CancelledError,
  ClosedError,
  ConflictError,
  CorruptError,
  ExhaustedError,
  FailedError,
  InternalError,
  InvalidInputError,
  NotFoundError,
  TimeoutError,
  UnavailableError,
  UnsupportedError,
} from './errors.js';
export type { ErrorDetails } from './errors.js';
export { Handle, Noun } from './handle.js';
export * from './nouns_gen.js';
export { Payload } from './payload.js';
export { failureOf } from './sugar.js';
export type {
  ClaimedOptions,
  RunOptions,
  RunReport,
  SessionRun,
  StepContext,
  TaskContext,
  TaskHandler,
} from './sugar.js';
export type * from './types_gen.js';
