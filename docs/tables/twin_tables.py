"""What README.md and docs/accuracy.md say of the twin search, from metrics/near_duplicates.json."""

import textwrap

from flowers.base.tables import read_json
from study.repository import ROOT


def _figures():
    return read_json(ROOT / "metrics" / "twins.json")


def _total(shares):
    return sum(shares.values())


def sentence():
    """How good the search is, in a few sentences."""
    real = _figures()["real"]
    shares = {name: _total(found) for name, found in real["found"].items()}
    found = {name: share for name, share in shares.items() if share >= 0.9}
    missed = {name: share for name, share in shares.items() if share < 0.5}
    signals = real["unaltered"].values()
    pairs, seen, wrong = (sum(s[key] for s in signals) for key in ("pairs", "judged", "wrong"))
    text = (
        f"Planted among the real photos, at least {100 * min(found.values()):.0f} % of the copies "
        f"of each of these kinds are found: {', '.join(found)}. Mostly missed (at most "
        f"{100 * max(missed.values()):.0f} % found): {', '.join(missed)}. Of the {pairs} pairs "
        f"that the real photos have themselves, {seen} were looked at; {wrong} were wrong."
    )
    return textwrap.fill(text, 100, break_on_hyphens=False)


def search_table():
    """Recall of each alteration by the signals, on drawn and on real photos."""
    figures = _figures()
    sets = {name: figures[name] for name in ("synthetic", "real")}
    signals = list(figures["thresholds"])
    head = [f"{name}: {part}" for name in sets for part in (*signals, "all")]
    rows = [f"| copies | {' | '.join(head)} |", "|---" * (len(head) + 1) + "|"]
    for alteration in sets["real"]["found"]:
        cells = []
        for result in sets.values():
            found = result["found"][alteration]
            cells += [f"{100 * found.get(s, 0):.0f} %" for s in signals]
            cells.append(f"**{100 * _total(found):.0f} %**")
        rows.append(f"| {alteration} | {' | '.join(cells)} |")
    return "\n".join(rows)


def false_table():
    """Pairs found without a planted copy, and how many of them are wrong."""
    figures = _figures()
    drawn, real = figures["synthetic"], figures["real"]
    rows = [
        "| photos | signal | pairs | looked at | wrong | wrong per 1,000 photos |",
        "|---|---|---|---|---|---|",
        f"| {drawn['photos']} drawn, all distinct | all | {drawn['unaltered']['pairs']} | all "
        f"| {drawn['unaltered']['pairs']} | {drawn['unaltered']['wrong_per_1000_photos']:.1f} |",
    ]
    rows += [
        f"| {real['photos']:,} real | {signal} | {f['pairs']} | {f['judged']} | {f['wrong']} "
        f"| {f['wrong_per_1000_photos']:.1f} |"
        for signal, f in real["unaltered"].items()
    ]
    wrong = {name: figures[name]["wrong_pairs_per_1000_copies"] for name in ("synthetic", "real")}
    return "\n".join(
        [
            *rows,
            "",
            f"Of 1,000 planted copies {wrong['drawn']:.1f} drawn and {wrong['real']:.1f} real ones "
            "are paired with another photo than their own.",
        ]
    )


def rules_table():
    """What each signal does to the accuracy under grouped folds."""
    real = _figures()["real"]
    accuracy = real["accuracy"]
    rows = [
        "| twins kept together | distinct | accuracy | deviation of a fold "
        "| test photos with a twin in train |",
        "|---|---|---|---|---|",
    ]
    rows += [
        f"| {rule} | {f['distinct']:,} | {f['accuracy']:.3f} | {f['deviation_of_folds']:.3f} "
        f"| {100 * f['leakage']:.1f} % |"
        for rule, f in accuracy["rules"].items()
    ]
    told = (
        f"SVM on `hog` and `colour`, all {real['photos']:,} real photos, "
        f"{accuracy['folds']} folds, mean of {accuracy['seeds']} ways to draw "
        "them. A twin is what any signal finds."
    )
    return "\n".join([*rows, "", told])


TABLES = {
    "twins": sentence,
    "twin-search": search_table,
    "twin-false": false_table,
    "twin-rules": rules_table,
}
