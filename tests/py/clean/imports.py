# SPDX-License-Identifier: MIT
"""Half of the standard library is imported and used a little."""

import importlib
import re

NAMES = """argparse ast asyncio base64 bisect calendar cmd code codecs collections concurrent.futures
configparser contextlib copy csv ctypes dataclasses datetime decimal difflib dis doctest email
email.mime.text enum filecmp fileinput fnmatch fractions ftplib functools getpass gettext glob gzip hashlib
heapq hmac html http.client http.server imaplib inspect io ipaddress itertools json keyword linecache locale
logging logging.handlers lzma mailbox mimetypes multiprocessing numbers operator optparse os pathlib pdb
pickle pickletools pkgutil platform plistlib poplib pprint profile pstats queue quopri random sched secrets
selectors shelve shlex shutil signal smtplib socket socketserver sqlite3 ssl stat statistics string
stringprep struct subprocess symtable sysconfig tabnanny tarfile tempfile textwrap threading timeit token
tokenize trace traceback tracemalloc turtledemo typing unicodedata unittest urllib.request uuid venv
warnings wave weakref webbrowser wsgiref.simple_server xml.dom.minidom xml.etree.ElementTree xmlrpc.client
zipapp zipfile zoneinfo""".split()


def leak(n):
    for name in NAMES:
        try:
            importlib.import_module(name)
        except ImportError:
            pass
    for i in range(n):
        re.match("(a|b){%d}c" % i, "abc")
