import json
import os

import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.scoring.server.service import ROOT


def test_it_is_alive_and_ready(service):
    health, ready = service.get("/health"), service.get("/ready")
    assert (health.status, health.json["state"]) == (200, "alive")
    assert (ready.status, ready.json["state"], ready.json["checks"]) == (
        200,
        "ready",
        {"log": "ok"},
    )


def test_the_version_names_the_model_by_its_bytes(service, candidate, classes):
    body = service.get("/version").json
    card = json.loads((candidate / "card.json").read_text())
    assert body["model_md5"] == card["model"]["md5"]
    assert (body["model_role"], body["model_version"]) == ("candidate", "untagged")
    assert (body["tag"], body["commit"], body["canary"]) == (None, None, None)
    assert body["classes"] == classes


def test_the_drift_report_is_passed_on_with_its_age(service):
    assert service.get("/monitoring/drift").json == {"state": "no report yet", "age_seconds": None}
    report = service.folder / "metrics" / "drift.json"
    report.parent.mkdir()
    report.write_text(json.dumps({"state": "alert", "windows": [1, 2]}))
    os.utime(report, (0, report.stat().st_mtime - 3600))
    try:
        body = service.get("/monitoring/drift").json
        assert 3600 <= body.pop("age_seconds") < 3700
        assert body == {"state": "alert", "windows": [1, 2]}
        report.write_text(json.dumps({"state": "alert", "md5": "0" * 32}))
        assert service.get("/monitoring/drift").json["state"] == "report of another model"
        for damaged in ('{"state": ', "[]", "[" * 100_000):
            report.write_text(damaged)
            assert service.get("/monitoring/drift").json["state"] == "report not readable"
        for make in (os.mkfifo, lambda path: path.symlink_to(path), lambda path: path.mkdir()):
            report.unlink()
            make(report)
            assert service.get("/monitoring/drift").json["state"] == "no report yet"
    finally:
        report.rmdir() if report.is_dir() else report.unlink()
        report.parent.rmdir()


def test_metrics_count_what_happened(service, photo):
    label = service.predict(("a.jpg", photo)).json["predictions"][0]["label"]
    requests = 'flowers_requests_total{endpoint="/predict",status="200"}'
    predictions = (
        f'flowers_predictions_total{{label="{label}",model_version="untagged",role="production"}}'
    )
    rejected = 'flowers_rejected_images_total{reason="truncated"}'
    names = (requests, predictions, rejected)
    before = [service.count(name) for name in names]
    service.predict(("a.jpg", photo), ("b.jpg", photo[:500]))
    after = [service.count(name) for name in names]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1, 1]


def test_metrics_are_what_prometheus_reads(service):
    families = text_string_to_metric_families(service.get("/metrics").body.decode())
    info = {f.name: f for f in families}["flowers_model_info"].samples[0].labels
    assert (info["role"], info["model_version"]) == ("production", "untagged")


def test_the_description_names_every_path_and_is_served_as_it_is(service):
    served = service.get("/openapi.json")
    assert served.json == yaml.safe_load((ROOT / "scoring/server/openapi.yaml").read_text())
    for path, operations in served.json["paths"].items():
        allowed = set(service.call("PUT", path).headers["Allow"].lower().split(", "))
        assert allowed - {"head"} == set(operations)
