// How risky is the last change of a repository, and why?
import { open } from 'barograph';

const ws = await open(process.argv[2]);
const risk = await ws.risk.change('HEAD~1..HEAD');
console.log(`${risk.change.files} files, +${risk.change.added} -${risk.change.deleted} lines`);
console.log(`riskier than ${risk.score.toFixed(0)} % of the changes before it: ${risk.level}`);
for (const reason of risk.reasons.slice(0, 3)) {
  console.log(`  ${reason.contribution < 0 ? '' : '+'}${reason.contribution.toFixed(2)} ${reason.sentence}`);
}
for (const file of risk.files.slice(0, 3)) {
  console.log(`  ${(100 * file.share).toFixed(0)} % of it: ${file.path}`);
}
await ws.close();
