"""What several tests share: accounts, Airflows and clients made for them."""
