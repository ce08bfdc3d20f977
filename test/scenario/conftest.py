import os
import random

import pytest

from node import Node


def pytest_addoption(parser):
    parser.addoption("--all-crash-points", action="store_true",
                     help="visit every crash point of the daemon instead of some (test_crash_points.py)")


@pytest.fixture
def node():
    """A node of its own for tests that hurt it."""
    made = Node()
    try:
        yield made.start()
    finally:
        made.destroy()


@pytest.fixture(scope="module")
def shared_node():
    """One node for all tests of a file that leave it in order."""
    made = Node()
    try:
        yield made.start()
    finally:
        made.destroy()


@pytest.fixture
def rng():
    """Random numbers that can be had again: TIDEMARK_SEED=<printed seed>."""
    seed = int(os.environ.get("TIDEMARK_SEED", random.SystemRandom().randrange(2**32)))
    print(f"seed: TIDEMARK_SEED={seed}")
    return random.Random(seed)
