"""A process that runs DAGs of one file one after the other: run_dags.py MODULE '[["dag", {conf}], …]'."""

from __future__ import annotations

import json
import sys

from support.dag_runs import Runner, load_dag_file


def main() -> None:
    module, wanted = load_dag_file(sys.argv[1]), json.loads(sys.argv[2])
    states = [Runner()(getattr(module, name), **conf).state for name, conf in wanted]
    # In one piece, and last: threads of OpenLineage write to the same standard output.
    sys.stdout.write(f"\nstates: {json.dumps(states)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
