// One life of the sessions and the queue of tests/kill; see run.py for what is asked of it.
import assert from 'node:assert/strict';
import { readFileSync, readSync } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { join } from 'node:path';
import { open } from 'barograph';

const plan = JSON.parse(process.argv[2]);
const files = {
  effects: await openFile(join(plan.folder, 'effects'), 'a'),
  acks: await openFile(join(plan.folder, 'acks'), 'a'),
};

function reached(point) {
  if (point === plan.die_at) process.kill(process.pid, 'SIGKILL');
}

async function note(file, subject, text) {
  await files[file].appendFile(`${plan.life} ${subject} ${text}\n`);
  reached(`${subject} ${text.split(' ')[0]} ${file} written`);
  await files[file].sync();
}

/** The life in which a step had its effect. */
function found(subject, step) {
  const lines = readFileSync(join(plan.folder, 'effects'), 'utf8').split('\n');
  const line = lines.find((line) => line.endsWith(` ${subject} ${step}`));
  return line === undefined ? undefined : Number(line.split(' ')[0]);
}

async function work(subject, step) {
  reached(`${subject} ${step} begun`);
  await note('effects', subject, `${step}`);
  reached(`${subject} ${step} worked`);
  if (plan.ack_early) await note('acks', subject, `${step} ${plan.life}`);
  return { step, life: plan.life };
}

async function once(s, subject, step) {
  for (;;) {
    const start = await s.begin('once', { key: `once-${step}`, args: { step }, policy: 'once' });
    if (start.state === 'done') return start.result;
    let value;
    if (start.state === 'run') {
      value = await work(subject, step);
    } else {
      reached(`${subject} ${step} unknown`);
      const before = found(subject, step);
      if (before === undefined) {
        await s.finish(start.token, null, { failure: { message: 'it did not happen' } });
        reached(`${subject} ${step} refused`);
        continue;
      }
      value = { step, life: before };
    }
    await s.finish(start.token, value);
    return value;
  }
}

async function session(ws, subject) {
  const s = await ws.session(subject, { resume: true });
  const lives = [];
  for (let step = 0; step < plan.steps; step++) {
    reached(`${subject} ${step} before`);
    const result =
      step % 4 === 3
        ? await once(s, subject, step)
        : await s.step(`step-${step % 3}`, () => work(subject, step), { args: { step } });
    reached(`${subject} ${step} finished`);
    assert.equal(result.step, step);
    lives.push(result.life);
    await note('acks', subject, `${step} ${result.life}`);
    reached(`${subject} ${step} acked`);
  }
  reached(`${subject} end before`);
  await s.complete({ lives });
  reached(`${subject} end finished`);
  await note('acks', subject, 'end -');
  await s.close();
}

async function produce(ws) {
  for (const batch of plan.batches) {
    // The first of each batch soon runs out of attempts.
    const tasks = Array.from({ length: plan.batch_size }, (_, at) => {
      const name = `${batch}-${at}`;
      return { name, key: name, payload: name, maxAttempts: at === 0 ? 2 : 1000 };
    });
    reached(`${batch} - before`);
    const { ids } = await ws.queue.enqueue('q', tasks);
    reached(`${batch} - finished`);
    await note('acks', batch, ids.join(','));
  }
}

async function consume(ws) {
  const worker = await ws.worker('q');
  let taken = 0;
  for (;;) {
    const { tasks } = await worker.next(4, 50);
    if (tasks.length === 0) break;
    const done = [];
    const failed = [];
    for (const task of tasks) {
      assert.equal(task.payload, task.name);
      taken += 1;
      reached(`task ${taken} begun`);
      await note('effects', task.name, `${task.attempt}`);
      reached(`task ${taken} worked`);
      // The second of each batch fails at first.
      (task.name.endsWith('-1') && task.attempt === 1 ? failed : done).push(task);
    }
    const { refused } = await worker.complete(done.map((task) => ({ id: task.id, result: task.attempt })));
    for (const task of done) {
      reached('task finished');
      if (!refused.includes(task.id)) await note('acks', task.name, `${task.attempt}`);
    }
    await worker.fail(failed.map((task) => ({ id: task.id, failure: { message: 'not yet' } })));
  }
  await worker.close();
}

const ws = await open(plan.folder, { store: join(plan.folder, 'store.db') });
console.log('open');
readSync(0, Buffer.alloc(1));
await produce(ws);
await Promise.all([...plan.sessions.map((subject) => session(ws, subject)), consume(ws)]);
await ws.close();
