"""The report page: the results of a run in one HTML file that needs no network."""

import base64
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from flowers.base.tables import format_percent, format_share
from flowers.evaluation.predictions import get_display_name

MEDIA_TYPES = {".svg": "image/svg+xml", ".jpg": "image/jpeg"}
TEMPLATE = "report_page.html"


def embed_image(path):
    """Encode an SVG or JPEG file as a data URI."""
    path = Path(path)
    content = base64.b64encode(path.read_bytes()).decode("ascii")
    return f"data:{MEDIA_TYPES[path.suffix]};base64,{content}"


def render_report(figures, tables, images):
    """Render the page as HTML; equal input gives equal bytes, and names are escaped.

    Parameters
    ----------
    figures : dict of str to dict
        The stages' JSON files ``evaluate``, ``fetch``, ``split``, ``train_svm``, ``promotion``, and
        the ``params`` that the page shows.
    tables : dict of str to list of dict
        ``per_class``, ``label_issues``, ``tuning``.
    images : dict of str to str
        Data URIs by name.
    """
    template = Path(__file__).with_name(TEMPLATE)
    return render_page(template, **figures, **tables, images=images)


def format_digits(value):
    """Format a parameter or figure: a float with three significant digits, others as they are.

    Examples
    --------
    >>> format_digits(0.03125), format_digits("rbf"), format_digits(815)
    ('0.0312', 'rbf', '815')
    """
    return f"{value:.3g}" if isinstance(value, float) else f"{value}"


def render_page(template, **values):
    """Render a page in the style of the report: names are escaped, an unknown value is an error.

    Parameters
    ----------
    template : pathlib.Path
        May include ``report_style.css``.
    **values
        By the names in the template.
    """
    environment = Environment(
        loader=FileSystemLoader([template.parent, Path(__file__).parent]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["display_name"] = get_display_name
    environment.filters["digits"] = format_digits
    environment.filters["p_value"] = lambda p: "< 0.001" if p < 0.001 else f"= {p:.3f}"
    environment.filters["points"] = lambda value: format_percent(value).removesuffix(" %")
    environment.filters["share"] = format_share
    environment.filters["percent"] = lambda value: format_percent(value).replace(" ", "\xa0")
    return environment.get_template(template.name).render(**values)
