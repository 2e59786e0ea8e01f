"""What a task does when it runs. Imported by ``execute`` and ``poke`` only, so that DAGs parse quickly.

But for :mod:`.retry_policy`, which a task carries from its parse on.
"""
