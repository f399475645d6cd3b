from pathlib import Path

import pytest

from flowers.base.errors import BadInput
from scoring.server.settings import Settings, from_environment, processors


def test_without_variables_the_settings_are_the_documented_ones():
    assert from_environment({}) == Settings()
    assert from_environment({"PORT": "", "LOG_DIR": ""}) == Settings()


def test_each_variable_has_its_setting():
    given = {
        "MODEL_DIR": "a",
        "CANARY_DIR": "b",
        "CANARY_RATIO": "0.5",
        "LOG_DIR": "c",
        "MAX_UPLOAD_MB": "1.5",
        "MAX_FILES": "3",
        "QUEUE": "0",
        "HOST": "0.0.0.0",
        "PORT": "8080",
        "THREADS": "100",
        "MODEL_SHA256": "A" * 64,
        "HOSTS": "flowers.example, .intern",
    }
    paths = (Path("a"), Path("b"), 0.5, Path("c"))
    hosts = ["flowers.example", ".intern"]
    assert from_environment(given) == Settings(
        *paths, 1.5, 3, 0, "0.0.0.0", 8080, 100, "a" * 64, hosts
    )


def test_only_names_of_this_machine_are_its_own_where_nobody_else_can_connect():
    assert from_environment({}).hosts == ["localhost", "127.0.0.1"]
    assert from_environment({"HOST": "0.0.0.0"}).hosts is None
    assert from_environment({"HOST": "[::]"}).host == "::"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CANARY_RATIO", "1.5"),
        ("CANARY_RATIO", "nan"),
        ("HOST", "unix:/tmp/socket"),
        ("HOST", "localhost:5000"),
        ("HOST", "127.0.0.1 "),
        ("PORT", "http"),
        ("PORT", "65536"),
        ("QUEUE", "-1"),
        ("MAX_FILES", "0"),
        ("MODEL_SHA256", "abc"),
        ("MAX_UPLOAD_MB", "0"),
        ("THREADS", str(processors() + 16)),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_value(variable, value):
    with pytest.raises(BadInput, match=f"{variable}={value}"):
        from_environment({variable: value})


def test_more_waiting_requests_bring_more_threads():
    assert from_environment({"QUEUE": "100"}).threads > 100
