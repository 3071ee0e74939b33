# SPDX-License-Identifier: MIT
"""A syntax tree, a parser of arguments, a document and a configuration: data in use."""

import argparse
import ast
import configparser
import xml.etree.ElementTree as ET


def leak(n):
    global tree, cfg, doc, p
    tree = ast.parse(open(ast.__file__).read())
    p = argparse.ArgumentParser()
    for i in range(40):
        p.add_argument("--opt%d" % i, type=int)
    doc = ET.fromstring("<a>" + '<b x="1"/>' * 300 + "</a>")
    cfg = configparser.ConfigParser()
    cfg.read_dict({"s%d" % i: {"a": "1"} for i in range(30)})
