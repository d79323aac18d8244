from django.conf import settings
from django.core.management.color import no_style
from django.db import migrations


def set_site(apps, schema_editor):
    Site = apps.get_model("sites", "Site")
    connection = schema_editor.connection
    Site.objects.using(connection.alias).update_or_create(
        pk=settings.SITE_ID,
        defaults={
            "domain": settings.SITE_DOMAIN,
            "name": settings.PROJECT_NAME[:50],  # as long as names may be
        },
    )
    # The key was given, not drawn: without this, PostgreSQL gives it out again.
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Site]):
            cursor.execute(statement)


class Migration(migrations.Migration):
    """Give the Site its domain and name; from here on they live in the database."""

    dependencies = [
        ("sites", "0002_alter_domain_unique"),
    ]

    operations = [
        migrations.RunPython(set_site, migrations.RunPython.noop),
    ]
