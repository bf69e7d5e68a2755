from django.http import HttpResponse
from django.urls import include, path
from wagtail import urls as wagtail_urls

urlpatterns = [path("healthz", lambda _request: HttpResponse("ok")), path("", include(wagtail_urls))]
