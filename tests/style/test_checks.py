#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every style check can fail: each gets a bad sample and has to say so, and a good one that it has to pass."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import check_docs
import check_floors
import check_hardening
import check_heads
import check_install
import check_language
import check_shell
import check_sizes

SPDX_C = "/* SPDX-License-Identifier: LGPL-2.1-or-later */\n"
HEAD_C = SPDX_C + "/*\n * A sample.\n */\n"


class SampleTest(unittest.TestCase):
    """A source tree that holds just what a test writes into it."""

    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="berth-style-"))
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)

    def write(self, name: str, content) -> pathlib.Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def complaints(self, check) -> str:
        return "\n".join(map(str, check(self.root)[0]))


class FloorsTest(SampleTest):
    def includes(self, folder: str, header: str) -> str:
        self.write(f"src/{folder}/sample.c", f'#include <stdio.h>\n#include "{header}"\n')
        self.write(f"src/{header}", "")
        return self.complaints(check_floors.check)

    def test_down_is_fine(self):
        self.assertEqual(self.includes("helper/launch", "basic/macro.h"), "")
        self.assertEqual(self.includes("ctl", "client/berth.h"), "")
        self.assertEqual(self.includes("spec", "spec/definition.h"), "")

    def test_up(self):
        self.assertIn("src/basic/sample.c:2: \"spec/definition.h\" lies above", self.includes("basic", "spec/definition.h"))

    def test_sideways(self):
        self.assertIn("never see each other", self.includes("manager", "helper/launch/plan.h"))
        self.assertIn("never see each other", self.includes("helper/launch", "generator/graph.h"))

    def test_ctl_reaches_for_the_helper(self):
        self.assertIn("out of reach", self.includes("ctl", "helper/launch/plan.h"))

    def test_no_floor_in_the_path(self):
        self.assertIn("does not say its floor", self.includes("basic", "macro.h"))

    def test_missing_header(self):
        self.write("src/basic/a.c", '#include "basic/nowhere.h"\n')
        self.assertIn("does not exist", self.complaints(check_floors.check))

    def test_unknown_folder(self):
        self.write("src/misc/a.c", "")
        self.assertIn("no floor", self.complaints(check_floors.check))


class SizesTest(SampleTest):
    def test_long_c_function(self):
        good = "static int good(void)\n{\n        return 0;\n}\n"
        body = "        x();\n" * check_sizes.FUNCTION_LINES
        self.write("src/basic/a.c", good + "int bad(const char *a,\n        int b) {\n" + body + "}\n")
        complaints = self.complaints(check_sizes.check)
        self.assertIn("src/basic/a.c:5: bad() has", complaints)
        self.assertNotIn("good()", complaints)

    def test_tables_are_not_functions(self):
        rows = "        { 1, f(2) },\n" * 100
        self.write("a.c", f"static const struct row rows[ELEMENTSOF(x)] = {{\n{rows}}};\nenum e {{\n" + "A,\n" * 100 + "};\n")
        self.assertEqual(self.complaints(check_sizes.check), "")

    def test_braces_in_literals(self):
        self.write("a.c", "int f(void) {\n        return '{' + \"}{{\"[0]; /* { */\n}\nint g(void) {\n}\n")
        self.assertEqual([name for name, _, _ in check_sizes.c_functions((self.root / "a.c").read_text())], ["f", "g"])

    def test_long_python_and_shell_functions(self):
        self.write("a.py", "def bad():\n" + "    x()\n" * check_sizes.FUNCTION_LINES)
        self.write("a.sh", "worse() {\n" + "        x\n" * check_sizes.FUNCTION_LINES + "}\n")
        self.assertIn("bad() has", self.complaints(check_sizes.check))
        self.assertIn("worse() has", self.complaints(check_sizes.check))

    def test_long_file(self):
        self.write("a.h", "\n" * (check_sizes.FILE_LINES + 1))
        self.assertIn("601 lines", self.complaints(check_sizes.check))


class HeadsTest(SampleTest):
    def test_good(self):
        self.write("LICENSE", "x")
        self.write("a.h", HEAD_C + "#pragma once\n")
        self.write("a.c", SPDX_C + "int x;\n")
        self.write("a.py", "#!/usr/bin/python3\n# SPDX-License-Identifier: LGPL-2.1-or-later\n")
        self.assertEqual(self.complaints(check_heads.check), "")

    def test_bad(self):
        self.write("a.c", "int x;\n")
        self.write("b.h", SPDX_C + "/*\n" + " * Long.\n" * 30 + " */\n")
        self.write("tools/c", "#!/bin/bash\n")
        complaints = self.complaints(check_heads.check)
        for expected in ("a.c:1: the first line", "a.c:2: head comment of 0", "b.h:2: head comment of 32",
                         "b.h:1: no #pragma once", "tools/c:1: no SPDX", "LICENSE: missing"):
            self.assertIn(expected, complaints)


class LanguageTest(SampleTest):
    def complains(self, name: str, content, expected: str):
        path = self.write(name, content)
        self.assertIn(expected, self.complaints(check_language.check))
        path.unlink()

    def test_good(self):
        self.write("a.c", "/* strcpy() is bad, 3 \u00b5s is good */\nint x = my_system(\"system(1)\") + p->read(1);\n"
                          "char *s = \"" + "1" * 120 + "\";\n")
        self.assertEqual(self.complaints(check_language.check), "")

    def test_bad(self):
        self.complains("a.c", "int x;\t\n", "a.c:1: a tab")
        self.complains("a.c", "int x; \n", "blanks at the end")
        self.complains("a.c", "int x;", "exactly one newline")
        self.complains("a.c", "int x = " + "1" * 120 + ";\n", "at most 120")
        self.complains("a.c", "char *x = \"" + "1" * 170 + "\";\n", "at most 170")
        self.complains("a.c", "int f() {\n        strcpy(a, b);\n}\n", "a.c:2: strcpy(): use")
        self.complains("a.c", "        r = system (\"x\");\n", "system(): use")
        self.complains("a.md", "a\u202eb\n", "the character U+202E")
        self.complains("a.md", "a\x1b[1m\n", "the character U+001B")
        self.complains("a.md", b"\xff\n", "not UTF-8")
        self.complains("a.py", "# TO" "DO: write it\n", "left to be done")


class ShellTest(SampleTest):
    def test_good(self):
        self.write("a.sh", "echo hello\n")
        self.assertEqual(self.complaints(check_shell.check), "")

    def test_bad(self):
        self.write("a.sh", "if true; then\n")
        self.write("tools/b", "#!/usr/bin/python3\nif True\n")
        complaints = self.complaints(check_shell.check)
        self.assertIn("a.sh", complaints)
        self.assertIn("tools/b", complaints)

    @unittest.skipUnless(shutil.which("shellcheck"), "shellcheck is not installed")
    def test_shellcheck(self):
        self.write("a.sh", "cd $1\nrm -rf $2/*\n")
        self.assertIn("SC2164", self.complaints(check_shell.check))


class InstallTest(SampleTest):
    def test_bad_places_and_modes(self):
        self.write("usr/bin/berthctl", "").chmod(0o4755)
        self.write("usr/lib/systemd/system/container@.service", "").chmod(0o644)
        self.write("usr/sbin/berth", "").chmod(0o755)
        self.write("etc/berth/x", "")
        self.write("usr/lib/libberth.so.0.0.0", "").chmod(0o755)
        (self.root / "usr/lib/libberth.so.0").symlink_to("libberth.so.0.0.0")
        (self.root / "usr/lib/libberth.so").symlink_to("/tmp/libberth.so.0")
        complaints = "\n".join(map(str, check_install.check_tree(self.root, "/usr")[0]))
        self.assertIn("/usr/bin/berthctl: mode 4755", complaints)
        self.assertIn("/usr/sbin/berth: nothing of berth belongs there", complaints)
        self.assertIn("/etc/berth/x: outside of the prefix", complaints)
        self.assertIn("/usr/libexec/berth/berth-helper: is not installed", complaints)
        self.assertNotIn("container@.service", complaints)
        self.assertNotIn("libberth.so.0", complaints)
        self.assertIn("/usr/lib/libberth.so: a link", complaints)


class DocsTest(SampleTest):
    HELP = "berthctl VERB\n\nDefinitions:\n  cat NAME...     Show\n  verify FILE     Check\n\nOptions:\n  --help   Show\n"

    def test_verbs(self):
        man = ".Sh COMMANDS\n.Bl -tag\n.It Cm cat Ar name ...\nShows.\n.It Cm verify Ar file\n.El\n.Sh FILES\n"
        self.assertEqual(check_docs.verbs_of_help(self.HELP), {"cat", "verify"})
        self.assertEqual(check_docs.verb_problems(self.HELP, man, {"c": "cat verify"}), [])

    def test_undocumented(self):
        man = ".Sh COMMANDS\n.It Cm cat Ar name\n.It Cm gone\n.Sh FILES\n.It Cm verify\n"
        problems = "\n".join(map(str, check_docs.verb_problems(self.HELP, man, {"c": "cat verify-all"})))
        self.assertIn("no entry for `verify'", problems)
        self.assertIn("`gone' is no verb", problems)
        self.assertIn("c: does not know `verify'", problems)
        self.assertIn("lists no verb", str(check_docs.verb_problems("", man, {})[0]))

    @unittest.skipUnless(shutil.which("groff"), "groff is not installed")
    def test_man_page(self):
        page = self.write("bad.1", ".Dd x\n.Dt BAD 1\n.Os\n.Sh NAME\n.Nm bad\n.Nd bad\n.Xx nothing\n.Bl -tag\n")
        self.assertNotEqual(check_docs.man_problems("bad.1", page), [])

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
    def test_unit(self):
        self.write("bad@.service", "[Service]\nType=nonsense\nExecStart=/bin/true\nColour=blue\n")
        problems = "\n".join(map(str, check_docs.unit_problems(self.root)))
        self.assertIn("nonsense", problems)
        self.assertIn("Colour", problems)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
    def test_good_unit(self):
        self.write("good@.service", "[Unit]\nDescription=x %i\n[Service]\nExecStart=/usr/libexec/not/here %i\n")
        self.assertEqual(check_docs.unit_problems(self.root), [])


@unittest.skipUnless(shutil.which("cc") or shutil.which("gcc"), "no compiler")
class HardeningTest(SampleTest):
    CODE = ("#include <stdio.h>\n#include <string.h>\nvoid shown(char *a, const char *b) { strncpy(a, b, 9); }\n"
            "int main(int c, char **v) { char b[99]; shown(b, v[c - 1]); memcpy(b, v[0], (size_t) c);"
            " printf(\"%s%d\", b, c); return 0; }\n")
    GOOD = ["-O2", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2", "-fcf-protection=full", "-fstack-protector-strong",
            "-fPIE", "-pie", "-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,noexecstack"]

    def problems(self, *flags: str) -> str:
        source = self.write("a.c", self.CODE)
        binary = self.root / "a"
        compiler = shutil.which("cc") or "gcc"
        subprocess.run([compiler, *self.GOOD, *flags, str(source), "-o", str(binary)], check=True)
        return "\n".join(check_hardening.binary_problems(binary, {"main", "shown"}, checking=True))

    def test_good(self):
        self.assertEqual(self.problems(), "")

    def test_each_flag(self):
        for expected, flags in {
                "not position independent": ["-no-pie", "-fno-pie"],
                "no RELRO": ["-Wl,-z,norelro"],
                "bound late": ["-Wl,-z,lazy"],
                "executable stack": ["-Wl,-z,execstack"],
                "search path": ["-Wl,-rpath,/opt/lib"],
                "no stack protector": ["-fno-stack-protector"],
                "unchecked": ["-U_FORTIFY_SOURCE"],
                "endbr64": ["-fcf-protection=none"]}.items():
            if expected == "endbr64" and os.uname().machine != "x86_64":
                continue
            with self.subTest(expected):
                self.assertIn(expected, self.problems(*flags))

    def test_static(self):
        self.assertEqual(self.problems("-static-pie"), "")
        self.assertIn("executable stack", self.problems("-static-pie", "-Wl,-z,execstack"))

    def test_set_uid(self):
        self.problems()
        (self.root / "a").chmod(0o4755)
        self.assertIn("set-uid", "\n".join(check_hardening.file_problems(self.root / "a")))

    def test_what_is_for_test_builds(self):
        path = self.write("a", b"\x7fELF\0getenv\0BERTH_HELPER\0")
        self.assertEqual(list(check_hardening.test_build_problems(path)), [])
        for name in ("BERTH_WEAKEN", "BERTH_FAULT"):
            path = self.write("a", b"\x7fELF\0getenv\0" + name.encode() + b"\0")
            self.assertIn(name, "\n".join(check_hardening.test_build_problems(path)))


class ReportTest(unittest.TestCase):
    def test_nothing_looked_at_is_a_failure(self):
        done = subprocess.run([sys.executable, check_sizes.__file__, "--root", "/var/empty-does-not-exist"],
                              stdout=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("nothing to look at", done.stdout)


if __name__ == "__main__":
    unittest.main()
