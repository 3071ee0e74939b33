#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Say where this machine's apt gets Debian's packages; nothing if it does not. Debian itself, not its
# security updates.
apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' 'Created-By: Packages' \
    2>/dev/null | awk '$1 == "Debian" && $2 == "Debian" { print $3; exit }'
