"""Demands on parallel work: order, errors passed on, and a missing backend refused."""

import os
from importlib.util import find_spec

import pytest

from flowers.errors import BadInput, Rejected
from flowers.parallel import mapped

BACKENDS = ["threading", "loky"]


def squared(number):
    if number < 0:
        raise Rejected("negative", str(number))
    return number**2


def process(_):
    return os.getpid()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("jobs", [1, 2, -1])
def test_results_come_in_the_order_of_the_items(backend, jobs):
    assert list(mapped(squared, range(30), jobs, backend)) == [n**2 for n in range(30)]


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_items_give_no_results(backend):
    assert list(mapped(squared, [], 2, backend)) == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_error_reaches_the_caller_as_it_was_raised(backend):
    with pytest.raises(Rejected) as caught:
        list(mapped(squared, [1, 2, -3], 2, backend))
    assert (caught.value.reason, caught.value.detail) == ("negative", "-3")


def test_threads_stay_in_this_process_and_loky_leaves_it():
    assert set(mapped(process, range(8), 2, "threading")) == {os.getpid()}
    assert os.getpid() not in set(mapped(process, range(8), 2, "loky"))


def test_the_first_result_is_there_before_the_last_item_is_asked_for():
    asked = []

    def items():
        for number in range(1000):
            asked.append(number)
            yield number

    results = mapped(squared, items(), 2, "threading")
    assert next(results) == 0
    assert len(asked) < 1000
    assert len(list(results)) == 999


@pytest.mark.parametrize("backend", ["dask", "ray"])
def test_a_missing_cluster_backend_is_refused_by_name(backend):
    if find_spec(backend):
        pytest.skip(f"{backend} is installed")
    with pytest.raises(BadInput, match=backend):
        list(mapped(squared, [1], 2, backend))
