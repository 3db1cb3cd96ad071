"""Joins addresses by comparing every pair, as one would write it in Python: for identity_clusters.ts.

Reads a JSON list of addresses from stdin; prints the seconds that comparing took and how many groups there are.
"""
import json
import sys
import time


def jaccard(one, other):
    return len(one & other) / len(one | other) if one and other else 0.0


def weight(a, b):
    if a["ja3"] is not None and a["ja3"] == b["ja3"]:
        high = 1.0
    elif a["hassh"] is not None and a["hassh"] == b["hassh"]:
        high = 1.0
    elif a["ja3"] is not None and b["ja3"] is not None:
        high = 0.0
    elif a["hassh"] is not None and b["hassh"] is not None:
        high = 0.0
    elif a["payload_hashes"] & b["payload_hashes"] or a["c2_endpoints"] & b["c2_endpoints"]:
        high = 1.0
    else:
        high = 0.0
    medium = max(
        (
            jaccard(commands, b["commands_by_phase"][phase])
            for phase, commands in a["commands_by_phase"].items()
            if phase in b["commands_by_phase"]
        ),
        default=0.0,
    )
    low = jaccard(a["credentials"], b["credentials"])
    very_low = 1.0 if a["asn"] is not None and a["asn"] == b["asn"] else 0.0
    return 1.0 * high + 0.6 * medium + 0.2 * low + 0.05 * very_low


def find(parent, at):
    while parent[at] != at:
        parent[at] = parent[parent[at]]
        at = parent[at]
    return at


rows = json.load(sys.stdin)
for row in rows:
    for name in ("payload_hashes", "c2_endpoints", "credentials"):
        row[name] = set(row[name])
    row["commands_by_phase"] = {k: set(v) for k, v in row["commands_by_phase"].items()}
started = time.perf_counter()
parent = list(range(len(rows)))
for i, a in enumerate(rows):
    for j in range(i + 1, len(rows)):
        if weight(a, rows[j]) >= 1.0:
            parent[find(parent, j)] = find(parent, i)
groups = len({find(parent, at) for at in range(len(rows))})
print(json.dumps({"seconds": time.perf_counter() - started, "groups": groups}))
