// A release that waits for its approval in no process: run it, approve it, run it again.
import { open, type SessionRun, TimeoutError } from 'barograph';

const [folder, verb, who] = process.argv.slice(2);
const DAY_MS = 24 * 60 * 60 * 1000;

async function release(s: SessionRun): Promise<void> {
  const artifact = await s.step('build', () => {
    console.log(`building ${s.input.tag}`);
    return `app-${s.input.tag}.tar`;
  });
  const answer = await s.waitSignal('approved', { timeoutMs: DAY_MS, waitMs: 0 }).catch((error: unknown) => {
    // session.waiting: claimed again when the signal or the day's end is there
    if (error instanceof TimeoutError) return null;
    throw error;
  });
  if (answer === null) {
    console.log('waiting for approval');
    return;
  }
  if (answer.timedOut) {
    await s.complete(null, { failure: { message: 'nobody approved it within a day' } });
    return;
  }
  console.log(`approved by ${answer.value.by}`);
  await s.step('publish', () => console.log(`publishing ${artifact}`), { policy: 'once' });
  const done = await s.complete(artifact);
  console.log(`${done.status}, ${done.stepsDone} steps`);
}

const ws = await open(folder);
if (verb === 'approve') {
  await ws.session.signal('release-7', 'approved', { by: who });
  console.log('sent');
} else {
  // The same key is the same session, however often it is submitted.
  const { created } = await ws.session.submit('release-7', { tag: 'v7' }, { key: 'v7' });
  if (created) console.log('submitted');
  // Without `idleMs` it waits for the next one.
  for await (const s of ws.session.claimed({ idleMs: 0 })) await release(s);
}
await ws.close();
