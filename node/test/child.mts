// Programs of their own: what only shows at the end of a process.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE = join(fileURLToPath(import.meta.url), '..', '..');

/** Starts a program that may import the package. */
export function start(program: string, flags: string[] = []): ChildProcess & { text: () => string } {
  const child = spawn(process.execPath, [...flags, '--input-type=module', '--eval', program], { cwd: NODE });
  let text = '';
  child.stdout.on('data', (part: Buffer) => (text += part));
  child.stderr.on('data', (part: Buffer) => (text += part));
  return Object.assign(child, { text: () => text });
}

/** Runs a program to its end. */
export async function run(program: string, flags: string[] = []): Promise<{ code: number | null; text: string; ms: number }> {
  const began = Date.now();
  const child = start(program, flags);
  // A guard, far beyond what any of these may take.
  const guard = setTimeout(() => child.kill('SIGKILL'), 60_000);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(guard);
  return { code, text: child.text(), ms: Date.now() - began };
}
