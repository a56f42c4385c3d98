"""Prints the reports of the four languages as one table, Rust's time taken off."""

import json
import sys

ASKED = {"Python": 60, "Node": 30, "Go": 60}

reports = [json.loads(line) for line in sys.stdin]
rust = next(report for report in reports if report["language"] == "Rust")
print(
    f"Rust alone: info {rust['info_us']:.1f} us, step of 1 KB {rust['step_us']:.1f} us, "
    f"features of {rust['rows']} commits {rust['records_ms']:.1f} ms"
)
print("language   bare call us   info +us   1 KB step +us (10)   columns +ms (10)   records +ms")
for report in reports:
    if report is rust:
        continue
    added = {name: report[name] - rust[name] for name in ("info_us", "step_us", "columns_ms", "records_ms")}
    print(
        f"{report['language']:<10} {report['bare_us']:>12.2f} {added['info_us']:>10.1f} "
        f"{added['step_us']:>20.1f} {added['columns_ms']:>18.1f} "
        f"{added['records_ms']:>8.1f} ({ASKED[report['language']]})"
    )
