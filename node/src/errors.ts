/** The errors of Barograph: one class per kind, all of them `BarographError`. */

import type { ErrorCode, ErrorRecord, Kind } from './types_gen.js';

/** What every error of this library carries. */
export interface ErrorDetails {
  /** The class of the error: what a program branches on. */
  readonly kind: Kind;
  /** The dotted code, for example `session.missing`. */
  readonly code: ErrorCode;
  /** The operation that failed as `noun.verb`; empty outside an operation. */
  readonly op: string;
  /** Whether the same call may succeed later without a change by the caller. */
  readonly retryable: boolean;
  /** Names and values that place the error: paths, ids, limits. */
  readonly context: Readonly<Record<string, string>>;
  /** The chain of causes, nearest first; `cause` holds the same as errors. */
  readonly causes: readonly string[];
}

/**
 * Any error of this library: what failed, then what to do.
 *
 * Branch on `kind` (or on the subclass), log `message`, decide on `retryable`. Wrong types are an
 * `ArgumentTypeError`, which is the host's own `TypeError` and counts as a `BarographError` here.
 */
export class BarographError extends Error implements ErrorDetails {
  readonly kind: Kind;
  readonly code: ErrorCode;
  readonly op: string;
  readonly retryable: boolean;
  readonly context: Readonly<Record<string, string>>;
  readonly causes: readonly string[];

  constructor(record: ErrorRecord, cause?: unknown) {
    super(record.message, causeOf(record, cause));
    this.kind = record.kind;
    this.code = record.code;
    this.op = record.op;
    this.retryable = record.retryable;
    this.context = record.context;
    this.causes = record.causes;
    nameIt(this, new.target.name);
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    // A `TypeError` cannot have two parents; it belongs to this class and to `InvalidInputError`.
    if (this === BarographError || (this as unknown) === InvalidInputError) {
      if (value instanceof ArgumentTypeError) return true;
    }
    return Function.prototype[Symbol.hasInstance].call(this, value);
  }
}

/** The caller passed something that cannot be used; the message names it. */
export class InvalidInputError extends BarographError {}
/** The thing named does not exist. */
export class NotFoundError extends BarographError {}
/** The thing to be made exists already. */
export class AlreadyExistsError extends BarographError {}
/** Another owner or another history stands in the way. */
export class ConflictError extends BarographError {}
/** A limit of time ran out. */
export class TimeoutError extends BarographError {}
/**
 * The call or the session was cancelled. Of a call that its caller aborted the `name` is `AbortError` and the
 * `cause` the signal's reason.
 */
export class CancelledError extends BarographError {
  constructor(record: ErrorRecord, cause?: unknown) {
    super(record, cause);
    if (record.code === 'call.cancelled') nameIt(this, 'AbortError');
  }
}
/** A limit of size, count or attempts was reached. */
export class ExhaustedError extends BarographError {}
/** A task or step of the caller's own failed. */
export class FailedError extends BarographError {}
/** Stored data is damaged or is not what it claims to be. */
export class CorruptError extends BarographError {}
/** Something outside is out of reach for now. */
export class UnavailableError extends BarographError {}
/** This build, platform or process cannot do it. */
export class UnsupportedError extends BarographError {}
/** The handle was closed before. */
export class ClosedError extends BarographError {}
/** A defect of this library. */
export class InternalError extends BarographError {}

/** An argument has the wrong type: `kind` is `invalid_input`, `code` is `args.type`. */
export class ArgumentTypeError extends TypeError implements ErrorDetails {
  readonly kind: Kind;
  readonly code: ErrorCode;
  readonly op: string;
  readonly retryable: boolean;
  readonly context: Readonly<Record<string, string>>;
  readonly causes: readonly string[];

  constructor(record: ErrorRecord, cause?: unknown) {
    super(record.message, causeOf(record, cause));
    this.kind = record.kind;
    this.code = record.code;
    this.op = record.op;
    this.retryable = record.retryable;
    this.context = record.context;
    this.causes = record.causes;
    nameIt(this, 'TypeError');
  }
}

const CLASSES: Record<Kind, new (record: ErrorRecord, cause?: unknown) => BarographError> = {
  invalid_input: InvalidInputError,
  not_found: NotFoundError,
  already_exists: AlreadyExistsError,
  conflict: ConflictError,
  timeout: TimeoutError,
  cancelled: CancelledError,
  exhausted: ExhaustedError,
  failed: FailedError,
  corrupt: CorruptError,
  unavailable: UnavailableError,
  unsupported: UnsupportedError,
  closed: ClosedError,
  internal: InternalError,
};

/** The error for a record as it comes through the door. */
export function errorOf(record: ErrorRecord, cause?: unknown): BarographError | ArgumentTypeError {
  const error =
    record.code === 'args.type'
      ? new ArgumentTypeError(record, cause)
      : new (CLASSES[record.kind] ?? InternalError)(record, cause);
  // The stack begins where the error was met, not where it was built.
  Error.captureStackTrace(error, errorOf);
  return error;
}

/** An error that this side of the door raises. */
export function raise(
  kind: Kind,
  code: ErrorCode,
  op: string,
  message: string,
  cause?: unknown,
  context: Record<string, string> = {},
): BarographError | ArgumentTypeError {
  return errorOf({ kind, code, message, op, retryable: false, context, causes: [] }, cause);
}

/** The causes as a chain of errors, the form in which Node prints them. */
function causeOf(record: ErrorRecord, cause: unknown): ErrorOptions | undefined {
  if (cause !== undefined) return { cause };
  let chain: Error | undefined;
  for (const text of [...record.causes].reverse()) {
    chain = chain === undefined ? new Error(text) : new Error(text, { cause: chain });
    chain.stack = text;
  }
  return chain === undefined ? undefined : { cause: chain };
}

/** Not enumerable, as `name` of the built-in errors. */
function nameIt(error: Error, name: string): void {
  Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
}
