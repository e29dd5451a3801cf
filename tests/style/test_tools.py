#!/usr/bin/env python3
"""tools/: the summary counts right, packages are installed only where missing, scripts parse."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
SCRIPTS = ["tools/run", "tools/test", "tools/lib.sh", ".ci/run"]


def case(name, status, output="", skipped=""):
    inner = f'<skipped message="{skipped}"/>' if skipped else ""
    if status == "fail":
        inner = '<failure message=""/>'
    return (f'<testcase name="{name}" classname="{name}" time="0.1" status="{status}">{inner}'
            f"<system-out>{output}</system-out></testcase>")


class Summary(unittest.TestCase):
    def run_summary(self, *cases, ci=False, name="result.xml"):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "result.xml"), "w", encoding="utf-8") as f:
                f.write(f"<testsuite>{''.join(cases)}</testsuite>")
            done = subprocess.run(
                [sys.executable, os.path.join(ROOT, "tools", "summary.py"),
                 f"dev={os.path.join(folder, name)}"],
                env={**os.environ, "CI": "true" if ci else ""}, text=True, capture_output=True,
                check=False)
        return done.stdout.splitlines()[-1], done.returncode

    def test_the_last_line_adds_up(self):
        self.assertEqual(
            self.run_summary(case("a", "run"), case("b", "run"),
                             case("c", "notrun", "SKIP: no kernel", "SKIP_RETURN_CODE=77")),
            ("2 passed, 0 failed, 1 skipped", 0))

    def test_a_failure_makes_the_exit_code_1(self):
        self.assertEqual(self.run_summary(case("a", "run"), case("b", "fail")),
                         ("1 passed, 1 failed, 0 skipped", 1))

    def test_a_test_that_could_not_start_failed(self):
        self.assertEqual(
            self.run_summary(case("a", "notrun", "", "Unable to find executable")),
            ("0 passed, 1 failed, 0 skipped", 1))

    def test_a_missing_or_damaged_result_failed(self):
        self.assertEqual(self.run_summary(name="none.xml"), ("0 passed, 1 failed, 0 skipped", 1))
        self.assertEqual(self.run_summary("<testcase"), ("0 passed, 1 failed, 0 skipped", 1))

    def test_control_bytes_in_the_output_do_no_harm(self):
        self.assertEqual(self.run_summary(case("a", "run", "\x1b[31m\x00")),
                         ("1 passed, 0 failed, 0 skipped", 0))

    def test_a_left_out_case_is_no_pass(self):
        left_out = case("a", "run", "[  SKIPPED ] reads_shared_file")
        self.assertEqual(self.run_summary(left_out), ("0 passed, 0 failed, 1 skipped", 0))
        self.assertEqual(self.run_summary(left_out, ci=True), ("0 passed, 1 failed, 0 skipped", 1))


FAKE_DPKG_QUERY = """#!/bin/sh
for last; do :; done
case " $INSTALLED " in *" $last "*) printf installed ;; *) exit 1 ;; esac
"""
FAKE_APT_GET = """#!/bin/sh
echo "$DEBIAN_FRONTEND $*" >> "$APT_LOG"
"""
FAKE_SUDO = """#!/bin/sh
exec "$@"
"""


class Packages(unittest.TestCase):
    def install(self, installed, wanted):
        """What apt-get was asked for."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (("dpkg-query", FAKE_DPKG_QUERY), ("apt-get", FAKE_APT_GET),
                               ("sudo", FAKE_SUDO)):
                path = os.path.join(folder, name)
                with open(path, "w", encoding="ascii") as f:
                    f.write(text)
                os.chmod(path, 0o755)
            log = os.path.join(folder, "log")
            subprocess.run(
                ["bash", "-c", 'set -euo pipefail; source tools/lib.sh; hw_install_packages "$@"',
                 "test", *wanted],
                cwd=ROOT, check=True, stderr=subprocess.DEVNULL,
                env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}",
                     "INSTALLED": " ".join(installed), "APT_LOG": log})
            if not os.path.exists(log):
                return []
            with open(log, encoding="ascii") as f:
                return f.read().splitlines()

    def test_nothing_is_called_when_nothing_is_missing(self):
        self.assertEqual(self.install(["a", "b"], ["a", "b"]), [])

    def test_only_what_is_missing_is_installed(self):
        update, install = self.install(["a"], ["a", "b", "c"])
        self.assertTrue(update.startswith("noninteractive ") and update.endswith(" update"))
        self.assertTrue(install.endswith(" install --no-install-recommends b c"), install)


class Scripts(unittest.TestCase):
    def test_scripts_parse(self):
        for script in SCRIPTS:
            subprocess.run(["bash", "-n", script], cwd=ROOT, check=True)

    @unittest.skipUnless(shutil.which("shellcheck"), "no shellcheck")
    def test_shellcheck_finds_nothing(self):
        done = subprocess.run(["shellcheck", "-x", "tools/run", "tools/test", ".ci/run"], cwd=ROOT, check=False,
                              capture_output=True, text=True)
        self.assertEqual(done.stdout, "")

    def test_a_wrong_argument_is_refused(self):
        done = subprocess.run(["tools/test", "--bogus"], cwd=ROOT, check=False,
                              capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (2, ""))


if __name__ == "__main__":
    unittest.main()
