"""Runs the benchmark programs in turn and prints a comparison; see script/bench --help."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

BUILD = "build/bench"
WORKLOADS = ["W1", "W2", "W3", "W4", "W5", "W6", "W8"]
ATTUNE = "Attune"
BOUND = "GEMM bound"
# name -> command; programs that are not installed are reported as missing.
PROGRAMS = {
    ATTUNE: [f"{BUILD}/workloads"],
    "libtorch (Debian)": [f"{BUILD}/libtorch-debian/workloads"],
    "libtorch (PyPI)": [f"{BUILD}/libtorch-pypi/workloads"],
    "PyTorch eager": [sys.executable, "bench/pytorch.py", "--mode", "eager"],
    "torch.compile": [sys.executable, "bench/pytorch.py", "--mode", "compile"],
    BOUND: [f"{BUILD}/gemm_bound"],
}
WITHOUT = {"libtorch (Debian)": {"W8"}, "libtorch (PyPI)": {"W8"},
           "torch.compile": {"W4", "W5", "W6"}, BOUND: {"W6"}}
# OpenMP's wait policy and thread binding: each peer runs with the setting that is fastest for it.
SETTINGS = [{}, {"OMP_PROC_BIND": "true"}, {"OMP_WAIT_POLICY": "passive"}]
WINDOW = 64  # keys seen on either side, where W5 has a window
BUSY_SHARE = 0.05  # of a core; a round is noted if others, or the host, took more


def say(text):
    print(text, file=sys.stderr, flush=True)


def installed():
    found = {}
    for name, command in PROGRAMS.items():
        if command[0] == sys.executable:
            there = subprocess.run([sys.executable, "-c", "import torch"], capture_output=True)
            found[name] = there.returncode == 0
        else:
            found[name] = os.path.exists(command[0])
    return found


def run(name, workload, threads, seconds, setting=None, length=None, window=None):
    """The result of one run; None if the program fails."""
    command = PROGRAMS[name] + ["--workload", workload, "--threads", str(threads),
                                "--seconds", str(seconds), "--json"]
    if length:
        command += ["--length", str(length)]
    if window:
        command += ["--window", str(window)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OMP_")}
    result = subprocess.run(command, capture_output=True, text=True,
                            env={**environment, **(setting or {})})
    if result.returncode != 0:
        say(f"{' '.join(command)} failed: {result.stderr.strip()[-300:]}")
        return None
    return json.loads(result.stdout.strip().splitlines()[-1])


def processor_times():
    """Seconds that all processors were busy, and seconds stolen by the host."""
    try:
        with open("/proc/stat", encoding="ascii") as file:
            fields = [int(x) / os.sysconf("SC_CLK_TCK") for x in file.readline().split()[1:]]
    except OSError:
        return 0.0, 0.0
    return sum(fields[:3]) + sum(fields[5:8]), fields[7]


class Watch:
    """Measures the processor time used by programs other than the measured ones."""

    def __init__(self):
        self.begin = time.monotonic()
        self.used, self.stolen = processor_times()
        self.own = self.children()

    @staticmethod
    def children():
        times = os.times()
        return times.children_user + times.children_system + times.user + times.system

    def others(self):
        """The average numbers of cores used by others, and stolen by the host."""
        seconds = time.monotonic() - self.begin
        used, stolen = processor_times()
        others = used - self.used - (stolen - self.stolen) - (self.children() - self.own)
        return max(0.0, others) / seconds, (stolen - self.stolen) / seconds


def choose(name, workload, cores, seconds):
    """The fastest number of threads and setting, found in short runs."""
    by_threads = {}
    for threads in range(1, cores + 1):
        result = run(name, workload, threads, seconds)
        if result:
            by_threads[threads] = result["ms_per_step"]
    if not by_threads:
        return None
    threads = min(by_threads, key=by_threads.get)
    # Compiling again for each setting takes minutes, and the settings do not affect Attune.
    if threads == 1 or name in (ATTUNE, BOUND, "torch.compile"):
        return threads, {}
    times = [[] for _ in SETTINGS]
    for _ in range(2):
        for index, setting in enumerate(SETTINGS):
            result = run(name, workload, threads, seconds, setting)
            times[index].append(result["ms_per_step"] if result else float("inf"))
    # Another setting must be 5% faster than the default, to rule out noise.
    best = min(range(len(SETTINGS)), key=lambda i: min(times[i]) * (1 if i else 0.95))
    return threads, SETTINGS[best]


def compare(workload, names, cores, args, notes):
    """Runs the programs in turn and takes the median of each program's runs."""
    choices = {}
    for name in names:
        if workload in WITHOUT.get(name, ()):
            continue
        say(f"{workload}: looking for the best setting of {name}")
        choice = choose(name, workload, cores, min(args.seconds, 0.5))
        if choice:
            choices[name] = choice
    runs = {name: [] for name in choices}
    for index in range(args.rounds):
        watch = Watch()
        for name, (threads, setting) in choices.items():
            result = run(name, workload, threads, args.seconds, setting)
            if result:
                runs[name].append(result)
        others, stolen = watch.others()
        if others > BUSY_SHARE or stolen > BUSY_SHARE:
            notes.append(f"{workload}, round {index + 1}: others used {others:.2f} cores, "
                         f"the host took {stolen:.2f}")
        say(f"{workload}: round {index + 1} of {args.rounds} done")
    figures = {}
    for name, results in runs.items():
        if not results:
            continue
        times = [result["ms_per_step"] for result in results]
        middle = min(results, key=lambda r: abs(r["ms_per_step"] - statistics.median(times)))
        figures[name] = {**middle, "ms_per_step": statistics.median(times),
                         "ms_of_runs": times, "setting": choices[name][1],
                         "peak_rss_mb": max(result["peak_rss_mb"] for result in results)}
    return figures


def table(header, rows):
    rows = [header, ["---"] * len(header), *rows]
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()


def print_comparison(figures, names):
    peers = [name for name in PROGRAMS if name not in (ATTUNE, BOUND)]
    header = ["workload", "Attune, ms"] + [f"{name}, ms" for name in peers]
    header += ["share of the GEMM bound", "peak memory, MB"]
    rows = []
    for workload, found in figures.items():
        if ATTUNE not in found:
            continue
        own = found[ATTUNE]
        row = [workload, f"{own['ms_per_step']:.3g} ({own['threads']} thr.)"]
        for name in peers:
            if name not in names:
                row.append("missing")
            elif name not in found:
                row.append("–")
            else:
                peer = found[name]
                row.append(f"{peer['ms_per_step']:.3g} ({peer['threads']} thr.), "
                           f"**{peer['ms_per_step'] / own['ms_per_step']:.2f}x**")
        bound = found.get(BOUND)
        row.append(f"{100 * bound['ms_per_step'] / own['ms_per_step']:.0f}% of "
                   f"{bound['ms_per_step']:.3g} ms" if bound else "–")
        memory = [found[name]["peak_rss_mb"] for name in [ATTUNE, *peers] if name in found]
        row.append(" / ".join(f"{mb:.0f}" for mb in memory))
        rows.append(row)
    table(header, rows)
    for workload, found in figures.items():
        for name, peer in found.items():
            if peer["setting"]:
                print(f"{workload}, {name}: fastest with "
                      + " ".join(f"{key}={value}" for key, value in peer["setting"].items()))


def print_threads(cores, args, workloads, report):
    rows = []
    for workload in workloads:
        pairs = []
        for _ in range(args.rounds):
            pair = [run(ATTUNE, workload, threads, args.seconds) for threads in (1, cores)]
            if all(pair):
                pairs.append([result["ms_per_step"] for result in pair])
        if not pairs:
            continue
        one, all_cores = (statistics.median(column) for column in zip(*pairs))
        report["threads"][workload] = {"1": one, str(cores): all_cores}
        rows.append([workload, f"{one:.3g}", f"{all_cores:.3g}", f"{one / all_cores:.2f}x"])
    if rows:
        table(["Attune", "1 thread, ms", f"{cores} threads, ms", "gain"], rows)


def available_mb():
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            return next(int(line.split()[1]) / 1024 for line in file if "MemAvailable" in line)
    except (OSError, StopIteration):
        return float("inf")


def print_memory(names, cores, report):
    """W5 with longer sequences: storing scores takes T * T numbers for each head. With a window,
    time and memory are linear in T."""
    names = [name for name in names if name not in (BOUND, "torch.compile")]
    rows, last = [], {}
    for length in (512, 1024, 2048, 4096, 8192):
        say(f"W5, T = {length}: {ATTUNE}, window")
        result = run(ATTUNE, "W5", cores, 0.01, length=length, window=WINDOW)
        report["attention_memory"].setdefault("window", {})[length] = result
        row = [length, "failed"]
        if result:
            row[1] = f"{result['peak_rss_mb']:.0f} MB, {result['ms_per_step']:.0f} ms"
        for name in names:
            if 4 * last.get(name, 0) > available_mb() / 2:  # the machine would start to swap
                row.append("too large")
                continue
            say(f"W5, T = {length}: {name}")
            result = run(name, "W5", cores, 0.01, length=length)
            if not result:
                row.append("failed")
                continue
            last[name] = result["peak_rss_mb"]
            report["attention_memory"].setdefault(name, {})[length] = result
            row.append(f"{result['peak_rss_mb']:.0f} MB, {result['ms_per_step']:.0f} ms")
        rows.append(row)
    table(["W5 with T =", f"Attune, {WINDOW} keys on either side", *names], rows)


def print_busy(names, cores, args, report):
    """Times with one core occupied by an endless loop; all programs use default settings."""
    rows = []
    peers = [name for name in names if name not in (BOUND, "torch.compile")]
    for workload in ("W1", "W2"):
        for name in peers:
            quiet, busy = [], []
            for _ in range(args.rounds):
                quiet.append(run(name, workload, cores, args.seconds))
                loop = subprocess.Popen([sys.executable, "-c", "while True: pass"])
                try:
                    if hasattr(os, "sched_setaffinity"):
                        os.sched_setaffinity(loop.pid, {0})
                    time.sleep(0.3)
                    busy.append(run(name, workload, cores, args.seconds))
                finally:
                    loop.kill()
                    loop.wait()
            if not all(quiet) or not all(busy):
                continue
            before, beside = (statistics.median(r["ms_per_step"] for r in runs)
                              for runs in (quiet, busy))
            report["busy"].setdefault(workload, {})[name] = {"quiet": before, "busy": beside}
            rows.append([workload, name, f"{before:.3g}", f"{beside:.3g}",
                         f"{100 * before / beside:.0f}%"])
    table(["workload", "program", "quiet, ms", "one core busy, ms", "keeps"], rows)


def main():
    parser = argparse.ArgumentParser(prog="script/bench")
    parser.add_argument("--workloads", default=",".join(WORKLOADS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--busy", action="store_true")
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.seconds = 1, 0.5
    workloads = args.workloads.split(",")
    unknown = [workload for workload in workloads if workload not in WORKLOADS]
    if unknown or args.rounds < 1 or args.seconds <= 0:
        parser.error(f"unknown workload {unknown[0]}; known are {', '.join(WORKLOADS)}" if unknown
                     else "--rounds and --seconds must be positive")

    if args.json:  # fail now rather than after half an hour
        try:
            open(args.json, "a", encoding="utf-8").close()
        except OSError as error:
            parser.error(f"cannot write {args.json}: {error.strerror}")

    there = installed()
    names = [name for name, found in there.items() if found]
    for name in set(there) - set(names):
        say(f"missing: {name}")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    report = {"cores": cores, "workloads": {}, "threads": {}, "attention_memory": {}, "busy": {},
              "notes": []}
    for workload in workloads:
        report["workloads"][workload] = compare(workload, names, cores, args, report["notes"])
    print_comparison(report["workloads"], names)
    for found in report["workloads"].values():
        report.setdefault("versions", {}).update(
            {name: result.get("version", "") for name, result in found.items()})
    for name, version in report.get("versions", {}).items():
        print(f"{name}: {version}")
    print()
    if cores > 1:
        print_threads(cores, args, workloads, report)
    if "W5" in workloads:
        print_memory(names, cores, report)
    if args.busy:
        print_busy(names, cores, args, report)
    for note in report["notes"]:
        print(f"The machine was busy: {note}")
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1)


if __name__ == "__main__":
    main()
