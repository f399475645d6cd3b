"""What the pages say of an answer's time, from serve.json."""

from docs.tables.security import read, table

PARTS = ("read", "features", "model", "log", "http")


def figures():
    return read("serve")


def parts_table():
    """Milliseconds and share of each part of an answer, with two clients; the model's alone."""
    rows = []
    for name, found in figures()["models"].items():
        took = found["parts"]["2"]
        whole = sum(took.values())
        cells = [f"{took[part]:.1f} ({took[part] / whole:.0%})" for part in PARTS]
        rows.append([name, *cells, f"{whole:.1f}", f"{found['parts']['1']['model']:.1f}"])
    heads = ("decode, resize", "features", "model", "log", "HTTP and JSON")
    return table(["ms of an answer, two clients", *heads, "all", "model, one client"], rows)


def clients_table():
    """Answers a second and percentiles, by clients."""
    rows = []
    for name, found in figures()["models"].items():
        for clients, told in found["clients"].items():
            times = [f"{told[key]:.0f}" for key in ("p50_ms", "p95_ms", "p99_ms")]
            rows.append([name, clients, f"{told['answers_a_second']:.0f}", *times])
    return table(["model", "clients", "answers a second", "p50 ms", "p95 ms", "p99 ms"], rows)


def race_table():
    """Sixteen clients: the code before and now, in turn."""
    rows = []
    for name, found in figures()["models"].items():
        if not found["race"]:
            continue
        before, now = found["race"].values()
        rate, cost, p99 = (
            f"{before[key]:.{digits}f} → {now[key]:.{digits}f}"
            for key, digits in (("answers_a_second", 0), ("processor_ms", 1), ("p99_ms", 0))
        )
        times = now["answers_a_second"] / before["answers_a_second"]
        rows.append([name, rate, f"{times:.1f}", cost, p99])
    heads = ("answers a second", "times", "processor ms of an answer", "p99 ms")
    return table(["16 clients, before → now", *heads], rows)


TABLES = {"parts": parts_table, "clients": clients_table, "together": race_table}
