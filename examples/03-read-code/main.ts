// Where is a repository complex, where does it change, and which commits had to be fixed?
import { open } from 'barograph';

const ws = await open(process.argv[2]);
const metrics = await ws.code.metrics();
const functions = metrics.files.flatMap((file) => file.functions.map((f) => ({ ...f, path: file.path })));
console.log(`${metrics.files.length} files, ${functions.length} functions`);
// Files and their functions come in order, and sorting keeps it among equals.
functions.sort((a, b) => b.cognitive - a.cognitive);
for (const f of functions.slice(0, 3)) {
  console.log(`  cognitive complexity ${f.cognitive}: ${f.qualified} (${f.path}:${f.line})`);
}
console.log('complex, and often changed:');
for (const spot of (await ws.git.hotspots()).files.slice(0, 3)) {
  console.log(`  ${spot.score.toFixed(2)} ${spot.path}: ${spot.commits} commits, ${spot.trend}`);
}
const fixed = await ws.git.szz();
console.log(`${fixed.fixes} fixes lead back to ${new Set(fixed.rows.map((row) => row.inducing)).size} commits`);
await ws.close();
