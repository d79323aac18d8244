from django.urls import path

from apps.chat import views

app_name = "chat"

# A "key" is not logged: it is the slug of a room, which may be private.
urlpatterns = [
    path("", views.index, name="index"),
    path("<str:key>/", views.room, name="room"),
    path("<str:key>/messages/", views.post, name="post"),
    path("<str:key>/members/add/", views.add, name="add"),
    path("<str:key>/members/remove/", views.remove, name="remove"),
]
