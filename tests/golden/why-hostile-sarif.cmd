refchain why hostile.rch Leak --format sarif
