#!/usr/bin/env python3
"""
What hullwatch costs and how fast it is, as one table. Not a test: nothing is asserted.

    tests/bench/bench.py [--quick] [--bin FILE] [--tools DIR] [--only storms,latency,drain,start]

The storms of the shared workloads run with and without us in turn, in the same run, so that what
else the machine does falls on both. Figures are medians over the rounds, with the extremes.
"""
import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e", "lib"))

TICK = os.sysconf("SC_CLK_TCK")
STORMS = {
    # name: program, arguments, operations of a whole and of a quick run
    "getpid": ("w1_getpid", [], 20000000, 2000000),
    "open+close": ("w2_open", [], 2000000, 200000),
    "fork+exec": ("w3_exec", [], 20000, 2000),
    "connect": ("w4_connect", [], 100000, 10000),
}
NEVER = "evt.type in (open, openat, openat2, creat) and fd.name startswith /nonexistent/bench"


def options():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    ap.add_argument("--quick", action="store_true", help="a tenth of the load, fewer rounds")
    ap.add_argument("--bin", help="the hullwatch to measure (else HW_BIN, else build/release)")
    ap.add_argument("--tools", help="folder of the generators (else beside the binary's build)")
    ap.add_argument("--only", default="start,storms,latency,drain")
    ap.add_argument("--rounds", type=int)
    ap.add_argument("--json", metavar="FILE", help="write the raw figures too")
    return ap.parse_args()


OPTIONS = options()
if OPTIONS.bin:
    os.environ["HW_BIN"] = os.path.abspath(OPTIONS.bin)
elif "HW_BIN" not in os.environ:
    os.environ["HW_BIN"] = os.path.abspath(
        os.path.join(HERE, "..", "..", "build", "release", "bin", "hullwatch"))
os.environ.setdefault("HW_BUILD", OPTIONS.tools or
                      os.path.dirname(os.path.dirname(os.environ["HW_BIN"])))

import hw  # noqa: E402  the environment decides which binary
from hw import gear  # noqa: E402

ROUNDS = OPTIONS.rounds or (2 if OPTIONS.quick else 5)
TABLE, RAW = [], {}


def row(what, value, note=""):
    TABLE.append((what, value, note))
    print(f"  {what:<44} {value:<34} {note}", flush=True)


def spread(values, form="{:.2f}"):
    values = list(values)
    middle = form.format(statistics.median(values))
    if len(values) == 1:
        return middle
    return f"{middle} ({form.format(min(values))}-{form.format(max(values))})"


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
        words = f.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / TICK


def cpu_ns(pid):
    """CPU time over all threads, finer than the clock tick where the kernel tells."""
    total = 0
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/schedstat", encoding="ascii") as f:
            total += int(f.read().split()[0])
    return total


def rss_mib(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) / 1024


class Running:
    """hullwatch with its own state and bpffs; alerts go into a file, stamped by a tool."""

    def __init__(self, rules_text=None, rules=(), stamped=None, **keys):
        self.state, self.bpffs = hw.State(), gear.Bpffs().__enter__()
        paths = list(rules)
        if rules_text:
            paths.append(self.state.write("rules.yaml", rules_text))
        self.config = gear.write_config(self.state, self.bpffs, paths, **keys)
        self.stamper = None
        out = subprocess.DEVNULL
        if stamped:
            self.stamper = subprocess.Popen([gear.tool("stamp"), stamped], stdin=subprocess.PIPE)
            out = self.stamper.stdin
        began = time.monotonic()
        self.process = subprocess.Popen(
            [hw.BIN, "--config", self.config, "--state-dir", str(self.state), "run", "--output",
             "json"], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE)
        if self.stamper:
            self.stamper.stdin.close()
        self.log = b""
        for line in self.process.stderr:
            self.log += line
            if b"ready" in line:
                break
        else:
            sys.exit(f"hullwatch is not ready:\n{self.log.decode()}")
        self.ready_s = time.monotonic() - began
        self.start_cpu_s = cpu_ns(self.pid) / 1e9

    @property
    def pid(self):
        return self.process.pid

    def status(self):
        return gear.status(self.state, self.config)

    def settle(self):
        """Until nothing waits: its CPU time stands still."""
        last = cpu_ns(self.pid)
        while True:
            time.sleep(0.2)
            now = cpu_ns(self.pid)
            if now - last < 5e6:
                return
            last = now

    def stop(self):
        self.process.terminate()
        self.process.stderr.read()
        self.process.wait()
        if self.stamper:
            self.stamper.wait()
        self.bpffs.__exit__()
        self.state.__exit__()


def rules_for_storms():
    """What a user runs: the default rules and, where they are, the seeds'."""
    seeds = os.path.join(hw.SHARED, "data", "seed-rules")
    found = gear.default_rules()
    if os.path.isdir(seeds):
        found += sorted(os.path.join(seeds, f) for f in os.listdir(seeds) if f.endswith(".yaml"))
    return found


def seen(answer):
    """Events that reached user space, and those lost, of a status answer."""
    lost = answer["events"]["lost"]
    if isinstance(lost, dict):
        lost = sum(v for v in lost.values() if isinstance(v, int))
    return answer["events"]["seen"], lost


def build_workloads(folder):
    sources = os.path.join(hw.SHARED, "workloads")
    if not os.path.isdir(sources):
        return None
    for name in {program for program, _, _, _ in STORMS.values()}:
        subprocess.run(["cc", "-O2", "-pthread", "-o", os.path.join(folder, name),
                        os.path.join(sources, name + ".c")], check=True)
    return folder


def storm(argv):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = json.loads(done.stdout.strip().splitlines()[-1])
    result["cpu_s"] = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
    return result


def measure_storms(folder):
    if not build_workloads(folder):
        return row("storms", "not measured", "no shared workloads")
    plain, ours = {n: [] for n in STORMS}, {n: [] for n in STORMS}
    for turn in range(ROUNDS):
        for with_us in ((False, True) if turn % 2 == 0 else (True, False)):
            agent = Running(rules=rules_for_storms()) if with_us else None
            for name, (program, args, whole, quick) in STORMS.items():
                count = quick if OPTIONS.quick else whole
                one_storm(agent, (ours if with_us else plain)[name],
                          [os.path.join(folder, program), str(count), *args])
            if agent:
                agent.stop()
    for name in STORMS:
        tell_storm(name, plain[name], ours[name])
    RAW["storms"] = {"plain": plain, "ours": ours}


def one_storm(agent, results, argv):
    if agent:
        agent.settle()
        cpu, (events, lost) = cpu_ns(agent.pid), seen(agent.status())
    result = storm(argv)
    if agent:
        agent.settle()
        result["own_s"] = (cpu_ns(agent.pid) - cpu) / 1e9
        now = seen(agent.status())
        result["events"], result["lost"] = now[0] - events, now[1] - lost
        result["rss"] = rss_mib(agent.pid)
    results.append(result)


def tell_storm(name, plain, ours):
    row(f"{name}: plain, with us", f"{spread(r['ns_per_op'] for r in plain)} ns, "
        f"{spread(r['ns_per_op'] for r in ours)} ns", "an operation, wall")
    row(f"{name}: wall ratio", spread(o["wall_s"] / p["wall_s"] for o, p in zip(ours, plain)))
    row(f"{name}: CPU ratio of the load", spread(o["cpu_s"] / p["cpu_s"]
                                                 for o, p in zip(ours, plain)))
    events = statistics.median(r["events"] for r in ours)
    per_event = (f"{spread((r['own_s'] / r['events'] * 1e9 for r in ours), '{:.0f}')} ns an event"
                 if events > 1000 else "")
    row(f"{name}: own CPU", f"{spread(r['own_s'] for r in ours)} s", per_event)
    row(f"{name}: events, lost", f"{events:.0f}, {max(r['lost'] for r in ours)}",
        f"RSS after {spread((r['rss'] for r in ours), '{:.1f}')} MiB")


def event_ns(text):
    """The alert's own time, in ns since the epoch."""
    whole, fraction = text[:19], text[20:29]
    return int(time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) - time.timezone) * 10**9 \
        + int(fraction)


def latencies_ms(path):
    found = []
    with open(path, encoding="utf-8") as f:
        for line in f:
            stamp, text = line.split(" ", 1)
            found.append((int(stamp) - event_ns(json.loads(text)["time"])) / 1e6)
    return sorted(found)


def quantile(values, q):
    return values[min(len(values) - 1, int(len(values) * q))]


def measure_latency(folder):
    """From the system call to the line read by the next process: sparse, and in a storm."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    cases = (("sparse, 20/s", 100 if OPTIONS.quick else 200, 20),
             ("storm, 20000/s", 10000 if OPTIONS.quick else 50000, 20000),
             ("storm, unlimited", 20000 if OPTIONS.quick else 50000, 0))
    for what, count, rate in cases:
        with tempfile.TemporaryDirectory(dir="/dev/shm") as files:
            stamped = os.path.join(folder, "stamped")
            agent = Running(gear.open_rule(f"{files}/f"), stamped=stamped)
            cpu = cpu_ns(agent.pid)
            began = time.monotonic()
            gear.tool_run("opens", "-", f"{files}/f", count, rate, timeout_s=300)
            made_s = time.monotonic() - began
            agent.settle()
            spent = cpu_ns(agent.pid) - cpu
            agent.stop()
        values = latencies_ms(stamped)
        RAW["latency " + what] = values
        row(f"call to line, {what}: median, p95, max",
            f"{quantile(values, .5):.3f}, {quantile(values, .95):.3f}, {values[-1]:.3f} ms",
            f"{len(values)} of {count} lines, load {made_s:.2f} s, {spent / count / 1000:.1f} us "
            "CPU an alert")


def drain_once(rules_text, count, settings, done):
    """Fill the ring while the reader is stopped, then time how fast it is worked off."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as files:
        agent = Running(rules_text.replace("FOLDER", files), collector__ring_mib=64, **settings)
        before = agent.status()
        cpu = cpu_ns(agent.pid)
        with gear.Stopped(agent.pid):
            gear.tool_run("opens", "-", f"{files}/f", count, timeout_s=300)
            began = time.monotonic()
        while not done(agent, before, count):
            time.sleep(0.002)
        wall, spent = time.monotonic() - began, cpu_ns(agent.pid) - cpu
        was, now = seen(before), seen(agent.status())
        agent.stop()
    return wall, spent, now[0] - was[0], now[1] - was[1]


def all_judged(agent, before, count):
    was, now = seen(before), seen(agent.status())
    return sum(now) - sum(was) >= count


def all_alerts_stored(agent, _before, count):
    return gear.rows(agent.state, "SELECT max(n) AS n FROM alerts")[0]["n"] == count


def all_events_stored(agent, before, count):
    """Those that found no room in the store's queue are lost, and counted."""
    now = agent.status()
    stored = now["store"]["events"] - before["store"]["events"]
    return stored + seen(now)[1] - seen(before)[1] >= count


def measure_drain(_folder):
    count = 20000 if OPTIONS.quick else 100000
    never = f"""\
- rule: Bench never
  desc: looks at every open and never matches
  condition: {NEVER}
  output: never
  priority: DEBUG
"""
    always = gear.open_rule("FOLDER/f")
    for what, text, settings, done in (
            ("ring to verdict", never, {}, all_judged),
            ("ring to store, raw events", never, {"store__events": "all"}, all_events_stored),
            ("ring to store, every event an alert", always, {}, all_alerts_stored)):
        results = [drain_once(text, count, settings, done) for _ in range(ROUNDS)]
        row(what, f"{spread((r[2] / r[0] / 1000 for r in results), '{:.0f}')} k events/s",
            f"{spread((r[1] / max(1, r[2]) / 1000 for r in results), '{:.2f}')} us CPU an event, "
            f"lost {max(r[3] for r in results)}")
        RAW[what] = results


def measure_start(_folder):
    ready, cpu, rss, idle = [], [], [], []
    for _ in range(max(3, ROUNDS)):
        agent = Running(rules=rules_for_storms())
        ready.append(agent.ready_s * 1000)
        cpu.append(agent.start_cpu_s * 1000)
        agent.settle()
        rss.append(rss_mib(agent.pid))
        before, began = cpu_ns(agent.pid), time.monotonic()
        time.sleep(2 if OPTIONS.quick else 5)
        idle.append((cpu_ns(agent.pid) - before) / 1e7 / (time.monotonic() - began))
        agent.stop()
    row("start to ready", f"{spread(ready, '{:.0f}')} ms", f"CPU {spread(cpu, '{:.0f}')} ms")
    row("RSS idle", f"{spread(rss, '{:.1f}')} MiB")
    row("CPU idle", f"{spread(idle, '{:.2f}')} %", "of one CPU")
    RAW["start"] = {"ready_ms": ready, "rss": rss}


def main():
    parts = {"start": measure_start, "storms": measure_storms, "latency": measure_latency,
             "drain": measure_drain}
    wanted = [p for p in OPTIONS.only.split(",") if p]
    for name in wanted:
        if name not in parts:
            sys.exit(f"--only {name}: one of {', '.join(parts)}")
    with open("/proc/loadavg", encoding="ascii") as f:
        load = f.read().split()[0]
    print(f"{hw.BIN}, kernel {os.uname().release}, {os.cpu_count()} CPUs, load {load}, "
          f"{ROUNDS} rounds{', quick' if OPTIONS.quick else ''}", flush=True)
    with tempfile.TemporaryDirectory(prefix="hwbench-") as folder:
        for name in wanted:
            parts[name](folder)
    if OPTIONS.json:
        with open(OPTIONS.json, "w", encoding="utf-8") as f:
            json.dump({"table": TABLE, "raw": RAW}, f, indent=1)


main()
