"""What a settings file may say of the limits of a link."""

import pytest
from pydantic import ValidationError

from kernel.settings import LinkSettings
from services.sync.hours import Hours


def test_limits_are_taken_as_they_stand() -> None:
    chosen = LinkSettings.model_validate({"rate_bytes_per_second": 4096, "windows": ["22:00-06:00", "00:00-24:00"]})
    assert chosen.rate_bytes_per_second == 4096
    assert Hours.parse(chosen.windows or ()).words == "22:00-06:00, 00:00-24:00"


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate_bytes_per_second": 0},
        {"rate_bytes_per_second": 1023},
        {"windows": ["22-6"]},
        {"windows": ["24:00-06:00"]},
        {"windows": ["06:00-06:00"]},
        {"windows": "22:00-06:00"},
    ],
)
def test_a_limit_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        LinkSettings.model_validate(wrong)
