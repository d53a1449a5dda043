"""The hypothesis profile of these tests."""

from hypothesis import HealthCheck, settings
from hypothesis.database import DirectoryBasedExampleDatabase

from tests.fuzz.profile import DATABASE, EXAMPLES

settings.register_profile(
    "fuzz",
    max_examples=EXAMPLES,
    database=DirectoryBasedExampleDatabase(DATABASE),
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
settings.load_profile("fuzz")
