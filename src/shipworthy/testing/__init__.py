"""For the tests of an app: the app itself, on a real database, asked as a signed-in person asks it.

Example:
    with app_under_test(Path(__file__).parents[1]) as app:
        assert app.signed_in("acme").get("/bookings").status == 200
"""

from shipworthy.testing.app import AppUnderTest, Person, app_under_test
from shipworthy.testing.client import Answer

__all__ = ["Answer", "AppUnderTest", "Person", "app_under_test"]
