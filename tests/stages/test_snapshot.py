import json
import os
import shutil

import numpy as np
import pytest

from flowers.log.record import UNKNOWN
from stages import snapshot
from tests.stages.log_files import (
    format_time,
    make_feedback,
    make_predictions,
    read_card,
    read_figures,
    write_records,
)


@pytest.fixture
def take(workdir, monkeypatch):
    """Write records and run the stage; returns the rows and the figures."""
    monkeypatch.chdir(workdir.path)

    def run(records=(), **params):
        write_records(workdir, records)
        snapshot.main({"limit": 100_000} | params)
        return np.load(workdir.path / "monitoring/snapshot/predictions.npy"), read_figures(
            workdir, "snapshot"
        )

    return run


def format_times(rows):
    return [f"{time}+00:00" for time in rows["time"]]


def test_without_a_log_the_snapshot_is_empty(finished_run):
    rows = np.load(finished_run.path / "monitoring/snapshot/predictions.npy")
    counts = read_figures(finished_run, "snapshot")
    assert len(rows) == counts["predictions"] == counts["torn"] == counts["days"] == 0
    assert rows["probabilities"].shape == (0, 5)
    assert counts["model_version"] == "untagged"
    assert counts["md5"] == read_card(finished_run)["model"]["md5"]


def test_rows_are_the_records_in_the_order_of_time(workdir, take):
    records = make_predictions(workdir, 30)
    rows, counts = take(records[::-1])
    reverse_order = (workdir.path / "monitoring/snapshot/predictions.npy").read_bytes()
    shutil.rmtree(workdir.path / "logs")
    take(records)
    assert (workdir.path / "monitoring/snapshot/predictions.npy").read_bytes() == reverse_order
    assert counts["predictions"] == len(rows) == 30
    assert format_times(rows) == [record["time"] for record in records]
    classes = read_card(workdir)["classes"]
    for row, record in zip(rows, records, strict=True):
        expected = [record["probabilities"][c] for c in classes]
        assert row["probabilities"] == pytest.approx(expected, abs=1e-6)
        assert row["image"][6] == pytest.approx(record["image"]["brightness"])
    assert np.all(rows["truth"] == UNKNOWN)


def test_labels_are_joined_by_request_and_index_and_the_last_label_counts(workdir, take):
    second = {"index": 1, "time": format_time(5.5), "photo_sha256": "ab" * 32}
    labels = [
        make_feedback(2, "Tulip"),
        make_feedback(2, "Lotus", 20_000),  # in the file of a later day
        make_feedback(5, "Orchid", index=1),
        make_feedback(3, "Rose"),
        make_feedback(77, "Lilly"),
    ]
    predictions = make_predictions(workdir, 8) + make_predictions(workdir, 1, 5, **second)
    rows, counts = take(predictions + labels)
    classes = read_card(workdir)["classes"]
    labelled = {i: classes[code] for i, code in enumerate(rows["truth"]) if code != UNKNOWN}
    assert labelled == {2: "Lotus", 6: "Orchid"}
    assert counts["labels"] == 5
    assert counts["labels_replaced"] == counts["labels_of_unknown_class"] == 1
    assert counts["labels_without_prediction"] == 1


def test_predictions_of_other_models_and_of_the_canary_are_only_counted(workdir, take):
    records = make_predictions(workdir, 10)
    records += make_predictions(workdir, 4, 100, model_md5="0" * 32, model_version="v0.1.0")
    records += make_predictions(workdir, 3, 200, role="canary")
    _, counts = take([*records, make_feedback(101, "Tulip")])
    assert (counts["predictions"], counts["other_model"], counts["canary"]) == (10, 4, 3)
    assert counts["labels_without_prediction"] == 0


def test_unusable_lines_and_files_are_counted_by_reason(workdir, take):
    good = make_predictions(workdir, 5)
    record = good[0] | {"request_id": "x"}
    late = {"time": "2999-01-01T00:00:00.000000+00:00"}
    malformed = [
        {"index": 10**28},
        {"index": -1},
        {"probabilities": {"Rose": 1.0}},
        {"probabilities": None},
        {"image": {}},
        {"image": good[0]["image"] | {"brightness": None}},
        {"time": "2026-01-01T10:00:00"},
        {"time": 7},
        {"role": None, "kind": "feedback"},
        {"typicality": None},
        {"photo_sha256": 7},
        {"photo_sha256": "no hex"},
    ]
    others = [{"typicality": 1e300}, {"image": record["image"] | {"brightness": 1e300}}, late, late]
    others += [{"kind": kind} for kind in ("ping", 7, [], None)]
    line = json.dumps(record)
    lines = [line[:-9].encode(), b"\xff\xfe", b"[1]", b"[" * 100_000]
    lines += [json.dumps(record | members).encode() for members in malformed + others]
    lines.append(json.dumps(make_feedback(1, "Tulip") | late).encode())
    brightness = f'"brightness": {record["image"]["brightness"]}'
    for number in ("Infinity", "NaN", "-1e999"):
        lines.append(line.replace(brightness, f'"brightness": {number}').encode())
    lines.append(line.replace(": 0.", ': NaN, "x": 0.', 1).encode())
    (workdir.path / "logs").mkdir()
    (workdir.path / "logs/2026-01-01.jsonl").write_bytes(b"\n\n".join(lines) + b"\n")
    (workdir.path / "logs/2026-02-01.jsonl").mkdir()
    (workdir.path / "logs/2026-02-02.jsonl").symlink_to("/dev/zero")
    os.mkfifo(workdir.path / "logs/2026-02-03.jsonl")
    rows, counts = take(good)
    assert len(rows) == counts["predictions"] == 5 and np.all(rows["truth"] == UNKNOWN)
    names = ("torn", "malformed", "not_finite", "in_the_future", "unknown_kind", "days_unreadable")
    assert [counts[name] for name in names] == [4, len(malformed), 6, 3, 4, 3]


def test_records_of_a_clock_ahead_are_in_the_future_after_the_clock_is_set_back(workdir, take):
    good = make_predictions(workdir, 5)
    late = good[0] | {"time": "2100-01-01T00:00:00.000000+00:00", "request_id": "late"}
    write_records(workdir, [*good, late])
    for path in (workdir.path / "logs").iterdir():
        os.utime(path, (2**32, 2**32))  # in the year 2106
    rows, counts = take()
    assert (len(rows), counts["in_the_future"]) == (5, 1)


def test_duplicates_and_repeats_count_once_and_the_image_keeps_any_label(workdir, take):
    first = make_predictions(workdir, 4)
    again = [r | {"request_id": f"a{i}", "time": format_time(99 + i)} for i, r in enumerate(first)]
    again[0]["image"] = first[0]["image"] | {"brightness": 0.123}  # equal bytes only
    again[1]["photo_sha256"] = "ab" * 32  # an equal prediction only
    again[3]["photo_sha256"] = "cd" * 32  # neither
    again[3]["image"] = first[3]["image"] | {"brightness": 0.321}
    label = make_feedback(0, "Tulip") | {"request_id": "a1"}
    same_request = [first[0] | {"index": index} for index in range(1, 8)]
    rows, counts = take([*first, *again, *same_request, *first[:2], label])
    assert (counts["predictions"], counts["duplicates"]) == (15, 2)
    assert (counts["repeats"], len(rows)) == (10, 5)
    assert format_times(rows)[:4] == [r["time"] for r in first]
    tulip = read_card(workdir)["classes"].index("Tulip")
    assert rows["truth"].tolist() == [UNKNOWN, tulip, UNKNOWN, UNKNOWN, UNKNOWN]


def test_records_of_earlier_versions_without_later_members_count(workdir, take):
    records = make_predictions(workdir, 5)
    for record in records:
        del record["photo_sha256"], record["image"]["sharpness"], record["typicality"]
    again = records[2] | {"request_id": "again", "time": format_time(50)}
    rows, counts = take([*records, again])
    assert (len(rows), counts["repeats"]) == (5, 1)
    assert np.isnan(rows["image"][:, -1]).all() and np.isnan(rows["typicality"]).all()
    assert np.isfinite(rows["image"][:, :-1]).all()


def test_older_days_are_not_read_and_labels_of_their_predictions_are_counted(workdir, take):
    records = make_predictions(workdir, 3 * 1440)
    labels = [make_feedback(0, "Tulip", 4000), make_feedback(3 * 1440 - 1, "Tulip", 4300)]
    rows, counts = take([*records, *labels], limit=100)
    assert (counts["days"], counts["days_read"], len(rows)) == (3, 1, 100)
    assert format_times(rows)[-1] == records[-1]["time"]
    assert (counts["labels_of_unread_days"], counts["labels_without_prediction"]) == (1, 0)
    rows, counts = take(limit=1500)
    assert (counts["days_read"], len(rows)) == (2, 1500)
    _, counts = take([make_feedback(9999, "Tulip", 4301)])
    assert (counts["labels_of_unread_days"], counts["labels_without_prediction"]) == (0, 1)


def test_the_reference_set_of_a_promoted_model_is_copied_and_named_if_it_is_missing(workdir, take):
    production = workdir.path / "models/production"
    shutil.copytree(workdir.path / "models/candidate", production)
    (production / "provenance.json").write_text(json.dumps({"version": "v1.2.0"}))
    text = (production / "card.json").read_text()
    (production / "card.json").write_text(
        text.replace(read_card(workdir)["model"]["md5"], "f" * 32)
    )
    reference = production / "reference.csv"
    reference.write_text("\n".join(reference.read_text().splitlines()[:9]) + "\n")
    records = make_predictions(workdir, 4, model_md5="f" * 32) + make_predictions(workdir, 3, 9)
    _, counts = take(records)
    assert (counts["model_version"], counts["md5"]) == ("v1.2.0", "f" * 32)
    assert (counts["predictions"], counts["other_model"]) == (4, 3)
    assert (
        workdir.path / "monitoring/snapshot/reference.csv"
    ).read_bytes() == reference.read_bytes()
    reference.unlink()
    assert "models/production/reference.csv" in workdir.expect_refusal("snapshot")


def test_model_and_log_are_those_of_the_scorer(workdir, take, monkeypatch, tmp_path):
    write_records(workdir, make_predictions(workdir, 7), tmp_path / "elsewhere")
    shutil.move(workdir.path / "models/candidate", tmp_path / "model")
    monkeypatch.setenv("MODEL_DIR", str(tmp_path / "model"))
    monkeypatch.setenv("LOG_DIR", str(tmp_path / "elsewhere"))
    snapshot.main({"limit": 100_000})
    assert read_figures(workdir, "snapshot")["predictions"] == 7


def test_a_file_in_the_place_of_the_log_is_refused(workdir, monkeypatch):
    monkeypatch.setenv("LOG_DIR", "params.yaml")
    assert "LOG_DIR=params.yaml is not a folder" in workdir.expect_refusal("snapshot")
