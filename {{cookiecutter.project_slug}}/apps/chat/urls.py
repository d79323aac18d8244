from django.urls import path

from apps.chat import views

app_name = "chat"

urlpatterns = [
    path("", views.index, name="index"),
    path("<str:slug>/", views.room, name="room"),
    path("<str:slug>/messages/", views.post, name="post"),
    path("<str:slug>/members/add/", views.add, name="add"),
    path("<str:slug>/members/remove/", views.remove, name="remove"),
]
