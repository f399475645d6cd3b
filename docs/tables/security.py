"""Write the tables of docs/security.md and of two decisions from attack.json, between markers."""

import json
import re

from benchmarks.attack_photos import MAX_MB, MAX_SECONDS
from study.repository import ROOT

PAGES = [
    ROOT / "docs" / name
    for name in ("security.md", "decisions/server.md", "decisions/model-format.md")
]


def read(name):
    return json.loads((ROOT / "benchmarks" / f"{name}.json").read_text())


def table(header, rows):
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def times(found):
    return f"p50 {found['p50_ms']} ms, p99 {found['p99_ms']} ms"


def attack():
    """What each attack did to the others."""
    found = read("attack")
    ours, heavy = found["waitress under gunicorn"], found["heavy"]
    slow = next(key for key in ours if key.startswith("/health"))
    few, many = found["impatient"]
    photos = found["photos"]
    slowest = max(photos, key=lambda name: photos[name]["seconds"])
    largest = max(photos, key=lambda name: photos[name]["mb"])
    none, all_ = found["canary"].values()
    rows = [
        (f"{slow.split(' ', 2)[2]} and silent connections", "`/health`", times(ours[slow])),
        (
            "two clients that send eight photos of up to 25 MP at a time",
            "one client with small photos",
            f"{times(heavy['beside heavy photos'])}; alone {times(heavy['alone'])}",
        ),
        (
            f"{many} clients without a pause",
            "answers a second",
            f"{found['impatient'][many]}; with {few} clients {found['impatient'][few]}",
        ),
        ("master killed", "its port is free", f"after {found['port_free_s']} s"),
        (
            f"{len(photos)} hostile photos below 20 MB",
            f"most time, at most {MAX_SECONDS} s",
            f"{photos[slowest]['seconds']} s ({slowest})",
        ),
        ("", f"most memory, at most {MAX_MB} MB", f"{photos[largest]['mb']:.0f} MB ({largest})"),
        (
            "a canary that sees every photo",
            "four clients",
            f"{times(all_)}; without it {times(none)}",
        ),
    ]
    said = f"On {found['processors']} processors, shared with other work."
    return "\n\n".join([table(("attack", "on", "measured"), rows), said])


def servers():
    """Two servers under the same clients."""
    found = read("attack")
    names = ("gunicorn gthread", "waitress under gunicorn")
    rows = []
    for key in found[names[0]]:
        cells = [times(found[name][key]) for name in names]
        for i, name in enumerate(names):
            one = found[name][key]
            cells[i] += f", {one['lost']} lost" if "lost" in one else f", {one['answers']} answers"
        rows.append((key, *cells))
    return table(("", *names), rows)


def formats():
    """joblib beside skops."""
    found = read("model_format")
    rows = [
        (label, found["joblib"][key], found["skops"][key])
        for label, key in {
            "MB": "mb",
            "load, s": "load_s",
            "import all that loads, s": "import_s",
        }.items()
    ]
    same = [
        "the same" if found[name]["same_bytes_twice"] else "others" for name in ("joblib", "skops")
    ]
    return table(("", "joblib", "skops"), [*rows, ("bytes when written twice", *same)])


TABLES = {"attack": attack, "servers": servers, "formats": formats}


def rendered(text):
    """`text` with the tables between its markers written anew."""
    for name, make in TABLES.items():
        pattern = rf"(<!-- {name}:begin -->\n).*?(<!-- {name}:end -->)"
        text = re.sub(pattern, lambda m, t=make: f"{m[1]}{t()}\n{m[2]}", text, flags=re.DOTALL)
    return text


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(rendered(page.read_text()))
