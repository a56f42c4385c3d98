"""How risky is the last change of a repository, and why?"""

import sys

import barograph

with barograph.open(sys.argv[1]) as ws:
    risk = ws.risk.change("HEAD~1..HEAD")
    print(f"{risk.change.files} files, +{risk.change.added} -{risk.change.deleted} lines")
    print(f"riskier than {risk.score:.0f} % of the changes before it: {risk.level}")
    for reason in risk.reasons[:3]:
        print(f"  {reason.contribution:+.2f} {reason.sentence}")
    for file in risk.files[:3]:
        print(f"  {100 * file.share:.0f} % of it: {file.path}")
