"""What a task does when it runs. Imported by ``execute`` and ``poke`` only, so that DAGs parse quickly."""
