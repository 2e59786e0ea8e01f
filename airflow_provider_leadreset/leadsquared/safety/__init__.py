"""What is shown, approved, copied and verified, so that a reset takes what was meant and nothing else."""
