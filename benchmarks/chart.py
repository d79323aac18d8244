"""The results as bars, in an SVG that is readable on light and on dark pages."""

from html import escape

from benchmarks.results import Results
from benchmarks.sides import SIDES
from benchmarks.table import HEADINGS, number

WIDTH = 760
LEFT = 300
BAR = 18
ROW = 26
HEAD = 40
SHOWN = ("100", "1000")

STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .head { font-weight: 600 }
  .note { font-size: 11px; fill: #59636e }
  .demo { fill: #0a7d4f }
  .peer { fill: #9aa4ae }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .note { fill: #9198a1 }
    .demo { fill: #3fb984 }
    .peer { fill: #656c76 }
  }
"""


def chart(results: Results) -> str:
    drawn: list[str] = []
    top = 0
    for part in SHOWN:
        bars = {
            side.name: rate
            for side in SIDES.values()
            if (rate := results.median(side.name, part, "deliveries_per_second"))
        }
        if not bars:
            continue
        title = f"Messages delivered per second, {HEADINGS[part]}"
        drawn.append(text(0, top + 20, title, "head"))
        top += HEAD
        for name, rate in bars.items():
            drawn += row(top, name, rate, max(bars.values()))
            top += ROW
        top += 10
    note = f"{results.date}, {results.machine}; server on one core"
    drawn.append(text(0, top + 12, note, "note"))
    height = top + 24
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img" '
        'aria-label="Messages delivered per second">\n'
        f"<style>{STYLE}</style>\n" + "\n".join(drawn) + "\n</svg>\n"
    )


def row(top: int, name: str, rate: float, longest: float) -> list[str]:
    kind = "demo" if name.startswith(("demo-", "engine-")) else "peer"
    width = max(2, round((WIDTH - LEFT - 80) * rate / longest))
    bar = f'<rect class="{kind}" x="{LEFT}" y="{top}" height="{BAR}" rx="2" '
    return [
        text(LEFT - 10, top + 14, SIDES[name].title, "name", anchor="end"),
        f'{bar}width="{width}"/>',
        text(LEFT + width + 6, top + 14, number(rate), "rate"),
    ]


def text(x: int, y: int, words: str, kind: str, anchor: str = "start") -> str:
    return (
        f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">'
        f"{escape(words)}</text>"
    )
