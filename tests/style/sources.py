"""What the style checks share: the project's files, and C text without comments and literals."""
import os
import re

SKIPPED_FOLDERS = {"build", "__pycache__"}

# A comment, a string or a character constant: what an identifier search must not look into.
_NOT_CODE = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
_COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">\n]+)[">]', re.MULTILINE)


def find(root, *suffixes):
    """Paths below root, relative to it and sorted, that end in one of the suffixes."""
    found = []
    for folder, names, files in os.walk(root):
        names[:] = [n for n in names if n not in SKIPPED_FOLDERS and not n.startswith(".")]
        for name in files:
            if name.endswith(suffixes):
                found.append(os.path.relpath(os.path.join(folder, name), root))
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as f:
        return f.read()


def _blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def code_only(text):
    """The text with comments and literals blanked; line numbers stay."""
    return _NOT_CODE.sub(_blank, text)


def includes(text):
    """Each include as (line, quoted, path), those inside comments left out."""
    text = _COMMENT_OR_STRING.sub(lambda m: m.group() if m.group()[0] == '"' else _blank(m), text)
    return [(text.count("\n", 0, m.start(2)) + 1, m.group(1) == '"', m.group(2))
            for m in _INCLUDE.finditer(text)]


def report(problems, what):
    """Print the problems and give the exit code."""
    for line in problems:
        print(line)
    print(f"{what}: {len(problems)} problems")
    return 1 if problems else 0
