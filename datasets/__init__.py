"""Datasets: samples on disk, their manifest, checks, and the contact sheet.

>>> import vasgen.datasets
>>> dataset = vasgen.datasets.open("out/quickstart")  # doctest: +SKIP
>>> sample = dataset[0]  # doctest: +SKIP
>>> sample.radio.path_gain_db.shape  # doctest: +SKIP
(2, 480, 640)
"""

from vasgen.datasets.accuracy import Accuracy, accuracies, target_text
from vasgen.datasets.dataset import Dataset, Views, read_views
from vasgen.datasets.dataset import open_dataset as open
from vasgen.datasets.findings import Problem
from vasgen.datasets.manifest import Manifest
from vasgen.datasets.sheet import contact_sheet
from vasgen.datasets.store import Sample
from vasgen.datasets.verify import Report, verify
from vasgen.datasets.view_record import ViewRecord

__all__ = [
    "Accuracy",
    "Dataset",
    "Manifest",
    "Problem",
    "Report",
    "Sample",
    "ViewRecord",
    "Views",
    "accuracies",
    "contact_sheet",
    "open",
    "read_views",
    "target_text",
    "verify",
]
