"""Text that people type and generators break on."""

HOSTILE = {
    "quotes": 'Bob\'s "Café"',
    "many quotes": '"""' + "'''" + '"' * 5 + "'" * 4,
    "backslashes": r"C:\new\table\u0041\x41\N{DASH}\\" + "\\",
    "umlauts": "Grüße aus Äöüß",
    "japanese": "日本語チャット",
    "emoji": "😀 👩\u200d👩\u200d👧 🏴\u200d☠\ufe0f",
    "markup": "<script>alert(1)</script> & <b>bold</b> *star* _line_ `tick` | #",
    "shell": "$(touch owned) `touch owned` ; touch owned # $HOME %PATH% !x",
    "formats": "%s %(name)s {0} {name} $x ${x} \\1",
    "comment": "# noqa: all -- : - ! & *",
    "direction": "abc \u202e def \u2066 ghi \u2069",
    "spaces": "\u00a0thin\u2009wide\u3000zero\u200bwidth\ufeff",
    "200 characters": "Wörter " * 28 + "Ende",
}
# Cookiecutter renders what comes by command line, but not what is typed.
TYPED = {
    "jinja": "{{ 7 * 7 }} {% if x %} {# no #} # % endif",
    "django": "{{ block.super }} {% csrf_token %} {% endraw %}",
}
