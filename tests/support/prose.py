"""The code in a page of Markdown: blocks, and what is between backticks."""

import ast
import textwrap
from collections.abc import Iterator

from markdown_it import MarkdownIt


def blocks(page: str, *languages: str) -> list[str]:
    return [
        token.content
        for token in MarkdownIt("commonmark").enable("table").parse(page)
        if token.type == "fence" and token.info in languages
    ]


def spans(page: str) -> Iterator[str]:
    """What is between backticks."""
    for token in MarkdownIt("commonmark").enable("table").parse(page):
        for child in token.children or ():
            if child.type == "code_inline":
                yield child.content


def trees(page: str) -> Iterator[ast.Module]:
    """The Python of a page: all blocks, and spans that parse."""
    for block in blocks(page, "python"):
        yield ast.parse(textwrap.dedent(block))
    for span in spans(page):
        try:
            tree = ast.parse(span.replace("…", "..."))
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            # publish() names the function.
            if isinstance(node, ast.Call) and not node.args and not node.keywords:
                node.args.append(ast.Constant(...))
        yield tree
