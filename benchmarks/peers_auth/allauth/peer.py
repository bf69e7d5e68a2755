"""django-allauth on PostgreSQL, as its documentation sets it up: headless for a browser, sessions in the database.

`python peer.py` makes the tables and the accounts; `gunicorn peer:application` answers. One file stands for the
settings, the addresses and the hasher of a Django project. Facts come by environment (PEER_*).
"""

import math
import os
import sys
from urllib.parse import urlsplit

from django.conf import settings

database = urlsplit(os.environ["PEER_DATABASE_URL"])
rate_per_s = math.ceil(float(os.environ["PEER_RATE_PER_S"]))
sys.modules.setdefault("peer", sys.modules[__name__])  # the settings name it, also when it is run

if not settings.configured:
    settings.configure(
        DEBUG=False,
        SECRET_KEY=os.environ["PEER_SECRET"],
        ALLOWED_HOSTS=["localhost", "127.0.0.1"],
        ROOT_URLCONF="peer",
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": database.path[1:],
                "USER": database.username,
                "PASSWORD": database.password,
                "HOST": database.hostname,
                "PORT": database.port,
                "CONN_MAX_AGE": None,
            }
        },
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "allauth",
            "allauth.account",
            "allauth.headless",
        ],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
            "allauth.account.middleware.AccountMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
            }
        ],
        AUTHENTICATION_BACKENDS=["allauth.account.auth_backends.AuthenticationBackend"],
        PASSWORD_HASHERS=["peer.Hasher"],
        ACCOUNT_LOGIN_METHODS={"email"},
        ACCOUNT_SIGNUP_FIELDS=["email*", "password1*"],
        ACCOUNT_EMAIL_VERIFICATION="mandatory",
        ACCOUNT_RATE_LIMITS={"login": f"{rate_per_s}/s/ip", "login_failed": f"{rate_per_s}/s/ip"},
        HEADLESS_ONLY=True,
        HEADLESS_CLIENTS=("browser",),
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )

from django.contrib.auth.hashers import Argon2PasswordHasher  # noqa: E402


class Hasher(Argon2PasswordHasher):
    memory_cost = int(os.environ["PEER_MEMORY_KIB"])
    time_cost = int(os.environ["PEER_PASSES"])
    parallelism = 1


def healthz(_request):
    from django.http import HttpResponse

    return HttpResponse("ok")


def prepare():
    import django

    django.setup()
    from allauth.account.models import EmailAddress
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    for nth in range(int(os.environ["PEER_ACCOUNTS"])):
        email = f"person{nth}@example.com"
        user = get_user_model().objects.create_user(
            f"person{nth}", email=email, password=os.environ["PEER_PASSWORD"]
        )
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)


if __name__ == "__main__":
    prepare()
else:
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
    from django.urls import include, path

    urlpatterns = [path("healthz", healthz), path("_allauth/", include("allauth.headless.urls"))]
