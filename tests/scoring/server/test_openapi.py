"""The OpenAPI document agrees with the scorer: its routes, statuses and the shape of responses."""

import re

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator

from scoring.server.app import ROUTES
from tests.scoring.server.service import ROOT

DESCRIPTION = yaml.safe_load((ROOT / "scoring/server/openapi.yaml").read_text())
COMPONENTS = {"components": DESCRIPTION["components"]}
OPERATIONS = [
    (path, method, operation)
    for path, operations in DESCRIPTION["paths"].items()
    for method, operation in operations.items()
]


def list_references(node):
    """Yield every $ref below a node."""
    if isinstance(node, dict) and isinstance(node.get("$ref"), str):
        yield node["$ref"]
    if isinstance(node, dict | list):
        for value in node.values() if isinstance(node, dict) else node:
            yield from list_references(value)


def resolve(node):
    """Return the component that a node refers to, or the node itself."""
    if "$ref" not in node:
        return node
    component = DESCRIPTION
    for key in node["$ref"].removeprefix("#/").split("/"):
        component = component[key]
    return component


def list_responses():
    for path, _, operation in OPERATIONS:
        for status, response in operation["responses"].items():
            yield path, int(status), resolve(response)


def test_it_lists_exactly_the_routes_of_the_app():
    operations = {(path, method.upper(), op["operationId"]) for path, method, op in OPERATIONS}
    assert operations == {(rule, method, view.__name__) for rule, method, view in ROUTES}
    assert len(OPERATIONS) == len(ROUTES)


def test_every_reason_to_reject_an_image_is_described():
    sources = [*ROOT.glob("flowers/images/*.py"), *ROOT.glob("scoring/server/*.py")]
    pattern = re.compile(r'(?:RejectedImage|rejection =)\(?\s*"([^"]+)"')
    reasons = {reason for path in sources for reason in pattern.findall(path.read_text())}
    assert len(reasons) > 3
    assert reasons <= set(DESCRIPTION["components"]["schemas"]["Reason"]["enum"])


def test_it_is_an_openapi_3_1_document_without_dangling_or_unused_components():
    assert DESCRIPTION["openapi"].startswith("3.1.")
    assert {"title", "version"} <= DESCRIPTION["info"].keys()
    components = {
        f"#/components/{kind}/{name}"
        for kind, entries in DESCRIPTION["components"].items()
        for name in entries
    }
    assert set(list_references(DESCRIPTION)) == components


def test_responses_have_ids_errors_are_problems_and_examples_fit_their_schemas():
    messages = [operation.get("requestBody", {}) for _, _, operation in OPERATIONS]
    messages += [response for _, _, response in list_responses()]
    for path, status, response in list_responses():
        assert response["description"] and "X-Request-Id" in response["headers"], path
        assert status < 400 or list(response["content"]) == ["application/problem+json"], path
    for media in [m for message in messages for m in resolve(message).get("content", {}).values()]:
        Draft202012Validator.check_schema(media["schema"])
        validator = Draft202012Validator(media["schema"] | COMPONENTS)
        examples = [example["value"] for example in media.get("examples", {}).values()]
        for example in examples + [media[key] for key in ("example",) if key in media]:
            validator.validate(example)
    for schema in DESCRIPTION["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def assert_described(path, method, answer):
    response = resolve(DESCRIPTION["paths"][path][method]["responses"][str(answer.status)])
    schema = response["content"][answer.headers.get_content_type()]["schema"]
    Draft202012Validator(schema | COMPONENTS).validate(answer.json)


def test_real_responses_have_the_shape_that_is_described(service, photo, classes):
    good = ("a.jpg", photo)
    cut = ("b.jpg", photo[:500])
    text = ("c.txt", b"words")
    uploads = [[good], [good, good], [good, cut, text], [cut], [text], [cut, text], [], [good] * 5]
    answers = [service.predict(*images) for images in uploads]
    assert [a.status for a in answers] == [200, 200, 200, 422, 415, 422, 400, 413]
    for answer in answers:
        assert_described("/predict", "post", answer)
    recorded = service.send_label({"request_id": "a", "true_label": classes[0]})
    assert_described("/feedback", "post", recorded)
    for path in ("/health", "/ready", "/version", "/monitoring/drift", "/openapi.json"):
        assert_described(path, "get", service.get(path))
    info = DESCRIPTION["info"] | {"title": "Which flower is it?"}
    assert service.get("/openapi.json").json == DESCRIPTION | {"info": info}
    for path, operations in DESCRIPTION["paths"].items():
        allowed = set(service.call("PUT", path).headers["Allow"].lower().split(", "))
        assert allowed - {"head"} == set(operations)


GENERATED = [(*operation[:2], "positive") for operation in OPERATIONS]
# A GET takes no input that could be wrong.
GENERATED += [(path, method, "negative") for path, method, op in OPERATIONS if "requestBody" in op]


@pytest.mark.parametrize(("path", "method", "mode"), GENERATED)
@pytest.mark.slow
def test_generated_requests_get_the_responses_that_are_described(service, path, method, mode):
    schemathesis = pytest.importorskip(
        "schemathesis", reason="requests are generated with the package schemathesis"
    )
    mode = schemathesis.GenerationMode(mode)
    described = schemathesis.openapi.from_dict(DESCRIPTION)[path][method]
    names = "not_a_server_error status_code_conformance content_type_conformance "
    names += "response_headers_conformance response_schema_conformance"
    checks = [getattr(schemathesis.checks, name) for name in names.split()]

    @settings(
        max_examples=20,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(described.as_strategy(generation_mode=mode))
    def send_case(case):
        case.call_and_validate(base_url=f"http://127.0.0.1:{service.port}", checks=checks)

    send_case()
