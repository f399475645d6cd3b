"""openapi.json is true of the scorer: its routes, its statuses and the shape of every answer."""

import re

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator

from scoring.server.app import ROUTES
from tests.scoring.server.service import ROOT

DESCRIPTION = yaml.safe_load((ROOT / "scoring/server/openapi.yaml").read_text())
OPERATIONS = [
    (path, method, operation)
    for path, operations in DESCRIPTION["paths"].items()
    for method, operation in operations.items()
]


def references(node):
    """Every $ref below a node."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def at(reference):
    """The node that a reference names."""
    node = DESCRIPTION
    assert reference.startswith("#/")
    for key in reference[2:].split("/"):
        node = node[key]
    return node


def resolved(node):
    return at(node["$ref"]) if "$ref" in node else node


def test_it_lists_exactly_the_routes_of_the_app():
    described = [(path, method.upper()) for path, method, _ in OPERATIONS]
    assert sorted(described) == sorted((rule, method) for rule, method, _ in ROUTES)
    names = {(path, operation["operationId"]) for path, _, operation in OPERATIONS}
    assert names == {(rule, view.__name__) for rule, _, view in ROUTES}


def test_every_reason_to_reject_an_image_is_described():
    sources = [*ROOT.glob("flowers/images/*.py"), *ROOT.glob("scoring/server/*.py")]
    pattern = re.compile(r'(?:RejectedImage|rejection =)\(?\s*"([^"]+)"')
    reasons = {reason for path in sources for reason in pattern.findall(path.read_text())}
    assert len(reasons) > 3
    assert reasons <= set(DESCRIPTION["components"]["schemas"]["Reason"]["enum"])


def test_it_is_an_openapi_3_1_document():
    assert DESCRIPTION["openapi"].startswith("3.1.")
    assert {"title", "version"} <= DESCRIPTION["info"].keys()
    tags = {tag["name"] for tag in DESCRIPTION["tags"]}
    for path, _, operation in OPERATIONS:
        assert path.startswith("/")
        assert set(operation["tags"]) <= tags
        assert operation["responses"], path
        for status, response in operation["responses"].items():
            assert 100 <= int(status) <= 599
            assert resolved(response)["description"]
    assert set(DESCRIPTION["components"]) <= {"parameters", "headers", "responses", "schemas"}


def test_every_reference_leads_somewhere_and_every_component_is_used():
    used = set(references(DESCRIPTION))
    components = {
        f"#/components/{kind}/{name}"
        for kind, named in DESCRIPTION["components"].items()
        for name in named
    }
    assert used == components


def contents():
    """Media types with their schema, in requests and answers."""
    for path, _, operation in OPERATIONS:
        for message in [operation.get("requestBody", {}), *operation["responses"].values()]:
            for media in resolved(message).get("content", {}).values():
                yield path, media


def test_every_schema_is_one_and_fits_its_examples():
    for path, media in contents():
        Draft202012Validator.check_schema(media["schema"])
        schema = media["schema"] | {"components": DESCRIPTION["components"]}
        examples = [example["value"] for example in media.get("examples", {}).values()]
        examples += [media["example"]] if "example" in media else []
        for example in examples:
            found = [error.message for error in Draft202012Validator(schema).iter_errors(example)]
            assert not found, path
    for schema in DESCRIPTION["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_answer_carries_a_request_id_and_every_error_is_a_problem():
    for path, _, operation in OPERATIONS:
        for status, response in operation["responses"].items():
            response = resolved(response)
            assert "X-Request-Id" in response["headers"], path
            if int(status) >= 400:
                assert list(response["content"]) == ["application/problem+json"], path


def fits(path, method, answer):
    """Whether an answer is one that is described."""
    response = resolved(DESCRIPTION["paths"][path][method]["responses"][str(answer.status)])
    media = response["content"][answer.headers.get_content_type()]
    schema = media["schema"] | {"components": DESCRIPTION["components"]}
    return Draft202012Validator(schema).is_valid(answer.json)


def test_real_answers_have_the_shape_that_is_described(service, photo, classes):
    good, cut, text = ("a.jpg", photo), ("b.jpg", photo[:500]), ("c.txt", b"words")
    requests = [[good], [good, good], [good, cut, text], [cut], [text], [cut, text], [], [good] * 5]
    answers = [service.predict(*images) for images in requests]
    assert [a.status for a in answers] == [200, 200, 200, 422, 415, 422, 400, 413]
    assert all(fits("/predict", "post", answer) for answer in answers)
    recorded = service.send_label({"request_id": "a", "true_label": classes[0]})
    assert recorded.status == 202 and fits("/feedback", "post", recorded)
    for path in ("/health", "/ready", "/version", "/monitoring/drift", "/openapi.json"):
        assert fits(path, "get", service.get(path)), path


GENERATED = [(*operation[:2], "positive") for operation in OPERATIONS]
# Every GET takes anything: only what has a body can be sent something wrong.
GENERATED += [(path, method, "negative") for path, method, at in OPERATIONS if "requestBody" in at]


@pytest.mark.parametrize(("path", "method", "mode"), GENERATED)
@pytest.mark.slow
def test_generated_requests_get_the_answers_that_are_described(service, path, method, mode):
    schemathesis = pytest.importorskip(
        "schemathesis", reason="requests are generated with the package schemathesis"
    )
    mode = schemathesis.GenerationMode(mode)
    described = schemathesis.openapi.from_dict(DESCRIPTION)[path][method]
    checks = [
        schemathesis.checks.not_a_server_error,
        schemathesis.checks.status_code_conformance,
        schemathesis.checks.content_type_conformance,
        schemathesis.checks.response_headers_conformance,
        schemathesis.checks.response_schema_conformance,
    ]

    @settings(
        max_examples=20,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(described.as_strategy(generation_mode=mode))
    def ask(case):
        case.call_and_validate(base_url=f"http://127.0.0.1:{service.port}", checks=checks)

    ask()
