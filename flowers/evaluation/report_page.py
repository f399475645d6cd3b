"""The result of a run as one page: everything in one file, to be read without a network."""

import base64
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

KINDS = {".svg": "image/svg+xml", ".jpg": "image/jpeg"}
TEMPLATE = "report_page.html"


def embed_image(path):
    """Turn a picture into the text that stands for it in a page.

    Parameters
    ----------
    path : path-like
        An SVG or JPEG file.

    Returns
    -------
    str
    """
    path = Path(path)
    content = base64.b64encode(path.read_bytes()).decode("ascii")
    return f"data:{KINDS[path.suffix]};base64,{content}"


def render_report(facts, tables, pictures):
    """Write the page; the same bytes for the same facts.

    Parameters
    ----------
    facts : dict of str to dict
        Figures of the stages by name: ``evaluate``, ``fetch``, ``split``, ``train_svm``,
        ``promotion``, ``drift``, and the ``params`` worth naming.
    tables : dict of str to list of dict
        ``per_class``, ``suspects``, ``tuning``.
    pictures : dict of str to str
        Data URIs by name.

    Returns
    -------
    str
        HTML. What comes from photos and their folders is escaped.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["percent"] = lambda share: f"{100 * share:.1f} %"
    return environment.get_template(TEMPLATE).render(**facts, **tables, pictures=pictures)
