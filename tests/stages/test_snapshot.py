import json
import os
import shutil

import numpy as np
import pytest

from flowers.log.record import UNKNOWN
from stages import snapshot
from tests.stages.log_files import card, feedback, figures, predictions, when, write


@pytest.fixture
def taken(workdir, monkeypatch):
    """Writes records, runs the stage; gives its rows and its figures."""
    monkeypatch.chdir(workdir.path)

    def run(records=(), **params):
        write(workdir, records)
        snapshot.main({"limit": 100_000} | params)
        return np.load(workdir.path / "data/snapshot.npy"), figures(workdir, "snapshot")

    return run


def test_no_log_is_an_empty_snapshot(finished_run):
    rows, told = np.load(finished_run.path / "data/snapshot.npy"), figures(finished_run, "snapshot")
    assert len(rows) == told["predictions"] == told["torn"] == told["days"] == 0
    assert rows["probabilities"].shape == (0, 5)
    assert (told["model_version"], told["md5"]) == ("untagged", card(finished_run)["model"]["md5"])


def test_rows_are_the_records_in_the_order_of_time(workdir, taken):
    records = predictions(workdir, 30)
    rows, told = taken(records[::-1])
    assert told["predictions"] == len(rows) == 30
    assert np.all(np.diff(rows["time"]) == np.timedelta64(1, "m"))
    classes = card(workdir)["classes"]
    for row, record in zip(rows, records, strict=True):
        assert str(row["time"]) + "+00:00" == record["time"]
        expected = [record["probabilities"][c] for c in classes]
        assert row["probabilities"] == pytest.approx(expected, abs=1e-6)
        assert row["image"][6] == pytest.approx(record["image"]["brightness"])
    assert np.all(rows["truth"] == UNKNOWN)


def test_the_same_records_in_another_order_give_the_same_bytes(workdir, taken):
    records = [*predictions(workdir, 40), feedback(3, "Tulip")]
    taken(records)
    before = (workdir.path / "data/snapshot.npy").read_bytes()
    shutil.rmtree(workdir.path / "logs")
    taken(records[::-1])
    assert (workdir.path / "data/snapshot.npy").read_bytes() == before


def test_labels_find_their_answer_by_request_and_index_and_the_last_one_wins(workdir, taken):
    second = predictions(workdir, 1, first=5, index=1, time=when(5.5), photo_sha256="ab" * 32)
    told_of = [
        *(feedback(2, "Tulip"), feedback(2, "Lotus"), feedback(5, "Orchid", index=1)),
        *(feedback(3, "Rose"), feedback(77, "Lilly")),
    ]
    rows, told = taken([*predictions(workdir, 8), *second, *told_of])
    classes = card(workdir)["classes"]
    known = {i: classes[code] for i, code in enumerate(rows["truth"]) if code != UNKNOWN}
    assert known == {2: "Lotus", 6: "Orchid"}
    assert told["labels"] == 5
    assert told["labels_replaced"] == told["labels_of_unknown_class"] == 1
    assert told["labels_without_prediction"] == 1


def test_a_label_of_a_later_day_counts_and_wins(workdir, taken):
    records = [*predictions(workdir, 3), feedback(1, "Lilly", 5), feedback(1, "Tulip", 5000)]
    rows, told = taken(records)
    assert card(workdir)["classes"][rows["truth"][1]] == "Tulip"
    assert told["labels_replaced"] == 1


def test_answers_of_other_models_and_of_the_canary_are_counted_and_left_out(workdir, taken):
    records = predictions(workdir, 10)
    records += predictions(workdir, 4, first=100, model_md5="0" * 32, model_version="v0.1.0")
    records += predictions(workdir, 3, first=200, role="canary")
    _, told = taken([*records, feedback(101, "Tulip")])
    assert (told["predictions"], told["other_model"], told["canary"]) == (10, 4, 3)
    assert told["labels_without_prediction"] == 0


def test_what_is_no_whole_record_is_counted_and_costs_nothing_else(workdir, taken):
    good = predictions(workdir, 5)
    line = json.dumps(good[0])
    bad = [
        *({"probabilities": {"Rose": 1.0}}, {"probabilities": None}, {"image": {}}),
        *({"time": "2026-01-01T10:00:00"}, {"time": 7}, {"role": None, "kind": "feedback"}),
        {"image": good[0]["image"] | {"brightness": None}},
        *({"photo_sha256": 7}, {"photo_sha256": "no hex"}),
    ]
    (workdir.path / "logs").mkdir()
    with (workdir.path / "logs/2026-01-01.jsonl").open("wb") as file:
        for torn in (line[:-9].encode(), b"\xff\xfe", b"[1]", b"[" * 100_000):
            file.write(torn + b"\n\n")
        for facts in bad:
            file.write(json.dumps(good[0] | facts).encode() + b"\n")
        file.write(line.replace(": 0.", ': NaN, "x": 0.', 1).encode() + b"\n")
    rows, told = taken(good)
    assert len(rows) == 5
    assert (told["torn"], told["malformed"], told["not_finite"]) == (4, len(bad), 1)


def test_an_answer_that_is_logged_twice_counts_once(workdir, taken):
    records = predictions(workdir, 6)
    rows, told = taken(records + records[:2])
    assert (len(rows), told["duplicates"], told["repeats"]) == (6, 2, 0)


def test_a_photo_that_comes_again_counts_once_and_keeps_a_label_that_any_of_them_has(
    workdir, taken
):
    first = predictions(workdir, 4)
    again = [r | {"request_id": f"a{i}", "time": when(100 + i)} for i, r in enumerate(first[:3])]
    bytes_alone = {"image": first[0]["image"] | {"brightness": 0.123}}
    answers_alone = {"photo_sha256": "ab" * 32}
    again[0] |= bytes_alone
    again[1] |= answers_alone
    other = first[3] | {"request_id": "b", "photo_sha256": "cd" * 32}
    other["image"] = first[3]["image"] | {"brightness": 0.321}
    label = feedback(0, "Tulip") | {"request_id": "a1"}
    rows, told = taken([*first, *again, other, label])
    assert (told["predictions"], told["repeats"], len(rows)) == (8, 3, 5)
    assert [str(row["time"]) + "+00:00" for row in rows[:4]] == [r["time"] for r in first]
    assert rows["truth"].tolist() == [-1, card(workdir)["classes"].index("Tulip"), -1, -1, -1]


def test_photos_of_one_request_count_once_per_picture(workdir, taken):
    one = predictions(workdir, 1)[0]
    rows, told = taken([one | {"index": index} for index in range(8)])
    assert (len(rows), told["predictions"], told["repeats"]) == (1, 8, 7)


def test_records_of_old_without_sharpness_and_digest_still_count(workdir, taken):
    records = predictions(workdir, 5)
    for record in records:
        del record["photo_sha256"], record["image"]["sharpness"]
    rows, told = taken([*records, records[2] | {"request_id": "again", "time": when(50)}])
    assert (len(rows), told["repeats"]) == (5, 1)
    assert np.isnan(rows["image"][:, -1]).all() and np.isfinite(rows["image"][:, :-1]).all()


def test_what_a_clock_that_was_ahead_has_logged_is_in_the_future_once_it_is_set_back(
    workdir, taken
):
    good = predictions(workdir, 5)
    late = good[0] | {"time": "2100-01-01T00:00:00.000000+00:00", "request_id": "late"}
    write(workdir, [*good, late])
    for path in (workdir.path / "logs").iterdir():
        os.utime(path, (2**32, 2**32))  # in the year 2106
    rows, told = taken()
    assert (len(rows), told["in_the_future"]) == (5, 1)


def test_what_cannot_be_right_is_counted_under_its_own_name(workdir, taken):
    good = predictions(workdir, 5)
    one = good[0] | {"request_id": "x"}
    huge = {"image": one["image"] | {"brightness": 1e300}}
    late = [
        one | {"time": "2999-01-01T00:00:00.000000+00:00", "request_id": f"y{i}"} for i in (1, 2)
    ]
    late.append(feedback(1, "Tulip") | {"time": late[0]["time"]})
    (workdir.path / "logs/2026-02-01.jsonl").mkdir(parents=True)
    write(
        workdir,
        [*good, one | huge, *late, *(one | {"kind": kind} for kind in ("ping", 7, [], None))],
    )
    with (workdir.path / "logs/2026-01-01.jsonl").open("a") as file:
        for word in ("Infinity", "NaN", "-1e999"):
            line = json.dumps(one).replace(
                f'"brightness": {one["image"]["brightness"]}', f'"brightness": {word}'
            )
            file.write(line + "\n")
    rows, told = taken()
    assert len(rows) == told["predictions"] == 5 and np.all(rows["truth"] == UNKNOWN)
    names = ("not_finite", "in_the_future", "unknown_kind", "days_unreadable", "malformed", "torn")
    assert [told[name] for name in names] == [4, 3, 4, 1, 0, 0]


def test_a_pipe_or_a_device_in_the_log_is_no_day_that_can_be_read(workdir, taken):
    records = predictions(workdir, 3)
    (workdir.path / "logs").mkdir(exist_ok=True)
    (workdir.path / "logs/2026-02-01.jsonl").symlink_to("/dev/zero")
    os.mkfifo(workdir.path / "logs/2026-02-02.jsonl")
    rows, told = taken(records)
    assert (len(rows), told["days_unreadable"]) == (3, 2)


def test_a_label_of_a_prediction_in_unread_days_is_not_called_lost(workdir, taken):
    records = predictions(workdir, 3 * 1440)
    labels = [feedback(0, "Tulip", 4000), feedback(3 * 1440 - 1, "Tulip", 4300)]
    rows, told = taken([*records, *labels], limit=100)
    assert (told["labels_of_unread_days"], told["labels_without_prediction"]) == (1, 0)
    rows, told = taken([feedback(9999, "Tulip", 4301)])
    assert (told["labels_of_unread_days"], told["labels_without_prediction"]) == (0, 1)


def test_only_the_newest_are_kept_and_older_days_are_not_read(workdir, taken):
    records = predictions(workdir, 3 * 1440)
    rows, told = taken(records, limit=100)
    assert (told["days"], told["days_read"], len(rows)) == (3, 1, 100)
    assert str(rows["time"][-1]) + "+00:00" == records[-1]["time"]
    rows, told = taken(limit=1500)
    assert (told["days_read"], len(rows)) == (2, 1500)


def test_a_promoted_model_brings_its_own_reference(workdir, taken):
    production = workdir.path / "models/production"
    shutil.copytree(workdir.path / "models/candidate", production)
    (production / "provenance.json").write_text(json.dumps({"version": "v1.2.0"}))
    text = (production / "card.json").read_text()
    (production / "card.json").write_text(text.replace(card(workdir)["model"]["md5"], "f" * 32))
    reference = production / "reference.csv"
    reference.write_text("\n".join(reference.read_text().splitlines()[:9]) + "\n")
    _, told = taken(predictions(workdir, 4, model_md5="f" * 32) + predictions(workdir, 3, first=9))
    assert (told["model_version"], told["md5"]) == ("v1.2.0", "f" * 32)
    assert (told["predictions"], told["other_model"]) == (4, 3)
    assert (workdir.path / "data/reference.csv").read_bytes() == reference.read_bytes()


def test_a_promoted_model_without_a_reference_is_named_with_its_remedy(workdir):
    shutil.copytree(workdir.path / "models/candidate", workdir.path / "models/production")
    (workdir.path / "models/production/reference.csv").unlink()
    assert "models/production/reference.csv" in workdir.expect_refusal("snapshot")


def test_model_and_log_are_those_of_the_scorer(workdir, taken, monkeypatch, tmp_path):
    write(workdir, predictions(workdir, 7), tmp_path / "elsewhere")
    shutil.move(workdir.path / "models/candidate", tmp_path / "model")
    monkeypatch.setenv("MODEL_DIR", str(tmp_path / "model"))
    monkeypatch.setenv("LOG_DIR", str(tmp_path / "elsewhere"))
    snapshot.main({"limit": 100_000})
    assert figures(workdir, "snapshot")["predictions"] == 7
