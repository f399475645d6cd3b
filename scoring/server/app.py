"""The Flask application: routes, statuses and headers."""

import json
import re
import time
import uuid
from pathlib import Path

import yaml
from flask import Flask, current_app, g, request, send_from_directory
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from flowers.base.tables import read_json
from flowers.log import record
from scoring.answers import describe_model
from scoring.server.guard import StrictRequest, refuse_cross_origin
from scoring.server.problems import Problem, register_handlers
from scoring.server.scorer import Scorer
from scoring.server.settings import DRIFT_REPORT, read_settings

HERE = Path(__file__).parent
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
POLICY = "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
# Parts of a form that are not images.
OTHER_PARTS = 8
# The longest label has some hundreds. JSON becomes objects of thirty times its size, and other
# requests wait for the interpreter meanwhile.
MAX_LABEL_BYTES = 16_384


def create_app(settings=None):
    """Create the application with its model loaded and checked.

    Parameters
    ----------
    settings : Settings, optional
        Those of the environment if not given.

    Raises
    ------
    BadInput
        If a setting is wrong, the log cannot be written or there is no model to serve.
    """
    settings = read_settings() if settings is None else settings
    app = Flask(__name__, static_folder="page", static_url_path="/static", template_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=int(settings.max_upload_mb * 1e6),
        MAX_FILES=settings.max_files,
        MAX_FORM_PARTS=settings.max_files + OTHER_PARTS,
        TRUSTED_HOSTS=settings.hosts,
    )
    app.request_class = StrictRequest
    app.json.sort_keys = False  # classes stay in the order of the model
    app.extensions["scorer"] = Scorer(settings)
    app.extensions["openapi"] = yaml.safe_load((HERE / "openapi.yaml").read_text())
    register_handlers(app)
    app.before_request(_begin)
    app.after_request(_end)
    for rule, method, view in ROUTES:
        app.add_url_rule(rule, view_func=view, methods=[method], provide_automatic_options=False)
    return app


def _begin():
    g.start = time.perf_counter()
    wanted = request.headers.get("X-Request-Id", "")
    g.request_id = wanted if REQUEST_ID.fullmatch(wanted) else str(uuid.uuid4())
    refuse_cross_origin()


def _end(response):
    endpoint, metrics = request.endpoint or "none", _get_scorer().metrics
    metrics.requests.labels(endpoint, response.status_code).inc()
    metrics.latency.labels(endpoint).observe(time.perf_counter() - g.start)
    if response.direct_passthrough:  # no file stays open for a client that does not read
        response.direct_passthrough = False
        response.get_data()
    response.headers["X-Request-Id"] = g.request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = POLICY
    return response


def _get_scorer():
    return current_app.extensions["scorer"]


def predict():
    if request.mimetype != "multipart/form-data":
        raise Problem(415, "send the images as multipart/form-data, each as a part named file")
    body_bytes = request.content_length or 0
    result = _get_scorer().predict(g.request_id, body_bytes, _read_images)
    g.request_id, predictor, predictions = result
    model = describe_model(predictor)
    return {"request_id": g.request_id, **model, "predictions": predictions}


def _read_images():
    try:
        parts = request.files.getlist("file")
    except ValueError as error:
        raise Problem(
            400,
            f"the form cannot be read ({error}): send multipart/form-data with a boundary, and "
            "names in UTF-8",
        ) from error
    images, limit = [(p.filename, p.read()) for p in parts if p.filename], _get_limit()
    if not images:
        raise Problem(400, "no image: send at least one as a part named file, with a file name")
    if len(images) > limit:
        raise Problem(413, f"{len(images)} images: send at most {limit} at a time")
    return images


def _get_limit():
    return current_app.config["MAX_FILES"]


def feedback():
    if (request.content_length or 0) > MAX_LABEL_BYTES:
        raise Problem(413, f"a label may have {MAX_LABEL_BYTES} bytes")
    if not request.is_json:
        raise Problem(415, "send an object as application/json")
    try:
        body = json.loads(request.get_data())
    except (ValueError, RecursionError) as error:
        raise Problem(400, f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise Problem(422, "send an object with request_id and true_label")
    scorer = _get_scorer()
    request_id, label, index = body.get("request_id"), body.get("true_label"), body.get("index", 0)
    if not (isinstance(request_id, str) and REQUEST_ID.fullmatch(request_id)):
        raise Problem(422, "request_id must be that of a prediction")
    if label not in scorer.predictor.classes:
        raise Problem(422, f"true_label must be one of {', '.join(scorer.predictor.classes)}")
    if type(index) is not int or not 0 <= index < _get_limit():
        raise Problem(422, "index must be the position of the image in its request, from 0")
    entry = record.build_feedback_record(request_id, index, label)
    scorer.write([entry])
    scorer.metrics.feedback.labels(label).inc()
    # The log is not read here, so an id that was never used is recorded as well; the join of
    # predictions and labels drops it. That is what 202 allows for.
    return {"state": "recorded"} | {k: entry[k] for k in ("request_id", "index", "true_label")}, 202


def health():
    return {"state": "alive"} | _describe_running()


def ready():
    checks = {"log": _get_scorer().check_log()}
    if checks["log"] != "ok":
        raise Problem(503, f"log: {checks['log']}", checks=checks)
    return {"state": "ready", "checks": checks} | _describe_running()


def _describe_running():
    scorer = _get_scorer()
    times = {"started": scorer.started, "loaded_at": scorer.loaded_at}
    return _describe_provenance(scorer.predictor) | times


def _describe_provenance(predictor):
    return describe_model(predictor) | {
        "model_md5": predictor.md5,
        "tag": predictor.provenance.get("tag"),
        "commit": predictor.provenance.get("commit"),
    }


def version():
    predictor, canary = _get_scorer().predictor, _get_scorer().canary
    state = {"ratio": canary.ratio, "state": canary.state}
    if canary.predictor:
        state |= _describe_provenance(canary.predictor)
    return _describe_running() | {
        "classes": predictor.classes,
        "libraries": predictor.card["versions"],
        "canary": None if canary.state == "none" else state,
    }


def drift():
    age, report = None, None
    try:
        age = round(max(0.0, time.time() - DRIFT_REPORT.stat().st_mtime), 1)
        if DRIFT_REPORT.is_file():  # opening a pipe would wait for its writer
            report = read_json(DRIFT_REPORT)
    except FileNotFoundError:
        return {"state": "no report yet", "age_seconds": None}
    except (OSError, ValueError, RecursionError):
        pass
    md5 = _get_scorer().predictor.md5
    if not isinstance(report, dict):
        report = {"state": "report not readable"}
    elif report.get("md5", md5) != md5:
        report = {"state": "report of another model", "md5": report["md5"]}
    return {"state": "report"} | report | {"age_seconds": age}


def metrics():
    content = generate_latest(_get_scorer().metrics.registry)
    return content, {"Content-Type": CONTENT_TYPE_LATEST}


def openapi():
    return current_app.extensions["openapi"]


def index():
    return send_from_directory(HERE / "page", "index.html")


def docs():
    return send_from_directory(HERE / "page", "docs.html")


ROUTES = (
    ("/predict", "POST", predict),
    ("/feedback", "POST", feedback),
    ("/health", "GET", health),
    ("/ready", "GET", ready),
    ("/version", "GET", version),
    ("/monitoring/drift", "GET", drift),
    ("/metrics", "GET", metrics),
    ("/openapi.json", "GET", openapi),
    ("/docs", "GET", docs),
    ("/", "GET", index),
)
