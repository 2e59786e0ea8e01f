"""Task groups that reset leads."""
