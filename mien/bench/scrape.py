"""The services' own metrics, read from all processes of a stack."""

from collections import Counter
from collections.abc import Mapping

import httpx
from prometheus_client.parser import text_string_to_metric_families

from mien.local.home import Home

Labels = frozenset[tuple[str, str]]
Samples = Mapping[tuple[str, Labels], float]
"""Value by name and labels, summed over the processes of a service."""


def scrape(home: Home) -> Samples:
    """Return the metrics of all running services.

    Raises:
        httpx.HTTPError: A service does not answer.
    """
    totals: Counter[tuple[str, Labels]] = Counter()
    for process in home.read_state()["processes"]:
        if process["health_port"]:
            totals.update(scrape_port(process["health_port"]))
    return totals


def scrape_port(health_port: int) -> Samples:
    """Return the metrics of one process of this machine."""
    text = httpx.get(f"http://127.0.0.1:{health_port}/metrics", timeout=5).text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def total(samples: Samples, name: str, **labels: str) -> float:
    """Return the sum of a metric over all samples that carry these labels."""
    wanted = labels.items()
    return sum(value for (found, has), value in samples.items() if found == name and wanted <= has)


def total_by(samples: Samples, name: str, label: str, **labels: str) -> dict[str, float]:
    """Return the same for each value of one label, what is zero left out."""
    wanted = labels.items()
    parts: Counter[str] = Counter()
    for (found, has), value in samples.items():
        if found == name and wanted <= has and value:
            parts[dict(has)[label]] += value  # type: ignore[assignment]  # Counter is typed for integers
    return dict(parts)
