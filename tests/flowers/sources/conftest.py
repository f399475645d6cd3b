"""Progress bars that draw nothing and record what they counted."""

import io

import pytest
from tqdm import tqdm


@pytest.fixture
def bars():
    def make_bar(**options):
        make_bar.made.append(tqdm(file=io.StringIO(), **options))
        return make_bar.made[-1]

    make_bar.made = []
    return make_bar
