/** Finds and loads the native part. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** What a call answers: JSON, `!` and an error's JSON, or an Arrow IPC stream. */
export type Body = string | Uint8Array;

/** The native door; `bindings/node/src/door.rs` describes each function. */
export interface Door {
  call(
    handle: number,
    op: string,
    args: string,
    columns: boolean,
    token: number,
    id: number,
    keep: boolean,
  ): Body | null;
  token(): number;
  cancel(token: number): void;
  release(token: number): void;
  close(handle: number, id: number): void;
  shutdown(): void;
}

export interface Native {
  /** Runs the command line, the program's name first; gives back its exit status. */
  command(args: string[]): number;
  Door: new (settle: (id: number, body: Body) => void) => Door;
}

/** The platform as the packages name it, for example `linux-x64-gnu`. */
export function platform(): string {
  const name = `${process.platform}-${process.arch}`;
  if (process.platform !== 'linux') return name;
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  return `${name}-${report?.header?.glibcVersionRuntime === undefined ? 'musl' : 'gnu'}`;
}

/** Loads the native part: the one built from sources beside this package, or the platform's package. */
export function load(at: string = platform(), require: NodeJS.Require = module.require.bind(module) as NodeJS.Require): Native {
  const file = `barograph.${at}.node`;
  const built = join(__dirname, '..', file);
  const wanted = `@barograph/${at}`;
  try {
    return (existsSync(built) ? require(built) : require(wanted)) as Native;
  } catch (cause) {
    const tried = existsSync(built) ? built : wanted;
    throw new Error(
      `barograph has no native part for ${at}: \`${tried}\` could not be loaded. ` +
        `Where the package is published for this platform, repair it with ` +
        `\`npm install --include=optional ${wanted}\` (a lock file from another platform drops it: ` +
        `remove node_modules and package-lock.json, then \`npm install\`); from sources, run ` +
        `\`npm run native\` in the folder node.`,
      { cause },
    );
  }
}
