"""Reasons of failed HTTP requests, in a few words."""

import socket
import ssl

import requests


def describe_request_error(error):
    """Describe why a request failed, without the text of urllib3.

    Parameters
    ----------
    error : requests.RequestException or ValueError
        As requests and urllib3 raise it.

    Returns
    -------
    str
        Such as "connection refused", "name not found", "HTTP status 404".
    """
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP status {error.response.status_code}"
    if isinstance(error, requests.TooManyRedirects):
        return "too many redirects"
    if isinstance(error, requests.JSONDecodeError):
        return "the response is not JSON"
    cause = _find_system_error(error)
    if isinstance(cause, socket.gaierror):
        return "name not found"
    if isinstance(cause, ssl.SSLError):
        return "TLS failed"
    if isinstance(error, requests.Timeout) or isinstance(cause, TimeoutError):
        return "timeout"
    if cause is not None:
        return (cause.strerror or "connection closed").lower()
    if isinstance(error, ValueError):
        return "invalid URL"
    return "connection closed"


def _find_system_error(error):
    """Return the first error of the operating system among the causes of an error, or None."""
    while error is not None:
        if isinstance(error, OSError) and not isinstance(error, requests.RequestException):
            return error
        error = error.__cause__ or error.__context__
    return None
