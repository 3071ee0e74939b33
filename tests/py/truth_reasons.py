# SPDX-License-Identifier: MIT
"""Why a capture knows references that tp_traverse does not visit: each is owned, and hidden from the
collector for the reason stated here. Anything else is a mistake of a decoder."""

import fnmatch
import re

# (C type of the object, kind of the edge, its name) -> reason; * and ? as in file names
OWNED = {
    ("*", "weak", "referent"): "a weak reference: listed, never holding",
    ("*", "key", "*"): "keys of a table that only has str keys are not visited",
    ("*", "field", "__name__"): "a str: it cannot be part of a cycle",
    ("*", "field", "__qualname__"): "a str: it cannot be part of a cycle",
    ("*type", "field", "shared key"): "keys of the table that instances share",
    ("*Type", "reference", ""): "keys of the table that instances share",
    ("*type", "field", "__subclasses__"): "a dict of weak references that only the class holds",
    ("*Type", "field", "__subclasses__"): "a dict of weak references that only the class holds",
    ("*type", "field", "__slots__"): "a tuple of str that only the class holds",
    ("*Type", "field", "__slots__"): "a tuple of str that only the class holds",
    ("*", "dict", "__dict__"): "3.13: while values are inline they are visited, not their dict",
    ("dict", "attribute", "*"): "3.13: values in an instance are visited there, dict or no dict",
    ("*CField", "field", "name"): "a str: it cannot be part of a cycle",
    ("zlib.Decompress", "field", "un*"): "bytes: they cannot be part of a cycle",
    ("generator", "field", "f_code"): "3.12+: a finished generator keeps its code",
    ("coroutine", "field", "f_code"): "3.12+: a finished generator keeps its code",
    ("async_generator", "field", "f_code"): "3.12+: a finished generator keeps its code",
    ("code", "field", "co_*"): "without the GIL the collector tracks it, and visits its constants only",
    ("_io.BytesIO", "field", "buffer"): "bytes: they cannot be part of a cycle",
    ("_io.BufferedRWPair", "field", "*"): "up to 3.11 it visits its __dict__ only",
    ("_thread._local", "field", "key"): "a str made for this object",
    ("_thread._local", "field", "callback"): "of the weak references to its dummies",
    ("StgDict", "field", "*"): "ctypes visits the dict of its facts and leaves the fields out",
    ("pyexpat.xmlparser", "field", "intern"): "the parser's table of names",
    (
        "_ssl._SSLSocket",
        "field",
        "*",
    ): "the type has no tp_traverse, or one that visits the type only",
}


# Compiled here: fnmatch's own cache would change while it is compared.
_RULES = [
    (kind, *(re.compile(fnmatch.translate(word)).match for word in (of_type, of_name)), reason)
    for (of_type, kind, of_name), reason in OWNED.items()
]


def reason_for(type_name, edge):
    """The reason for a reference that is not visited, or None."""
    for kind, type_matches, name_matches, reason in _RULES:
        if edge[0] == kind and type_matches(type_name) and name_matches(edge[1] or ""):
            return reason
    return None
