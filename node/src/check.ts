/** Checks of arguments: what the host passed becomes what the wire takes, or an error that names it. */

import { raise } from './errors.js';

/** Any value on the wire; generated code knows its shape. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Wire = any;

/** Checks a value at a place (`tasks[0].name`) and gives back what the wire takes. */
export type Check = (op: string, place: string, value: unknown) => Wire;

function wrong(op: string, place: string, wanted: string, value: unknown): Error {
  return raise('invalid_input', 'args.type', op, `\`${place}\` must be ${wanted}, not ${what(value)}`);
}

/** What a value is, in words for a message. */
function what(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'number') return `the number ${value}`;
  if (typeof value === 'object') {
    const name = (value as object).constructor?.name;
    return name === undefined || name === 'Object' ? 'an object' : `a ${name}`;
  }
  return `a ${typeof value}`;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/** The place of a member: `tasks[0]` and `name` give `tasks[0].name`. */
export function under(place: string, name: string): string {
  return `${place}.${name}`;
}

/** The value, which must be given. */
export function required(op: string, place: string, value: unknown): unknown {
  if (value === undefined) {
    throw raise('invalid_input', 'args.invalid', op, `\`${place}\` is missing; pass it`);
  }
  return value;
}

export const text: Check = (op, place, value) => {
  if (value === undefined || typeof value === 'string') return value;
  throw wrong(op, place, 'a string', value);
};

export const flag: Check = (op, place, value) => {
  if (value === undefined || typeof value === 'boolean') return value;
  throw wrong(op, place, 'true or false', value);
};

export const float: Check = (op, place, value) => {
  if (value === undefined || (typeof value === 'number' && Number.isFinite(value))) return value;
  throw wrong(op, place, 'a finite number', value);
};

export function integer(op: string, place: string, value: unknown, low: number, high: number): Wire {
  if (value === undefined) return value;
  if (Number.isSafeInteger(value) && (value as number) >= low && (value as number) <= high) return value;
  throw wrong(op, place, `an integer from ${low} to ${high}`, value);
}

export const bytes: Check = (op, place, value) => {
  if (value === undefined) return value;
  if (!(value instanceof Uint8Array)) throw wrong(op, place, 'a Uint8Array', value);
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
};

/** The bytes of the wire's base64, as a `Uint8Array` of its own. */
export function bytesFromWire(wire: string): Uint8Array {
  return new Uint8Array(Buffer.from(wire, 'base64'));
}

export function nullable(op: string, place: string, value: unknown, check: Check): Wire {
  return value === null ? null : check(op, place, value);
}

export function list(op: string, place: string, value: unknown, check: Check): Wire {
  if (value === undefined) return value;
  if (!Array.isArray(value)) throw wrong(op, place, 'an array', value);
  return value.map((item: unknown, at) => {
    const here = `${place}[${at}]`;
    return check(op, here, item === undefined ? required(op, here, item) : item);
  });
}

export function map(op: string, place: string, value: unknown, check: Check): Wire {
  if (value === undefined) return value;
  if (!isPlain(value)) throw wrong(op, place, 'an object', value);
  // No prototype: a key `__proto__` is a key like any other.
  const wire = Object.create(null) as Record<string, Wire>;
  for (const [key, item] of Object.entries(value)) wire[key] = check(op, `${place}.${key}`, item);
  return wire;
}

/** A map's values turned around, its keys left alone. */
export function mapFromWire<T>(wire: Record<string, Wire>, read: (item: Wire) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(wire).map(([key, item]) => [key, read(item)]));
}

/** An enumeration's text. */
export function choice(variants: readonly string[]): Check {
  return (op, place, value) => {
    if (value === undefined) return value;
    if (typeof value !== 'string') throw wrong(op, place, 'a string', value);
    if (variants.includes(value)) return value;
    const list = variants.map((name) => `\`${name}\``).join(', ');
    const message = `\`${place}\` cannot be \`${value}\`${hint(value, variants)} (known: ${list})`;
    throw raise('invalid_input', 'args.invalid', op, message);
  };
}

/** A record: an object with no members but these. */
export function record(op: string, place: string, value: unknown, names: readonly string[]): Record<string, unknown> {
  if (!isPlain(value)) throw wrong(op, place, 'an object', value);
  refuseUnknown(op, value, names, `${place}.`);
  return value;
}

/** The options of a call: an object with no members but these and `signal`; `before` are the arguments before it. */
export function known<T>(
  op: string,
  options: unknown,
  names: readonly string[],
  before: readonly string[] = [],
): Partial<T> {
  if (options === undefined || options === null) return {};
  if (!isPlain(options)) throw wrong(op, 'options', 'an object', options);
  refuseUnknown(op, options, [...names, 'signal'], '', before);
  const signal = options['signal'];
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw wrong(op, 'signal', 'an AbortSignal', signal);
  }
  return options as Partial<T>;
}

/** Options given in the place of the only positional argument move to their own. */
export function shift<O>(first: unknown, options: O | undefined): [unknown, unknown] {
  return options === undefined && isPlain(first) ? [undefined, first] : [first, options];
}

function refuseUnknown(
  op: string,
  given: object,
  names: readonly string[],
  prefix: string,
  before: readonly string[] = [],
): void {
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue;
    const list = names.map((name) => `\`${name}\``).join(', ');
    const message = before.includes(name)
      ? `\`${name}\` is no option: pass it before the options (they are: ${list})`
      : `no option \`${prefix}${name}\`${hint(name, [...names, ...before])} (known: ${list})`;
    throw raise('invalid_input', 'args.unknown_option', op, message);
  }
}

/** `; did you mean `x`?` where a known name is near. */
function hint(name: string, known: readonly string[]): string {
  let best: string | undefined;
  let least = Infinity;
  for (const candidate of known) {
    const away = distance(name, candidate);
    if (away < least && away <= Math.ceil(Math.max(name.length, candidate.length) / 2)) {
      [best, least] = [candidate, away];
    }
  }
  return best === undefined ? '' : `; did you mean \`${best}\`?`;
}

/** Edits between two names: insert, delete, replace. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** As deep as the reader on the other side goes. */
const DEPTH = 120;

/** A value of the host: I-JSON, refused where JSON would change it without a word. */
export const json: Check = (op, place, value) => {
  refuseOutsideJson(op, place, value, 0);
  return value;
};

function refuseOutsideJson(op: string, place: string, value: unknown, depth: number): void {
  const refuse = (why: string): Error =>
    raise('invalid_input', 'value.not_i_json', op, `\`${place}\` ${why}; pass it as text or as bytes`);
  switch (typeof value) {
    case 'boolean':
    case 'undefined':
      return;
    case 'string':
      if (/\p{Surrogate}/u.test(value)) throw refuse('holds half of a surrogate pair, which is no text');
      return;
    case 'number':
      if (!Number.isFinite(value)) throw refuse(`is ${value}, which JSON cannot hold`);
      return;
    case 'object':
      break;
    default:
      throw refuse(`is a ${typeof value}, which JSON cannot hold`);
  }
  if (value === null) return;
  if (depth > DEPTH) throw refuse(`goes deeper than ${DEPTH} levels or contains itself`);
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return;
  if (value instanceof Map || value instanceof Set || ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    throw refuse(`is a ${value.constructor.name}, which JSON would lose`);
  }
  if (Array.isArray(value)) {
    value.forEach((item, at) => {
      if (item === undefined) throw refuse(`holds undefined at ${at}, which JSON would turn into null`);
      refuseOutsideJson(op, `${place}[${at}]`, item, depth + 1);
    });
    return;
  }
  for (const [key, item] of Object.entries(value)) refuseOutsideJson(op, `${place}.${key}`, item, depth + 1);
}
