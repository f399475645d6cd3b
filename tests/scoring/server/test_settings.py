from pathlib import Path

import pytest

from flowers.base.errors import BadInput
from scoring.server.settings import Settings, read_settings


def test_without_variables_the_settings_are_the_documented_ones():
    assert read_settings({}) == Settings()
    assert read_settings({"PORT": "", "LOG_DIR": ""}) == Settings()


def test_each_variable_has_its_setting():
    environ = {
        "MODEL_DIR": "a",
        "MODEL_SHA256": "A" * 64,
        "CANARY_DIR": "b",
        "CANARY_RATIO": "0.5",
        "LOG_DIR": "c",
        "MAX_UPLOAD_MB": "1.5",
        "MAX_FILES": "3",
        "QUEUE": "0",
        "HOST": "0.0.0.0",
        "PORT": "8080",
        "HOSTS": "Flowers.example, .intern",
    }
    model, canary, log = map(Path, "abc")
    hosts = ("flowers.example", ".intern")
    assert read_settings(environ) == Settings(
        model, "a" * 64, canary, 0.5, log, 1.5, 3, 0, "0.0.0.0", 8080, hosts
    )


def test_only_where_this_machine_alone_can_connect_hosts_are_its_names():
    assert read_settings({}).hosts == ("localhost", "127.0.0.1")
    assert read_settings({"HOST": "0.0.0.0"}).hosts is None
    assert read_settings({"HOST": "[::]"}).host == "::"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CANARY_RATIO", "1.5"),
        ("CANARY_RATIO", "nan"),
        ("PORT", "http"),
        ("PORT", "65536"),
        ("QUEUE", "-1"),
        ("MAX_FILES", "0"),
        ("MODEL_SHA256", "abc"),
        ("MAX_UPLOAD_MB", "0"),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_value(variable, value):
    with pytest.raises(BadInput, match=f"{variable}={value}"):
        read_settings({variable: value})


def test_more_waiting_requests_bring_more_threads():
    settings = read_settings({"QUEUE": "100"})
    assert settings.threads > settings.places > 100
