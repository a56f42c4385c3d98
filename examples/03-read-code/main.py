"""Where is a repository complex, where does it change, and which commits had to be fixed?"""

import sys

import barograph

with barograph.open(sys.argv[1]) as ws:
    metrics = ws.code.metrics()
    functions = [(file.path, function) for file in metrics.files for function in file.functions]
    print(f"{len(metrics.files)} files, {len(functions)} functions")
    # Files and their functions come in order; among equals it is kept.
    functions.sort(key=lambda place: -place[1].cognitive)
    for path, function in functions[:3]:
        print(f"  cognitive complexity {function.cognitive}: {function.qualified} ({path}:{function.line})")
    print("complex, and often changed:")
    for spot in ws.git.hotspots().files[:3]:
        print(f"  {spot.score:.2f} {spot.path}: {spot.commits} commits, {spot.trend}")
    fixed = ws.git.szz()
    print(f"{fixed.fixes} fixes lead back to {len({row.inducing for row in fixed.rows})} commits")
