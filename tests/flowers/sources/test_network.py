"""Reasons of failed requests: a few words, without the text of urllib3."""

import pytest
import requests

from flowers.sources.network import describe_request_error


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:9", "connection refused"),
        ("http://nowhere.invalid", "name not found"),
        ("http://[::1", "invalid URL"),
        ("127.0.0.1:5001", "invalid URL"),
        (f"http://{'a' * 80}.com", "invalid URL"),
    ],
)
def test_a_request_without_a_response_has_a_short_reason(url, reason, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    with pytest.raises((requests.RequestException, ValueError)) as caught:
        requests.get(url, timeout=5)
    assert describe_request_error(caught.value) == reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (requests.ReadTimeout("read"), "timeout"),
        (requests.TooManyRedirects("30"), "too many redirects"),
        (requests.JSONDecodeError("text", "", 0), "the response is not JSON"),
        (requests.exceptions.ChunkedEncodingError("IncompleteRead"), "connection closed"),
    ],
)
def test_an_error_of_a_response_has_a_short_reason(error, reason):
    assert describe_request_error(error) == reason
