// Steps that survive a kill: run it with `crash`, then again without.
import { open } from 'barograph';

const [folder, crash] = [process.argv[2], process.argv[3] === 'crash'];
const ws = await open(folder);
const s = await ws.session('release-42', { resume: true });
const files = await s.step('build', () => {
  console.log('building');
  return 3;
});
await s.step('publish', () => {
  if (crash) process.kill(process.pid, 'SIGKILL');
  console.log(`publishing ${files} files`);
});
const done = await s.complete({ files });
console.log(`${done.status}, ${done.stepsDone} steps`);
await s.close();
await ws.close();
