#!/usr/bin/python3
"""./dev soak fuzz [MINUTES] [PARSER…]: each parser of bytes from outside, or those named, under libFuzzer for so many
minutes (60), as many at a time as there are processors. Inputs that reach something new stay in build/fuzz/corpus, so
that the next time goes on from there; one that breaks a parser is written to build/fuzz/found. Exit codes: 0 all clean,
1 something was found, 64 wrong arguments, 130 interrupted."""
import os
import pathlib
import re
import subprocess
import sys
import time

PLACE = pathlib.Path("build/fuzz")
PROGRAM = PLACE / "bin" / "fuzz"
# A parser is done with 64 KiB in milliseconds, and no memory that it takes at once comes near this.
LIMITS = ["-timeout=5", "-rss_limit_mb=1024", "-malloc_limit_mb=128", "-max_len=65536"]
SILENCE = 60  # seconds between two lines that tell how far it is, where they cannot replace each other


def wrong(problem):
    print(f"{problem}\n./dev soak fuzz [MINUTES] [PARSER…], where MINUTES is a whole number from 1 on", file=sys.stderr)
    sys.exit(64)


def duration(seconds):
    seconds = max(0, round(seconds))
    if seconds >= 3600:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02} min"
    return f"{seconds // 60} min {seconds % 60:02} s" if seconds >= 60 else f"{seconds} s"


class Run:
    """One parser under libFuzzer, and what its log tells."""

    def __init__(self, parser):
        self.parser = parser
        self.corpus, self.log = PLACE / "corpus" / parser, PLACE / "log" / parser
        self.process, self.begun, self.took = None, 0, 0

    def start(self, seconds):
        subprocess.run([PROGRAM, "--seeds", self.parser, self.corpus], check=True)
        self.begun = time.monotonic()
        with open(self.log, "wb") as log:
            # In a session of its own, so that Ctrl-C at a terminal reaches it by us only.
            self.process = subprocess.Popen(
                [PROGRAM, self.parser, f"-max_total_time={seconds}", *LIMITS, "-print_final_stats=1",
                 f"-artifact_prefix={PLACE}/found/{self.parser}-", self.corpus],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def ended(self):
        if self.process.poll() is None:
            return False
        self.took = time.monotonic() - self.begun
        return True

    def interrupt(self):
        self.process.kill()
        self.process.wait()
        self.took = time.monotonic() - self.begun

    def said(self, *patterns):
        """Of the first pattern that the log has, the last match."""
        text = self.log.read_text(errors="replace")
        for pattern in patterns:
            if found := re.findall(pattern, text, re.MULTILINE):
                return found[-1]
        return ""

    def coverage(self):
        return self.said(r"cov: (\d+)") or "0"

    def runs(self):
        return int(self.said(r"number_of_executed_units: (\d+)", r"^#(\d+)\t") or 0)

    def breaking_input(self):
        return self.said(r"Test unit written to (\S+)")

    def result(self):
        if self.process.returncode == 0:
            return "clean"
        return self.said(r"(?:broken promise|a defect): .*", r"what\(\): .*", r"runtime error: .*", r"ERROR: (.*)") \
            or f"ended with {self.process.returncode}, see {self.log}"


class Screen:
    """A table that grows and, below it at a terminal, a line about how far it is; elsewhere one such line a minute."""

    def __init__(self, width):
        self.width, self.line, self.told = width, "", time.monotonic()

    def row(self, parser, runs, rate, coverage, inputs, result):
        self.erase()
        print(f"{parser:{self.width}} {runs:>13} {rate:>8} {coverage:>9} {inputs:>7}  {result}", flush=True)

    def show(self, run, result):
        self.row(run.parser, f"{run.runs():,}", f"{run.runs() / max(run.took, 0.1):,.0f}", run.coverage(),
                 len(list(run.corpus.iterdir())), result)

    def progress(self, text):
        if sys.stderr.isatty():
            self.erase()
            self.line = text[: os.get_terminal_size(sys.stderr.fileno()).columns - 1]
            print(self.line, end="", file=sys.stderr, flush=True)
        elif time.monotonic() - self.told >= SILENCE:
            self.told = time.monotonic()
            print(text, file=sys.stderr, flush=True)

    def erase(self):
        if self.line:
            print("\r" + " " * len(self.line) + "\r", end="", file=sys.stderr, flush=True)
        self.line = ""


def left(waiting, going, seconds, at_a_time):
    rounds = -(-len(waiting) // at_a_time)
    return rounds * seconds + max((run.begun + seconds - time.monotonic() for run in going), default=0)


def soak(parsers, seconds, at_a_time, screen):
    """Returns the runs that found something."""
    waiting, going, found = [Run(parser) for parser in parsers], [], []
    try:
        while waiting or going:
            while waiting and len(going) < at_a_time:
                going.append(waiting.pop(0))
                going[-1].start(seconds)
            for run in [run for run in going if run.ended()]:
                going.remove(run)
                screen.show(run, run.result())
                if run.process.returncode != 0:
                    found.append(run)
            now = ", ".join(f"{run.parser} (coverage {run.coverage()})" for run in going)
            screen.progress(f"{len(parsers) - len(waiting) - len(going)} of {len(parsers)} done, "
                            f"about {duration(left(waiting, going, seconds, at_a_time))} left; now {now}")
            time.sleep(0.5)
        return found
    finally:
        for run in going:
            run.interrupt()
            screen.show(run, "interrupted")
        screen.erase()


def arguments():
    minutes = sys.argv[1] if len(sys.argv) > 1 else "60"
    if not re.fullmatch(r"[1-9][0-9]{0,5}", minutes):
        wrong(f"{minutes!r} is no number of minutes")
    known = subprocess.run([PROGRAM, "--list"], check=True, capture_output=True, text=True).stdout.split()
    for parser in sys.argv[2:]:
        if parser not in known:
            wrong(f"there is no parser {parser!r}, but " + ", ".join(known))
    return sys.argv[2:] or known, 60 * int(minutes)


def main():
    parsers, seconds = arguments()
    for place in ("found", "log"):
        (PLACE / place).mkdir(parents=True, exist_ok=True)
    at_a_time = min(len(os.sched_getaffinity(0)), len(parsers))
    print(f"{len(parsers)} parsers, {duration(seconds)} each, {at_a_time} at a time: "
          f"about {duration(left(parsers, [], seconds, at_a_time))}\n", file=sys.stderr, flush=True)
    screen = Screen(max(map(len, ["parser", *parsers])))
    screen.row("parser", "runs", "a second", "coverage", "inputs", "result")
    try:
        found = soak(parsers, seconds, at_a_time, screen)
    except KeyboardInterrupt:
        print("interrupted; what was found out is kept in build/fuzz/corpus", file=sys.stderr)
        sys.exit(130)
    if found:
        print("\nto see what happens, and once more after it was mended:", file=sys.stderr)
        for run in found:
            print(f"  {PROGRAM} {run.parser} {run.breaking_input()}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
