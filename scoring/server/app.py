"""The scorer over HTTP."""

import json
import re
import time
import uuid
from pathlib import Path

import yaml
from flask import Flask, current_app, g, request, send_from_directory
from flask_swagger_ui import get_swaggerui_blueprint
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from flowers.base.tables import read_json
from flowers.log import record
from scoring.server import guard, problems
from scoring.server.problems import Problem
from scoring.server.scorer import Scorer
from scoring.server.settings import DRIFT_REPORT, from_environment

HERE = Path(__file__).parent
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
POLICY = "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
# The page of swagger-ui has its script and styles in it; nothing of a request gets there.
DOCS_POLICY = POLICY + "; {}; img-src 'self' data:".format(
    "; ".join(f"{kind}-src 'self' 'unsafe-inline'" for kind in ("script", "style"))
)
DOCS = get_swaggerui_blueprint(
    "/docs",
    "/openapi.json",
    {"app_name": "Flower scorer", "oauth2RedirectUrl": ""},
    None,
    "docs_ui",
)
# Parts of a form that are no photos.
OTHER_PARTS = 8
# Of a label, whose longest has some hundreds: JSON becomes objects of thirty times its size, and
# nobody else is answered meanwhile.
MAX_LABEL_BYTES = 16_384


def create_app(settings=None):
    """Make the application, its model loaded and asked its golden photos.

    Parameters
    ----------
    settings : Settings, optional
        Those of the environment if not given.

    Raises
    ------
    BadInput
        If a setting is wrong or there is no model.
    """
    settings = from_environment() if settings is None else settings
    app = Flask(__name__, static_folder="page", static_url_path="/static", template_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=int(settings.max_upload_mb * 1e6),
        MAX_FILES=settings.max_files,
        MAX_FORM_PARTS=settings.max_files + OTHER_PARTS,
        TRUSTED_HOSTS=settings.hosts,
    )
    app.request_class = guard.loud(app.request_class)
    app.json.sort_keys = False  # classes stay in the order of the model
    scorer = app.extensions["scorer"] = Scorer(settings)
    problems.register(app)

    @app.before_request
    def begin():
        g.start = time.perf_counter()
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
        guard.refuse_foreign()

    @app.after_request
    def end(response):
        endpoint = request.endpoint or "none"
        scorer.metrics.requests.labels(endpoint, response.status_code).inc()
        scorer.metrics.latency.labels(endpoint).observe(time.perf_counter() - g.start)
        response.headers["X-Request-Id"] = g.request_id
        response.headers["X-Content-Type-Options"] = "nosniff"
        of_docs = request.path.startswith("/docs")
        response.headers["Content-Security-Policy"] = DOCS_POLICY if of_docs else POLICY
        return response

    app.extensions["openapi"] = yaml.safe_load((HERE / "openapi.yaml").read_text())
    app.register_blueprint(DOCS)
    for rule, method, view in ROUTES:
        app.add_url_rule(rule, view_func=view, methods=[method], provide_automatic_options=False)
    return app


def _scorer():
    return current_app.extensions["scorer"]


def predict():
    if request.mimetype != "multipart/form-data":
        raise Problem(415, "send the photos as multipart/form-data, each as a part named file")
    model = _scorer().model
    with _scorer().place():  # before the form is read: a refusal costs little
        g.request_id = _scorer().ids.unique(g.request_id)
        entries = _scorer().predict(g.request_id, _photos())
    answer = {
        "request_id": g.request_id,
        "model_used": model.role,
        "model_version": model.version,
        "predictions": entries,
    }
    return answer | entries[0] if len(entries) == 1 else answer


def _photos():
    try:
        parts = request.files.getlist("file")
    except ValueError as error:
        raise Problem(
            400,
            f"the form cannot be read ({error}): send multipart/form-data with a boundary, and "
            "names in UTF-8",
        ) from error
    photos = [(part.filename, part) for part in parts if part.filename]
    if not photos:
        raise Problem(400, "no photo: send at least one as a part named file, with a file name")
    if len(photos) > current_app.config["MAX_FILES"]:
        raise Problem(
            413, f"{len(photos)} photos: send at most {current_app.config['MAX_FILES']} at a time"
        )
    return photos


def feedback():
    if (request.content_length or 0) > MAX_LABEL_BYTES:
        raise Problem(413, f"a label may have {MAX_LABEL_BYTES} bytes")
    try:
        body = json.loads(request.get_data()) if request.is_json else None
    except (ValueError, RecursionError) as error:
        raise Problem(400, f"the body is not JSON: {error}") from error
    if not request.is_json:
        raise Problem(415, "send an object as application/json")
    if not isinstance(body, dict):
        raise Problem(422, "send an object with request_id and true_label")
    request_id, label, index = body.get("request_id"), body.get("true_label"), body.get("index", 0)
    if not (isinstance(request_id, str) and REQUEST_ID.fullmatch(request_id)):
        raise Problem(422, "request_id must be the one of an answer")
    if label not in _scorer().model.classes:
        raise Problem(422, f"true_label must be one of {', '.join(_scorer().model.classes)}")
    if type(index) is not int or not 0 <= index < current_app.config["MAX_FILES"]:
        raise Problem(422, "index must be the position of the photo in its request, from 0")
    told = {"request_id": request_id, "index": index, "true_label": label}
    _scorer().write([record.build_feedback_record(request_id, index, label)])
    _scorer().metrics.feedback.labels(label).inc()
    # Whether the id was ever given stands in the log alone, which is not read here: whoever joins
    # the two finds out. That is what 202 says.
    return {"state": "recorded"} | told, 202


def health():
    return {"state": "alive"}


def ready():
    checks = _scorer().checks()
    faults = [f"{name}: {value}" for name, value in checks.items() if value != "ok"]
    if faults:
        raise Problem(503, "; ".join(faults), checks=checks)
    return {"state": "ready", "checks": checks}


def version():
    scorer = _scorer()
    return _model(scorer.model) | {
        "classes": scorer.model.classes,
        "libraries": scorer.model.card["versions"],
        "canary": _canary(scorer.canary),
    }


def _canary(canary):
    if canary.state == "none":
        return None
    model = _model(canary.model) if canary.model else {}
    return {"ratio": canary.ratio, "state": canary.state} | model


def _model(model):
    return {
        "model_used": model.role,
        "model_version": model.version,
        "model_md5": model.md5,
        "tag": model.provenance.get("tag"),
        "commit": model.provenance.get("commit"),
    }


def drift():
    age, report = None, None
    try:
        age = round(max(0.0, time.time() - DRIFT_REPORT.stat().st_mtime), 1)
        if DRIFT_REPORT.is_file():  # a pipe would have to be waited for
            report = read_json(DRIFT_REPORT)
    except FileNotFoundError:
        return {"state": "no report yet", "age_seconds": None}
    except (OSError, ValueError, RecursionError):
        pass
    if not isinstance(report, dict):
        report = {"state": "report not readable"}
    elif report.get("md5", _scorer().model.md5) != _scorer().model.md5:
        report = {"state": "report of another model", "md5": report["md5"]}
    return {"state": "report"} | report | {"age_seconds": age}


def metrics():
    return generate_latest(_scorer().metrics.registry), {"Content-Type": CONTENT_TYPE_LATEST}


def openapi():
    return current_app.extensions["openapi"]


def index():
    return send_from_directory(HERE / "page", "index.html")


def docs():
    return current_app.view_functions["docs_ui.show"]()


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
