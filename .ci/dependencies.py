"""Every dependency has a licence that deny.toml allows, and comes from the registry.

The part of `cargo deny check` that needs nothing but the machine at hand. Exits with 1 and a line for
each dependency that does not hold.
"""

import json
import re
import subprocess
import sys
import tomllib

with open("deny.toml", "rb") as file:
    ALLOWED = set(tomllib.load(file)["licenses"]["allow"])
# Crates whose licence stands in a file, read by a person.
READ = {"cfg_block": "Apache-2.0"}


def allows(expression):
    """Whether an SPDX expression is met by allowed licences; `A/B` is an old way to say `A OR B`."""
    expression = expression.replace("/", " OR ")
    words = re.findall(r"\(|\)|\bAND\b|\bOR\b|(?:(?!\bAND\b|\bOR\b)[^()\s]+ ?)+", expression)
    truths = {"AND": "and", "OR": "or", "(": "(", ")": ")"}
    return eval(" ".join(truths.get(word.strip(), str(word.strip() in ALLOWED)) for word in words))


command = ["cargo", "metadata", "--format-version", "1", "--locked", "--all-features"]
packages = json.loads(subprocess.check_output(command))["packages"]
others = [package for package in packages if package["source"]]
wrong = []
for package in others:
    name = f"{package['name']} {package['version']}"
    if not package["source"].startswith("registry+"):
        wrong.append(f"{name} comes from {package['source']}")
    licence = package["license"] or READ.get(package["name"])
    if licence is None or not allows(licence):
        wrong.append(f"{name} has the licence {licence or package['license_file']}")
print("\n".join(wrong) or f"{len(others)} dependencies, all of allowed licences and from the registry")
sys.exit(1 if wrong else 0)
