"""What the tests of the checker share."""

from __future__ import annotations

import json

import pytest

import numerics


@pytest.fixture
def proved(tmp_path):
    def check(record):
        path = tmp_path / "certificate.json"
        path.write_text(record if isinstance(record, str) else json.dumps(record))
        return numerics.verify(path)

    return check
