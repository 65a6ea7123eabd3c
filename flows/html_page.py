"""How does a report become one HTML file that needs nothing beside it: text, tables, and pictures inside the page?"""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from html import escape

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #26323d; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem; margin-bottom: .2rem }
h2 { font-size: 1.2rem; margin-top: 2.4rem; border-top: 1px solid #d5dbe0; padding-top: 1rem }
p, figcaption { max-width: 48rem } figure { margin: 1.2rem 0 } img { max-width: 100% }
figcaption { color: #51606d; font-size: .9rem }
table { border-collapse: collapse; margin: 1rem 0; font-size: .88rem } caption { text-align: left; font-weight: 600; padding-bottom: .3rem }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #e6eaee; text-align: left }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums } tr.ours td { font-weight: 600 }
"""


def paragraph(text: str) -> str:
    """Return a paragraph.

    >>> paragraph("caps < orders")
    '<p>caps &lt; orders</p>'
    """
    return f"<p>{escape(text)}</p>"


def heading(text: str) -> str:
    """Return the heading of a part."""
    return f"<h2>{escape(text)}</h2>"


def picture(png: bytes, title: str, caption: str) -> str:
    """Return a picture with its caption.

    Parameters
    ----------
    png
        Bytes of the PNG file.
    title
        Told in place of the picture where it cannot be seen.
    caption
        What the picture shows, and how to read it.
    """
    source = base64.b64encode(png).decode("ascii")
    image = f'<img alt="{escape(title)}" src="data:image/png;base64,{source}">'
    return f"<figure>{image}<figcaption>{escape(caption)}</figcaption></figure>"


def html_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, ours: str | None = None) -> str:
    """Return a table; texts are set flush left, numbers flush right, and what is unknown is a dash.

    Parameters
    ----------
    title
        Above it.
    columns
        Headings.
    rows
        One value per column.
    ours
        Rows with this text in them are set bold; None for none.
    """
    numeric = [bool(rows) and all(not isinstance(row[position], str) for row in rows) for position in range(len(columns))]
    kinds = [' class="number"' if number else "" for number in numeric]
    head = "".join(f"<th{kind}>{escape(column)}</th>" for kind, column in zip(kinds, columns, strict=True))
    body = "".join(
        f"<tr{' class=' + chr(34) + 'ours' + chr(34) if ours in row else ''}>"
        + "".join(f"<td{kind}>{escape(shown(value))}</td>" for kind, value in zip(kinds, row, strict=True))
        + "</tr>"
        for row in rows
    )
    return f"<table><caption>{escape(title)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def shown(value: object) -> str:
    """Return the text of a value: whole numbers with thousands separated, others with three decimals.

    >>> shown(7038123), shown(0.41234), shown(None), shown(float("nan")), shown("rarer")
    ('7,038,123', '0.412', '–', '–', 'rarer')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def html_page(title: str, lead: str, parts: Sequence[str]) -> str:
    """Return the whole page.

    Parameters
    ----------
    title
        Of the page.
    lead
        What the page is about, one paragraph of plain text.
    parts
        HTML in order.
    """
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title><style>{STYLE}</style>'
    body = "\n".join([f"<h1>{escape(title)}</h1>", paragraph(lead), *parts])
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'
