"""Has mypy take request.user for a User, as it is in views behind login_required.

For django-stubs it may be an AnonymousUser everywhere, also where Django's documentation
rightly passes it on, as in `Room.objects.filter(members=request.user)`.
"""

from collections.abc import Callable

from mypy.plugin import AttributeContext, Plugin
from mypy.types import AnyType, Type, TypeOfAny, UnionType, get_proper_type


class RequestPlugin(Plugin):
    def get_attribute_hook(
        self, fullname: str
    ) -> Callable[[AttributeContext], Type] | None:
        if fullname == "django.http.request.HttpRequest.user":
            return user_or_any
        return None


def user_or_any(context: AttributeContext) -> Type:
    """Return User | Any: what no user has is an error still."""
    declared = get_proper_type(context.default_attr_type)
    if not isinstance(declared, UnionType):
        return declared
    return UnionType([declared.items[0], AnyType(TypeOfAny.explicit)])


def plugin(version: str) -> type[Plugin]:
    return RequestPlugin
