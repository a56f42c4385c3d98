// The same package through `require`, with its types for CommonJS.
import assert = require('node:assert/strict');
import { test } from 'node:test';

import barograph = require('barograph');

test('a CommonJS program opens a workspace', async () => {
  const ws: barograph.Workspace = await barograph.open({ inMemory: true });
  const info: barograph.WorkspaceInfo = await ws.info();
  assert.equal(info.durability, 'none');
  await ws.close();
  await assert.rejects(ws.info(), barograph.ClosedError);
});
