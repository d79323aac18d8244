import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Change',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.TextField()),
                ('transaction', models.BigIntegerField(db_index=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Process',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('seen', models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name='Presence',
            fields=[
                ('pk', models.CompositePrimaryKey('group', 'user', 'process', blank=True, editable=False, primary_key=True, serialize=False)),
                ('group', models.CharField(max_length=100)),
                ('user', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
                ('process', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='channels_live.process')),
            ],
        ),
    ]
