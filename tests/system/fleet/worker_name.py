"""What Airflow on this machine calls itself: two workers on one machine would share its host name."""

from __future__ import annotations

import os
import socket


def name() -> str:
    return os.environ.get("FLEET_WORKER") or socket.gethostname()
