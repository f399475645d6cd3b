"""A description of the data set of a run in the Croissant format of MLCommons, version 1.0."""

import os
from collections import Counter
from pathlib import Path

from flowers.base.tables import read_csv
from flowers.model.card import hash_file

VERSION = "http://mlcommons.org/croissant/1.0"
# The context of that version, which https://docs.mlcommons.org/croissant/docs/croissant-spec.html
# requires in every file.
TERMS = """
citeAs column equivalentProperty extract field fileObject fileProperty fileSet format includes
isLiveDataset jsonPath key md5 parentField path recordSet references regex repeated replace
samplingRate separator source subField transform
""".split()
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in TERMS},
}
COLUMNS = {
    "path": ("sc:Text", "path of the image below the folder of the photos"),
    "label": ("sc:Text", "class of the image"),
    "sha256": ("sc:Text", "SHA-256 of the file"),
    "width": ("sc:Integer", "width of the original image in pixels"),
    "height": ("sc:Integer", "height of the original image in pixels"),
}


def build_dataset_card(study, license, photos, index, folder):
    """Build the Croissant description of the images of a run.

    Its size depends on the number of classes only: the index has the digests of the images, and
    the description that of the index.

    Parameters
    ----------
    study : dict
        ``name``, ``title`` and ``noun``.
    license : str or None
        SPDX identifier, if it is known.
    photos : path-like
        Folder with one folder per class.
    index : path-like
        CSV file with the columns of `COLUMNS`, one row per image.
    folder : path-like
        Of the description, whose paths are relative to this folder.

    Returns
    -------
    dict
        JSON-LD, see https://docs.mlcommons.org/croissant/docs/croissant-spec.html.
    """
    counts = dict(sorted(Counter(read_csv(index)["label"].tolist()).items()))
    description = (
        f"{sum(counts.values())} photos of {len(counts)} classes; each shows one {study['noun']}."
    )
    index_file = {
        "@type": "cr:FileObject",
        "@id": "index",
        "name": Path(index).name,
        "description": "Path, class, SHA-256 and size of every image",
        "contentUrl": os.path.relpath(index, folder),
        "encodingFormat": "text/csv",
        "contentSize": f"{Path(index).stat().st_size} B",
        "sha256": hash_file(index, "sha256"),
    }
    image_files = {
        "@type": "cr:FileSet",
        "@id": "photos",
        "name": Path(photos).name,
        "description": "The images, one folder per class",
        "includes": f"{os.path.relpath(photos, folder)}/*/*",
        "encodingFormat": ["image/jpeg", "image/png", "image/webp"],
    }
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": VERSION,
        "name": study["name"],
        "alternateName": study["title"],
        "description": description,
        **({"license": license} if license else {}),
        "distribution": [index_file, image_files],
        "recordSet": [_describe_classes(counts), _describe_images()],
    }


def _describe_classes(counts):
    rows = [{"classes/name": label, "classes/images": count} for label, count in counts.items()]
    return {
        "@type": "cr:RecordSet",
        "@id": "classes",
        "dataType": "sc:Enumeration",
        "key": {"@id": "classes/name"},
        "field": [
            _describe_field("classes/name", "sc:Text", "name of the class"),
            _describe_field("classes/images", "sc:Integer", "images of the class"),
        ],
        "data": rows,
    }


def _describe_images():
    fields = []
    for column, (data_type, description) in COLUMNS.items():
        field = _describe_field(f"images/{column}", data_type, description)
        field["source"] = {"fileObject": {"@id": "index"}, "extract": {"column": column}}
        if column == "label":
            field["references"] = {"field": {"@id": "classes/name"}}
        fields.append(field)
    return {
        "@type": "cr:RecordSet",
        "@id": "images",
        "key": {"@id": "images/path"},
        "field": fields,
    }


def _describe_field(name, data_type, description):
    field = {"@type": "cr:Field", "@id": name, "dataType": data_type}
    return field | {"description": description}
