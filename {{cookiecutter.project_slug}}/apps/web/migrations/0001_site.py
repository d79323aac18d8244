from django.conf import settings
from django.db import migrations


def set_site(apps, schema_editor):
    Site = apps.get_model("sites", "Site")
    name = settings.PROJECT_NAME[:50]  # as long as names may be
    sites = Site.objects.using(schema_editor.connection.alias)
    values = {"domain": settings.SITE_DOMAIN, "name": name}
    if not sites.filter(pk=settings.SITE_ID).update(**values):
        sites.create(**values)  # the first one: the database gives it SITE_ID


class Migration(migrations.Migration):
    """Give the Site its domain and name; from here on they live in the database."""

    dependencies = [
        ("sites", "0002_alter_domain_unique"),
    ]

    operations = [
        migrations.RunPython(set_site, migrations.RunPython.noop),
    ]
