"""Datasets: samples on disk, their manifest, checks, and the contact sheet.

>>> import vasgen.datasets
>>> dataset = vasgen.datasets.open("out/quickstart")  # doctest: +SKIP
>>> sample = dataset[0]  # doctest: +SKIP
>>> sample.radio.path_gain_db.shape  # doctest: +SKIP
(2, 480, 640)
"""

from vasgen.datasets.dataset import Dataset, Views, read_views
from vasgen.datasets.dataset import open_dataset as open
from vasgen.datasets.manifest import Manifest
from vasgen.datasets.sheet import contact_sheet
from vasgen.datasets.store import Sample, ViewRecord
from vasgen.datasets.verify import Problem, Report, verify

__all__ = [
    "Dataset",
    "Manifest",
    "Problem",
    "Report",
    "Sample",
    "ViewRecord",
    "Views",
    "contact_sheet",
    "open",
    "read_views",
    "verify",
]
