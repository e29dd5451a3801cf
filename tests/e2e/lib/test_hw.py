#!/usr/bin/env python3
"""The helpers themselves: what they skip, wait for and report, against a stand-in for the binary."""
import contextlib
import io
import os
import stat
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from hw import appliance, base

STAND_IN = """#!/bin/sh
trap 'echo stopped >&2; exit 0' TERM
case "$MODE" in
cannot) echo "no ring buffer" >&2; exit 77 ;;
dies) echo "broken" >&2; exit 3 ;;
esac
echo "hullwatch: ready" >&2
echo '{"rule": "one"}'
echo '{"rule": "two"}'
echo '{"rule": "two"}'
while :; do sleep 0.05; done
"""


class Code(unittest.TestCase):
    """Exit codes of whole test programs."""

    def run_test(self, body, ci=""):
        text = f"import hw\n{body}\n"
        done = subprocess.run([sys.executable, "-c", text], check=False, capture_output=True,
                              text=True, env={**os.environ, "CI": ci,
                                              "PYTHONPATH": os.path.dirname(base.__file__) + "/.."})
        return done.returncode, done.stdout

    def test_skip_says_why_and_exits_77(self):
        self.assertEqual(self.run_test("hw.skip('no kernel')"), (77, "SKIP: no kernel\n"))

    def test_skip_fails_where_everything_must_run(self):
        self.assertEqual(self.run_test("hw.skip('x')", ci="true")[0], 1)
        self.assertEqual(self.run_test("hw.skip('x', optional=True)", ci="true")[0], 77)

    def test_one_failure_among_passes_and_skips_is_a_failure(self):
        body = ("def a(): pass\ndef b(): hw.fail('no')\ndef c(): hw.skip('x')\n"
                "hw.main({})")
        self.assertEqual(self.run_test(body.format("a"))[0], 0)
        self.assertEqual(self.run_test(body.format("a, c, a"))[0], 77)
        self.assertEqual(self.run_test(body.format("a, b, c"))[0], 1)


class Waiting(unittest.TestCase):
    def test_wait_until_gives_the_value(self):
        values = iter([0, "", 7])
        self.assertEqual(base.wait_until(lambda: next(values), 5, "a value"), 7)

    def test_wait_until_gives_up_at_the_deadline(self):
        began = time.monotonic()
        with self.assertRaises(AssertionError):
            base.wait_until(lambda: False, 0.05, "nothing")
        self.assertLess(time.monotonic() - began, 5)


class Running(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        path = os.path.join(self.folder.name, "hullwatch")
        with open(path, "w", encoding="ascii") as f:
            f.write(STAND_IN)
        os.chmod(path, stat.S_IRWXU)
        self.binary, appliance.BIN = appliance.BIN, path

    def tearDown(self):
        appliance.BIN = self.binary

    def start(self, mode=""):
        return appliance.Appliance(self.folder.name, env={"MODE": mode})

    def test_alerts_are_waited_for_and_collected(self):
        with self.start() as app:
            app.wait_ready()
            self.assertEqual(app.wait_alert(lambda a: a["rule"] == "two"), {"rule": "two"})
            self.assertEqual(len(app.wait_alerts(lambda a: a["rule"] == "two", 2)), 2)
            self.assertEqual(len(app.alerts()), 3)
            self.assertEqual(app.stop(), 0)
            self.assertIn("stopped", app.log())

    def test_a_kernel_that_cannot_is_a_skip(self):
        with contextlib.redirect_stdout(io.StringIO()), self.start("cannot") as app:
            with self.assertRaises(SystemExit):
                app.wait_ready()

    def test_an_early_end_is_a_failure_with_the_log(self):
        with self.start("dies") as app:
            with self.assertRaisesRegex(AssertionError, "broken"):
                app.wait_ready()

    def test_a_failing_block_leaves_no_process(self):
        app = self.start()
        with self.assertRaises(ValueError), app:
            app.wait_ready()
            raise ValueError
        self.assertFalse(app.alive())

    def test_an_alert_that_does_not_come_is_a_failure(self):
        with self.start() as app:
            app.wait_ready()
            with self.assertRaises(AssertionError):
                app.wait_alert(lambda a: a["rule"] == "three", timeout_s=0.05)


if __name__ == "__main__":
    unittest.main()
