"""The ASGI application, in the generated project."""

import django
from django.utils.module_loading import import_string

django.setup()
application = import_string("live.application")
