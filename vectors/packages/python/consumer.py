"""Gives the vectors of the package to the parser in consumers/python."""

import run  # consumers/python/run.py
import tlsflags_vectors

count = 0
for kind in run.KINDS:
    file = tlsflags_vectors.load(kind)
    for group in file["groups"]:
        for test in group["tests"]:
            wrong = run.check(group, test)
            assert wrong is None, wrong
            count += 1
for kind in tlsflags_vectors.KINDS:
    file = tlsflags_vectors.load(kind)
    assert file["kind"] == kind and file["number_of_tests"] == sum(len(g["tests"]) for g in file["groups"])
print(f"Python package {file['version']}: {count} vectors pass")
