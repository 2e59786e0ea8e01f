"""What is written for those who ask later, and read again."""
