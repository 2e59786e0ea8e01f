"""The account as text for a terminal, and as one HTML page."""

from __future__ import annotations

from html import escape

from airflow_provider_leadreset.evidence_report.collect import Line


def as_text(account: dict[str, list[Line]]) -> str:
    """Return it for a terminal."""
    if not account:
        return "No evidence was found here."
    parts = []
    for run, lines in account.items():
        parts += [run, "=" * len(run), *(f"{heading}\n    {said}" for heading, said in lines), ""]
    return "\n".join(parts)


def as_html(account: dict[str, list[Line]]) -> str:
    """Return it as one page that needs nothing else."""
    body = "".join(
        f"<h2>{escape(run)}</h2><dl>"
        + "".join(f"<dt>{escape(heading)}</dt><dd>{escape(said)}</dd>" for heading, said in lines)
        + "</dl>"
        for run, lines in account.items()
    )
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Account of lead resets</title>"
        "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
        "dt{font-weight:600;margin-top:.8rem}dd{margin:0 0 0 1rem;white-space:pre-wrap}</style>"
        f"<h1>Account of lead resets</h1>{body or '<p>No evidence was found here.</p>'}</html>\n"
    )
