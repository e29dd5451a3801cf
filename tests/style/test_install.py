#!/usr/bin/env python3
"""Stages an installation and looks at what it puts where.

environment: HW_BUILD, HW_SRC
"""
import os
import re
import shutil
import stat
import subprocess
import tempfile
import unittest

BUILD = os.environ["HW_BUILD"]
SRC = os.environ["HW_SRC"]


def sources(*parts):
    folder = os.path.join(SRC, *parts)
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="hwtest-stage-")
        cls.stage = cls.folder.name
        subprocess.run(["cmake", "--install", BUILD, "--prefix", "/usr"], check=True,
                       stdout=subprocess.DEVNULL, env={**os.environ, "DESTDIR": cls.stage})

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def staged(self, path):
        return os.path.join(self.stage, path.lstrip("/"))

    def read(self, path):
        with open(self.staged(path), encoding="utf-8") as f:
            return f.read()

    def test_every_kind_of_file_is_there(self):
        for path in ("/usr/bin/hullwatch",
                     "/usr/lib/systemd/system/hullwatch.service",
                     "/usr/lib/tmpfiles.d/hullwatch.conf",
                     "/etc/hullwatch/hullwatch.yaml",
                     "/etc/hullwatch/conf.d",
                     "/usr/share/man/man1/hullwatch.1",
                     "/usr/share/bash-completion/completions/hullwatch",
                     "/usr/share/zsh/vendor-completions/_hullwatch",
                     "/usr/share/fish/vendor_completions.d/hullwatch.fish"):
            with self.subTest(path):
                self.assertTrue(os.path.exists(self.staged(path)), path)

    def test_all_default_data_is_there(self):
        for kind in ("rules", "checks", "secrets", "profiles"):
            for name in sources("config", "default", kind):
                path = f"/usr/share/hullwatch/{kind}/{name}"
                self.assertTrue(os.path.exists(self.staged(path)), path)
        self.assertTrue(sources("config", "default", "rules"), "no default rules")

    def test_man_pages_are_all_there(self):
        for name in sources("docs", "man"):
            page = name.removesuffix(".scd")
            path = f"/usr/share/man/man{page.rsplit('.', 1)[1]}/{page}"
            self.assertTrue(os.path.exists(self.staged(path)), path)

    def test_nothing_else_is_there(self):
        allowed = re.compile(
            r"^/(usr/(bin/hullwatch|lib/(systemd/system|tmpfiles\.d)/hullwatch\.\w+|"
            r"share/(hullwatch|man/man\d)/.*|share/(bash-completion|zsh|fish)/.*)|etc/hullwatch/.*)$")
        for folder, _, names in os.walk(self.stage):
            for name in names:
                path = "/" + os.path.relpath(os.path.join(folder, name), self.stage)
                self.assertRegex(path, allowed)

    def test_nobody_else_may_write(self):
        for folder, names, files in os.walk(self.stage):
            for name in names + files:
                mode = os.stat(os.path.join(folder, name)).st_mode
                self.assertFalse(mode & (stat.S_IWGRP | stat.S_IWOTH | stat.S_ISUID), name)

    def test_the_shipped_configuration_does_not_point_into_the_source_tree(self):
        for folder, _, names in os.walk(self.staged("/etc/hullwatch")):
            for name in names:
                with open(os.path.join(folder, name), encoding="utf-8") as f:
                    self.assertNotIn(SRC, f.read())

    def test_the_unit_starts_what_was_installed(self):
        unit = self.read("/usr/lib/systemd/system/hullwatch.service")
        self.assertRegex(unit, r"(?m)^Type=notify$")
        program = re.search(r"(?m)^ExecStart=(\S+) run$", unit).group(1)
        self.assertTrue(os.access(self.staged(program), os.X_OK))

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze")
    def test_systemd_finds_nothing_wrong_in_the_unit(self):
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no",
             self.staged("/usr/lib/systemd/system/hullwatch.service")],
            capture_output=True, text=True, check=False)
        # The program stands in the stage, not where the unit says.
        wrong = [line for line in done.stderr.splitlines()
                 if "hullwatch.service:" in line and "is not executable" not in line]
        self.assertEqual(wrong, [])

    def test_the_binary_is_hardened(self):
        text = subprocess.run(["readelf", "-hldW", self.staged("/usr/bin/hullwatch")], check=True,
                              capture_output=True, text=True).stdout
        self.assertRegex(text, r"Type:\s+DYN")
        self.assertIn("GNU_RELRO", text)
        self.assertRegex(text, r"BIND_NOW|\bNOW\b")
        self.assertNotRegex(text, r"GNU_STACK.*RWE")
        self.assertNotRegex(text, r"RUNPATH|RPATH")


if __name__ == "__main__":
    unittest.main()
