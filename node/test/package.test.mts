// What is shipped: the manifest by reflection, both ways to import, the loader's words, the command.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import * as esm from 'barograph';

import { OPERATIONS } from './surface_gen.js';

const require = createRequire(import.meta.url);
const NODE = join(fileURLToPath(import.meta.url), '..', '..');
const manifest = readFileSync(join(NODE, '..', 'api.manifest'), 'utf8').trim().split('\n').map((line) => line.split(' '));
const camel = (name: string): string => name.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
const pascal = (name: string): string => camel(`_${name}`);
const exported = esm as unknown as Record<string, any>;

test('every class and operation of the manifest is there, and no other', () => {
  const classes = manifest.filter(([what]) => what === 'class').map(([, name]) => name!);
  for (const name of classes) assert.equal(typeof exported[name], 'function', name);
  const found = new Set<string>();
  const owners: [string, object, string][] = classes.map((name) => [name.toLowerCase(), exported[name].prototype, name]);
  for (const name of Object.keys(exported).filter((name) => name.endsWith('Noun') && name !== 'Noun')) {
    owners.push([camel(name.slice(0, -4).replace(/^./, (letter) => letter.toLowerCase())), exported[name].prototype, 'Workspace']);
  }
  for (const [noun, prototype, receiver] of owners) {
    for (const verb of Object.getOwnPropertyNames(prototype).filter((name) => name !== 'constructor')) {
      const word = verb.replace(/Columns$/, '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      const known = Object.entries(OPERATIONS).find(
        ([op, { receiver: owner }]) => op.split('.')[1] === word && owner === receiver && (op.startsWith(`${noun}.`) || owner !== 'Workspace'),
      );
      assert.ok(known, `${receiver} ${noun}.${verb} is not in the surface`);
      found.add(known[0]);
    }
  }
  found.add('workspace.open');
  assert.equal(typeof exported['open'], 'function');
  const wanted = manifest.filter(([what]) => what === 'operation').map(([, name]) => name!);
  assert.deepEqual([...found].sort(), wanted.sort());
});

test('every record, field, variant and code of the manifest is declared', () => {
  const declared = readFileSync(join(NODE, 'dist', 'types_gen.d.ts'), 'utf8');
  const nouns = readFileSync(join(NODE, 'dist', 'nouns_gen.d.ts'), 'utf8');
  const interfaces = new Map<string, Set<string>>();
  for (const [, name, , body] of declared.matchAll(/export interface (\w+)( extends \w+)? \{\n([^]*?)\n\}/g)) {
    interfaces.set(name!, new Set([...body!.matchAll(/^ {4}(\w+)\??: /gm)].map(([, field]) => field!)));
  }
  for (const [what, name, more] of manifest) {
    if (what === 'enum') {
      const [type, variant] = name!.split('.');
      assert.match(declared, new RegExp(`export type ${type} =[^;]*'${variant}'`), name);
    } else if (what === 'error') {
      assert.ok(declared.includes(`'${name}'`), name);
      assert.ok(exported[`${pascal(more!)}Error`], `${pascal(more!)}Error`);
    } else if (what === 'field') {
      const [record, field] = name!.split('.') as [string, string];
      const users = Object.values(OPERATIONS).filter(({ args }) => args === record);
      const options = interfaces.get(`${record.replace(/Args$/, '')}Options`);
      const has = users.length > 0
        ? options?.has(camel(field)) || users.every(({ positional }) => positional.includes(field)) && new RegExp(`\\b${camel(field)}\\??: `).test(nouns)
        : record === 'Payload' ? camel(field) in new esm.Payload(null) : interfaces.get(record)?.has(camel(field));
      assert.ok(has, `${record}.${field}`);
    }
  }
  for (const [name, members] of interfaces) {
    const record = name.endsWith('Options') ? `${name.slice(0, -7)}Args` : name;
    if (name === 'CallOptions') continue;
    assert.ok(manifest.some(([what, known]) => what === 'record' && known === record), `${name} is not in the manifest`);
    for (const member of members) {
      assert.ok(manifest.some(([what, field]) => what === 'field' && camel(field!.split('.')[1]!) === member && field!.startsWith(`${record}.`)), `${name}.${member}`);
    }
  }
});

test('require and import give the same classes, with types for both', () => {
  const cjs = require('barograph') as Record<string, unknown>;
  const names = Object.keys(cjs).filter((name) => name !== '__esModule').sort();
  assert.deepEqual(Object.keys(esm).filter((name) => !['__esModule', 'default', 'module.exports'].includes(name)).sort(), names);
  for (const name of names) assert.equal(exported[name], cjs[name], name);
  const { exports, bin } = JSON.parse(readFileSync(join(NODE, 'package.json'), 'utf8')) as any;
  const paths = [bin.barograph, ...Object.values(exports['.']).flatMap((one) => Object.values(one as object))] as string[];
  const packed = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json', '--silent'], { cwd: NODE, encoding: 'utf8' })) as any;
  const files = packed[0].files.map(({ path }: { path: string }) => `./${path}`) as string[];
  for (const path of paths) assert.ok(files.includes(path), `${path} is not shipped`);
  assert.ok(files.every((path) => !/test|\.node$|src\//.test(path)), files.join(' '));
});

test('what cannot be loaded is named, with the command that repairs it', () => {
  const { load, platform } = require('../dist/native.js') as any;
  assert.equal(platform(), `${process.platform}-${process.arch}-gnu`);
  assert.throws(() => load('plan9-mips'), (error: Error) => {
    assert.match(error.message, /no native part for plan9-mips: `@barograph\/plan9-mips` could not be loaded/);
    assert.match(error.message, /npm install --include=optional @barograph\/plan9-mips/);
    assert.ok(error.cause instanceof Error);
    return true;
  });
});

test('the package brings the command', () => {
  const cli = join(NODE, 'dist', 'cli.js');
  const help = spawnSync(process.execPath, [cli, '--help'], { encoding: 'utf8' });
  assert.equal(help.status, 0, help.stderr);
  assert.match(help.stdout, /barograph/);
  const wrong = spawnSync(process.execPath, [cli, 'no-such-thing'], { encoding: 'utf8' });
  assert.equal(wrong.status, 2);
});
