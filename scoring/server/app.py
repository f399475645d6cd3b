"""The Flask application: routes, statuses and headers."""

import re
import time
import uuid
from pathlib import Path

import yaml
from flask import Flask, current_app, g, render_template, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from werkzeug.exceptions import HTTPException
from werkzeug.sansio.utils import host_is_trusted

from flowers.base.tables import read_json
from flowers.log import record
from scoring.responses import describe_model, describe_provenance
from scoring.server.problems import Problem, render_problem
from scoring.server.scorer import Scorer
from scoring.server.settings import DRIFT_REPORT

HERE = Path(__file__).parent
# Classes with a drawn image on the page.
EXAMPLES = {path.stem for path in HERE.glob("page/examples/*.webp")}
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
POLICY = "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
OTHER_PARTS = 8  # parts of a form that are not images
# JSON becomes objects of thirty times its size.
MAX_LABEL_BYTES = 16_384


def create_app(settings):
    """Create the application, or raise BadInput if the model or the log cannot be used."""
    app = Flask(__name__, static_folder="page", static_url_path="/static")
    app.config.update(
        MAX_CONTENT_LENGTH=int(settings.max_upload_mb * 1e6),
        MAX_FILES=settings.max_files,
        MAX_FORM_PARTS=settings.max_files + OTHER_PARTS,
        HOSTS=settings.hosts,
    )
    app.json.sort_keys = False  # classes stay in the order of the model
    app.extensions["scorer"] = Scorer(settings)
    app.extensions["openapi"] = yaml.safe_load((HERE / "openapi.yaml").read_text())
    app.register_error_handler(HTTPException, render_problem)
    app.before_request(_begin_request)
    app.after_request(_end_request)
    for rule, method, view in ROUTES:
        app.add_url_rule(rule, view_func=view, methods=[method], provide_automatic_options=False)
    return app


def _begin_request():
    g.start = time.perf_counter()
    request_id = request.headers.get("X-Request-Id", "")
    g.request_id = request_id if REQUEST_ID.fullmatch(request_id) else str(uuid.uuid4())
    host = request.host.lower()
    hosts = current_app.config["HOSTS"]
    if hosts and not host_is_trusted(host, hosts):
        raise Problem(400, f"the host {host} is not one of HOSTS={','.join(hosts)}")
    # Browsers name the origin of a page that posts; other clients do not (CSRF, RFC 6454).
    origins = (None, f"http://{host}", f"https://{host}")
    if request.method == "POST" and request.headers.get("Origin") not in origins:
        raise Problem(403, "another site's page may not post here: use the page of this server")


def _end_request(response):
    endpoint = str(request.url_rule)
    metrics = _get_scorer().metrics
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


def predict_images():
    if request.mimetype != "multipart/form-data":
        raise Problem(415, "send the images as multipart/form-data, each as a part named file")
    body_bytes = request.content_length or 0
    result = _get_scorer().predict(g.request_id, body_bytes, _read_images)
    g.request_id, predictor, predictions = result
    model = describe_model(predictor)
    return {"request_id": g.request_id, **model, "predictions": predictions}


def _read_images():
    parts = request.files.getlist("file")  # empty if the form cannot be read
    images = [(part.filename, part.read()) for part in parts if part.filename]
    limit = current_app.config["MAX_FILES"]
    if not images:
        raise Problem(
            400,
            "no image: send multipart/form-data with its boundary, and each image as a part named "
            "file, with a file name in UTF-8",
        )
    if len(images) > limit:
        raise Problem(413, f"{len(images)} images: send at most {limit} at a time")
    return images


def record_feedback():
    request.max_content_length = MAX_LABEL_BYTES
    try:
        body = request.get_json()
    except RecursionError as error:
        raise Problem(400, "the body is nested too deeply") from error
    if not isinstance(body, dict):
        raise Problem(422, "send an object with request_id and true_label")
    scorer = _get_scorer()
    request_id = body.get("request_id")
    label = body.get("true_label")
    index = body.get("index", 0)
    if not (isinstance(request_id, str) and REQUEST_ID.fullmatch(request_id)):
        raise Problem(422, "request_id must be that of a prediction")
    if label not in scorer.predictor.classes:
        raise Problem(422, f"true_label must be one of {', '.join(scorer.predictor.classes)}")
    if type(index) is not int or not 0 <= index < current_app.config["MAX_FILES"]:
        raise Problem(422, "index must be the position of the image in its request, from 0")
    scorer.write([record.build_feedback_record(request_id, index, label)])
    scorer.metrics.feedback.labels(label).inc()
    # The log is not read here, so an id that was never used is recorded as well; the join of
    # predictions and labels drops it. Hence the status 202.
    entry = {"request_id": request_id, "index": index, "true_label": label}
    return {"state": "recorded"} | entry, 202


def get_health():
    return {"state": "alive"} | _describe_running()


def get_readiness():
    checks = {"log": _get_scorer().check_log()}
    if checks["log"] != "ok":
        raise Problem(503, f"log: {checks['log']}", checks=checks)
    return {"state": "ready", "checks": checks} | _describe_running()


def _describe_running():
    scorer = _get_scorer()
    times = {"started": scorer.started, "loaded_at": scorer.loaded_at}
    return describe_provenance(scorer.predictor) | times


def get_version():
    predictor = _get_scorer().predictor
    canary = _get_scorer().canary
    state = {"ratio": canary.ratio, "state": canary.state}
    if canary.predictor:
        state |= describe_provenance(canary.predictor)
    return _describe_running() | {
        "study": predictor.study,
        "classes": predictor.classes,
        "libraries": predictor.card["versions"],
        "canary": None if canary.state == "none" else state,
    }


def get_drift():
    if not DRIFT_REPORT.is_file():
        return {"state": "no report yet", "age_seconds": None}
    age = round(max(0.0, time.time() - DRIFT_REPORT.stat().st_mtime), 1)
    try:
        report = {"state": "report"} | read_json(DRIFT_REPORT)
    except (OSError, ValueError, TypeError, RecursionError):  # TypeError: JSON without an object
        report = {"state": "report not readable"}
    md5 = _get_scorer().predictor.md5
    if report.get("md5", md5) != md5:
        report = {"state": "report of another model", "md5": report["md5"]}
    return report | {"age_seconds": age}


def get_metrics():
    content = generate_latest(_get_scorer().metrics.registry)
    return content, {"Content-Type": CONTENT_TYPE_LATEST}


def get_openapi():
    description = current_app.extensions["openapi"]
    title = _get_scorer().predictor.study["title"]
    return description | {"info": description["info"] | {"title": title}}


def get_page():
    predictor = _get_scorer().predictor
    return render_template(
        "index.html",
        study=predictor.study,
        classes=predictor.classes,
        untagged=predictor.version == "untagged",
        has_examples=EXAMPLES.issuperset(predictor.classes),
    )


def get_docs():
    return current_app.send_static_file("docs.html")


ROUTES = (
    ("/predict", "POST", predict_images),
    ("/feedback", "POST", record_feedback),
    ("/health", "GET", get_health),
    ("/ready", "GET", get_readiness),
    ("/version", "GET", get_version),
    ("/monitoring/drift", "GET", get_drift),
    ("/metrics", "GET", get_metrics),
    ("/openapi.json", "GET", get_openapi),
    ("/docs", "GET", get_docs),
    ("/", "GET", get_page),
)
