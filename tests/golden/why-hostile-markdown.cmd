refchain why hostile.rch Leak --format markdown
