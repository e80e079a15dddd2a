#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What jinja2 makes of chat templates, for the tests of our own interpreter.

expected.py            renders snippets.json and templates/*.jinja beside this file, and writes
                       snippets_expected.json and templates/expected.json
expected.py FOLDER     renders FOLDER/*.jinja with the same conversations, and writes
                       FOLDER/expected.json, for the test that FKV_TEMPLATES=FOLDER turns on

The environment is the one that Hugging Face transformers renders chat templates in. Needs jinja2.
An error is written as null: which words describe it is ours to choose.
"""
import datetime
import json
import pathlib
import sys

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.sandbox

HERE = pathlib.Path(__file__).parent
NOW = datetime.datetime(2024, 7, 6, 15, 4, 5)


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_text"), [], [], body).set_lineno(line)

    def _text(self, caller):
        return caller()


class NamespaceWithoutUnderscores(jinja2.utils.Namespace):
    def __init__(*args, **kwargs):
        self, args = args[0], args[1:]
        values = dict(*args, **kwargs)
        for name in values:
            NamespaceWithoutUnderscores.check(name)
        jinja2.utils.Namespace.__init__(self, values)

    def __setitem__(self, name, value):
        NamespaceWithoutUnderscores.check(name)
        jinja2.utils.Namespace.__setitem__(self, name, value)

    @staticmethod
    def check(name):
        if isinstance(name, str) and name.startswith("_"):
            raise jinja2.exceptions.SecurityError(name)


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators,
                      sort_keys=sort_keys)


def environment():
    env = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda form: NOW.strftime(form)
    env.globals["namespace"] = NamespaceWithoutUnderscores
    return env


def rendered(env, source, variables):
    try:
        return env.from_string(source).render(**variables)
    except Exception:
        return None


def write(path, value):
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def templates(env, folder):
    cases = json.loads((HERE / "conversations.json").read_text(encoding="utf-8"))
    out = {}
    for path in sorted(folder.glob("*.jinja")):
        with path.open(encoding="utf-8", newline="") as file:
            source = file.read()
        out[path.name] = {name: rendered(env, source, {**cases["tokens"], **case})
                          for name, case in cases["cases"].items()}
    write(folder / "expected.json", out)


def main():
    env = environment()
    if len(sys.argv) > 1:
        templates(env, pathlib.Path(sys.argv[1]))
        return
    snippets = json.loads((HERE / "snippets.json").read_text(encoding="utf-8"))
    write(HERE / "snippets_expected.json",
          [rendered(env, source, snippets["variables"]) for source in snippets["snippets"]])
    templates(env, HERE / "templates")


main()
