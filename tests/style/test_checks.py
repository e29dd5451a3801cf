#!/usr/bin/env python3
"""The style checks find what they are for: each is run over small trees, good and bad."""
import contextlib
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import banned
import layers
import sources


@contextlib.contextmanager
def tree(path, text):
    """A folder that holds one file, for the length of the block."""
    with tempfile.TemporaryDirectory() as root:
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as f:
            f.write(text)
        yield root


class Layers(unittest.TestCase):
    def good(self, path, text):
        with tree(path, text) as root:
            self.assertEqual(layers.include_problems(root), [])

    def bad(self, path, text):
        with tree(path, text) as root:
            self.assertEqual(len(layers.include_problems(root)), 1)

    def test_allowed_edges_pass(self):
        self.good("store/x.c", '#include "base/err.h"\n#include "rules/where.h"\n')
        self.good("cmd/x.c", '#include "alerts/sender.h"\n#include "collector/syscall/ring.h"\n')
        self.good("collector/syscall/x.c", '#include "bpf/wire.h"\n#include "hullwatch.skel.h"\n')
        self.good("collector/syscall/x.h", '#include "bpf/wire.h"\n')

    def test_edges_outside_the_table_fail(self):
        self.bad("base/x.c", '#include "rules/lex.h"\n')
        self.bad("rules/x.c", '#include "store/writer.h"\n')
        self.bad("alerts/x.c", '#include "collector/runtime/podman.h"\n')
        self.bad("collector/runtime/x.c", '#include "bpf/wire.h"\n')
        self.bad("collector/syscall/x.c", '#include "bpf/kernel.h"\n')
        self.bad("store/x.h", '#  include "cmd/env.h"\n')

    def test_relative_and_climbing_includes_fail(self):
        self.bad("base/x.c", '#include "err.h"\n')
        self.bad("base/x.c", '#include "base/../rules/lex.h"\n')

    def test_third_party_headers_stay_with_their_owner(self):
        self.good("base/sql.c", "#include <sqlite3.h>\n")
        self.good("bpf/exec.bpf.c", "#include <bpf/bpf_helpers.h>\n")
        self.bad("store/writer.c", "#include <sqlite3.h>\n")
        self.bad("base/sql.h", "#include <sqlite3.h>\n")
        self.bad("store/writer.c", '#include "sqlite3.h"\n')
        self.bad("cmd/x.c", "#include <bpf/libbpf.h>\n")
        self.bad("cmd/x.c", '#include "bpf/libbpf.h"\n')
        self.bad("cmd/x.c", '#include "hullwatch.skel.h"\n')
        self.bad("rules/x.c", "#include <pcre2.h>\n")

    def test_includes_in_comments_do_not_count(self):
        self.good("base/x.c", '/* #include "rules/lex.h" */\n// #include "rules/lex.h"\n')

    def test_a_comment_before_an_include_does_not_hide_it(self):
        self.bad("base/x.c", '/* why\n */\n#include "rules/lex.h"\n')

    def test_files_outside_every_folder_fail(self):
        self.bad("other/x.c", "int x;\n")

    def test_the_build_may_not_link_other_edges(self):
        for text, bad in (("hw_library(hw_rules LINK hw_base)", 0),
                          ("hw_library(hw_rules LINK hw_base hw_store)", 1),
                          ("hw_library(hw_rules OWNS m)", 1)):
            with tree("rules/CMakeLists.txt", text) as root:
                self.assertEqual(len(layers.link_problems(root)), bad, text)


class Banned(unittest.TestCase):
    def count(self, text):
        with tree("base/x.c", text) as root:
            return len(banned.problems(root))

    def test_calls_are_found(self):
        self.assertEqual(self.count("void f(void) { strcpy(a, b); system (c); }\n"), 2)

    def test_reentrant_and_longer_names_pass(self):
        self.assertEqual(self.count("gmtime_r(a, b); hw_system(c); ops->system(d);\n"), 0)

    def test_comments_and_strings_pass(self):
        self.assertEqual(self.count('/* strcpy(a, b) */ char *s = "system(x)"; // gets(s)\n'), 0)

    def test_a_quote_in_a_character_constant_does_not_hide_code(self):
        self.assertEqual(self.count("char c = '\"'; strcpy(a, b); char d = '\"';\n"), 1)


class Text(unittest.TestCase):
    def test_line_numbers_survive_blanking(self):
        self.assertEqual(sources.code_only("/*\n\n*/x").count("\n"), 2)


if __name__ == "__main__":
    unittest.main()
