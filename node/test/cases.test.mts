// Runs the conformance cases of `tests/cases` through the public methods; the format stands in their README.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { BarographError, Handle, Payload, open } from 'barograph';

import { OPERATIONS } from './surface_gen.js';

type Any = any;

const ROOT = join(fileURLToPath(import.meta.url), '..', '..', '..');
const CASES = join(ROOT, 'tests', 'cases');
const TYPES = (JSON.parse(readFileSync(join(ROOT, 'api.schema.json'), 'utf8')) as Any).$defs as Record<string, Any>;

const camel = (name: string): string => name.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
const isObject = (value: unknown): value is Record<string, Any> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The schema itself where it is a reference or may be null. */
function resolved(schema: Any): Any {
  if (schema?.$ref) return TYPES[schema.$ref.split('/').at(-1)];
  if (schema?.anyOf) return resolved(schema.anyOf.find((one: Any) => one.type !== 'null'));
  return schema ?? {};
}

/** Turns the wire's form of a host's value into the value, or back. */
function payload(toTs: boolean, value: Any): Any {
  if (!toTs) {
    const { json, bytes, mediaType } = value instanceof Payload ? value : new Payload(value);
    return bytes === null ? { json } : { bytes: Buffer.from(bytes).toString('base64'), media_type: mediaType };
  }
  if (typeof value.bytes !== 'string') return value.json ?? null;
  const bytes = new Uint8Array(Buffer.from(value.bytes, 'base64'));
  return value.media_type === undefined ? bytes : new Payload(bytes, value.media_type);
}

/** Turns a value of this schema between wire and TypeScript; what the schema does not know stays as it is. */
function turned(toTs: boolean, given: Any, value: Any): Any {
  const schema = resolved(given);
  if (schema === TYPES['Payload']) return value === null || value === undefined ? null : payload(toTs, value);
  if (schema.format === 'byte') {
    if (toTs && typeof value === 'string') return new Uint8Array(Buffer.from(value, 'base64'));
    return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
  }
  if (Array.isArray(value)) return schema.items ? value.map((item) => turned(toTs, schema.items, item)) : value;
  if (!isObject(value)) return value;
  if (schema.properties) {
    const members = new Map(Object.keys(schema.properties).map((wire) => (toTs ? [wire, wire] : [camel(wire), wire])));
    const entries = Object.entries(value).map(([name, item]) => {
      const wire = members.get(name) ?? name;
      return [toTs ? camel(name) : wire, turned(toTs, schema.properties[wire], item)];
    });
    return Object.fromEntries(entries);
  }
  const items = isObject(schema.additionalProperties) ? schema.additionalProperties : undefined;
  if (items === undefined) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, turned(toTs, items, item)]));
}

/** Keys sorted, no spaces, absent members left out. */
function line(value: Any): string {
  const sorted = (value: Any): Any => {
    if (Array.isArray(value)) return value.map(sorted);
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.keys(value)
        .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        .map((key) => [key, sorted(value[key])]),
    );
  };
  return JSON.stringify(sorted(value));
}

class Mismatch extends Error {}

class Run {
  readonly handles = new Map<string, Handle>();
  readonly saved = new Map<string, Any>();
  constructor(readonly folder: string, public workspace: Handle | undefined) {}

  lookUp(place: string): Any {
    const [name, ...path] = place.split('.');
    return path.reduce((value: Any, part) => value?.[part], this.saved.get(name!));
  }

  filled(value: Any): Any {
    if (typeof value === 'string' && value.startsWith('$')) {
      if (value === '$dir') return this.folder;
      if (value.startsWith('$dir/')) return join(this.folder, value.slice(5));
      const found = this.lookUp(value.slice(1));
      return found === undefined ? value : found;
    }
    if (Array.isArray(value)) return value.map((item) => this.filled(item));
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.filled(item)]));
  }

  /** Throws a `Mismatch` that names the first place where `actual` does not hold what is expected. */
  match(expected: Any, actual: Any, place: string): void {
    const holds = (good: boolean): void => {
      if (!good) throw new Mismatch(`${place}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`);
    };
    if (isObject(expected) && line(expected) === '{"json":null}') {
      // A value that is null is the host's null, as one that is absent.
      holds(actual === null || actual === undefined || line(actual) === '{"json":null}');
    } else if (Array.isArray(expected)) {
      holds(Array.isArray(actual) && actual.length === expected.length);
      expected.forEach((item, at) => this.match(item, actual[at], `${place}.${at}`));
    } else if (isObject(expected)) {
      const [[word, wanted] = ['', undefined], ...more] = Object.entries(expected);
      if (more.length === 0 && word.startsWith('$')) return holds(this.special(word, wanted, actual));
      holds(isObject(actual));
      for (const [name, item] of Object.entries(expected)) this.match(item, actual[name], `${place}.${name}`);
    } else holds((actual ?? null) === expected);
  }

  special(word: string, wanted: Any, actual: Any): boolean {
    if (word === '$any') return actual !== null && actual !== undefined;
    if (word === '$count') return (typeof actual === 'string' ? [...actual] : actual)?.length === wanted;
    if (word === '$near') return Math.abs(wanted - actual) <= 1e-9 * Math.max(Math.abs(wanted), Math.abs(actual));
    if (word === '$same') return line(this.lookUp(wanted)) === line(actual);
    if (word !== '$contains') throw new Mismatch(`unknown expectation ${word}`);
    // A message names things as the language writes them.
    if (typeof actual === 'string') return camel(actual).includes(camel(wanted));
    return Array.isArray(actual) && actual.some((item) => this.holds(wanted, item));
  }

  holds(expected: Any, actual: Any): boolean {
    try {
      this.match(expected, actual, '');
      return true;
    } catch {
      return false;
    }
  }

  /** Calls the SDK's public method; the answer is in the wire's words. */
  async call(op: string, on: string | undefined, wire: Any): Promise<Any> {
    const { receiver, args, positional, out } = OPERATIONS[op]!;
    const schema = TYPES[args]!;
    const given = turned(true, schema, wire);
    const before = positional.map((name) => given[camel(name)]);
    for (const name of positional) delete given[camel(name)];
    const [noun, verb] = op.split('.') as [string, string];
    const target: Any = on === undefined ? this.workspace : this.handles.get(on);
    if (receiver !== '' && target === undefined) throw new Mismatch(`no handle is saved as ${on}`);
    let owner = target;
    if (receiver === '') owner = { open };
    else if (receiver === 'Workspace' && noun !== 'workspace') owner = target[camel(noun)];
    let answer = await owner[camel(verb)](...before, given);
    // A question: the host gets the record's only field.
    if (typeof answer === 'boolean') answer = { [camel(Object.keys(TYPES[out].properties)[0]!)]: answer };
    return out === '' ? answer : JSON.parse(JSON.stringify(turned(false, TYPES[out], answer)));
  }

  async step(step: Any, say: (answer: string) => void): Promise<void> {
    if (step.close !== undefined) {
      const handle = this.handles.get(step.close);
      if (handle === undefined) throw new Mismatch(`no handle is saved as ${step.close}`);
      return handle.close();
    }
    const op: string = step.call;
    let answer: Any;
    try {
      answer = await this.call(op, step.on, this.filled(step.args ?? {}));
    } catch (error) {
      if (error instanceof Mismatch || !(error instanceof BarographError)) throw error;
      say(line({ code: error.code }));
      if (step.expect_error === undefined) throw new Mismatch(`${op}: ${error.code}: ${error.message}`);
      const { message, ...members } = step.expect_error;
      const wanted = message === undefined ? members : { ...members, message: { $contains: message } };
      const { kind, code, retryable, context, causes } = error;
      return this.match(wanted, { kind, code, op: error.op, retryable, context, causes, message: error.message }, op);
    }
    if (answer instanceof Handle) this.handles.set(step.save ?? '', answer);
    else this.saved.set(step.save ?? '', answer);
    const shown = answer instanceof Handle ? {} : answer;
    say(line(shown));
    if (step.expect_error !== undefined) throw new Mismatch(`${op}: expected an error, got ${line(shown)}`);
    if (step.expect !== undefined) this.match(step.expect, shown, op);
  }
}

async function runCase(one: Any, label: string, fixtures: string, lines: string[]): Promise<string | undefined> {
  // Outside of every repository, or the search upwards would find ours.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'barograph-node-')));
  const run = new Run(folder, undefined);
  try {
    if (one.fixture) execFileSync('cp', ['-a', `${join(fixtures, one.fixture)}/.`, folder]);
    const first = { path: folder, ...(one.clock ? { clock: one.clock } : {}), ...run.filled(one.open ?? {}) };
    const { path, ...options } = turned(true, TYPES['OpenArgs'], first);
    run.workspace = await open(path, options);
    for (const [at, step] of (one.steps as Any[]).entries()) {
      try {
        await run.step(step, (answer) => lines.push(`${label}.${at} ${answer}`));
      } catch (error) {
        return `step ${at}: ${error instanceof Mismatch ? error.message : (error as Error).stack}`;
      }
    }
    return undefined;
  } catch (error) {
    return `open: ${(error as Error).message}`;
  } finally {
    for (const handle of run.handles.values()) await handle.close();
    await run.workspace?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

test('conformance', async () => {
  const script = join(ROOT, 'tests', 'fixtures', 'repositories.py');
  const fixtures = execFileSync('python3', [script, '--into', join(ROOT, 'target', 'fixtures')], { encoding: 'utf8' }).trim();
  const files = readdirSync(CASES, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
  files.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const lines: string[] = [];
  const failed: string[] = [];
  let passed = 0;
  for (const file of files) {
    const cases = JSON.parse(readFileSync(join(CASES, file), 'utf8')) as Any[];
    for (const [at, one] of cases.entries()) {
      const label = `${file}#${at}`;
      const wrong = await runCase(one, label, fixtures, lines);
      if ((wrong === undefined) !== (one.must_fail === true)) passed += 1;
      else failed.push(`${label} \`${one.name}\`: ${wrong ?? 'a canary passed'}`);
    }
  }
  const answers = process.env['BAROGRAPH_CASES_OUT'];
  if (answers) writeFileSync(answers, lines.map((text) => `${text}\n`).join(''));
  console.log(`cases: ${passed} passed, ${failed.length} failed`);
  assert.deepEqual(failed, []);
  assert.ok(passed >= 280, `only ${passed} cases were found`);
});
