// Builds the native part from the sources and puts it where the loader looks first.
// With BAROGRAPH_BUILT=1 it takes the library that is built already.
import { execFileSync } from 'node:child_process';
import { copyFileSync, renameSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const release = process.argv.includes('--release');
if (!process.env.BAROGRAPH_BUILT) {
  execFileSync('cargo', ['build', '--quiet', '-p', 'barograph-node', ...(release ? ['--profile', 'dist'] : [])], {
    cwd: root,
    stdio: 'inherit',
  });
}
const library = resolve(root, process.env.CARGO_TARGET_DIR ?? 'target', release ? 'dist' : 'debug', 'libbarograph_node.so');
const name = 'barograph.linux-x64-gnu.node';
const target = release ? join(root, 'node', 'npm', 'linux-x64-gnu', name) : join(root, 'node', name);
// Renamed into place: a process that has the old file mapped keeps it.
copyFileSync(library, `${target}.new`);
renameSync(`${target}.new`, target);
