"""Codes of what can be wrong with files and with YAML itself.

Read by `freehold.config.codes`.
"""

from freehold.config.codes.code import Code
from freehold.diagnostics import Severity

FILES: dict[str, Code] = {
    "file-not-found": Code(
        "File not found",
        "There is no infra.yml (or folder) at the place given.",
        "Run the command in the folder of infra.yml, name it with `-C DIR`, or make one: `freehold init DIR`.",
    ),
    "not-a-file": Code(
        "Not a regular file",
        "A folder, device, pipe or socket stands where a file is expected.",
        "Put a regular file there.",
    ),
    "not-a-folder": Code(
        "Not a folder",
        "A file stands where the folder `infra.d/` is expected.",
        "Rename the file, or move it to `infra.d/NAME.yml`.",
    ),
    "file-not-readable": Code(
        "File cannot be read",
        "The operating system refuses to open or read the file: permissions, or links that go round in a circle.",
        "Look at the file's owner and mode with `ls -l`.",
    ),
    "file-too-large": Code(
        "File too large",
        "A configuration file is larger than 8 MiB; nobody has written that by hand.",
        "Check that it is the right file; split a really large estate into files in `infra.d/`.",
    ),
    "not-utf-8": Code(
        "Not UTF-8 text",
        "The file's bytes are not UTF-8: an older encoding, UTF-16, or not a text at all.",
        "Save it as UTF-8. From Latin-1: `iconv -f latin1 -t utf-8 OLD > NEW`; from UTF-16: `iconv -f utf-16 -t utf-8 OLD > NEW`.",
    ),
    "control-character": Code(
        "Control character",
        "An invisible character that does not belong in a text file, or that changes the direction of writing.",
        "Delete the character.",
    ),
    "file-ignored": Code(
        "File is not read",
        "Only files whose name ends in `.yml` are read from `infra.d/`.",
        "Rename it to end in `.yml`, or move it out of `infra.d/`.",
        Severity.WARNING,
    ),
    "empty-file": Code(
        "Nothing in the file",
        "The file is empty or holds only comments.",
        "Start with `freehold: 1` and `name: …`, or have a file made: `freehold init DIR`.",
    ),
}

YAML: dict[str, Code] = {
    "yaml-syntax": Code(
        "YAML syntax error",
        "The file is not YAML from the marked place on.",
        "Look at the marked place and at the line before it.",
    ),
    "bad-indentation": Code(
        "Indentation does not fit",
        "The line does not stand at the same column as the keys or items it belongs to.",
        "Keys of one mapping, and the `-` of one list, start in the same column; indent what is inside by two spaces.",
    ),
    "tab-indentation": Code(
        "Tab used to indent",
        "YAML does not allow tabs in front of a key.",
        "Replace the tab by spaces.",
    ),
    "unclosed-bracket": Code(
        "Bracket is not closed",
        "A `[` or `{` has no partner, or a comma is missing between two items.",
        "Close the bracket, and put a comma between the items.",
    ),
    "unclosed-quote": Code(
        "Quote is not closed",
        "A text that starts with a quotation mark does not end with one.",
        "Add the closing quotation mark.",
    ),
    "duplicate-key": Code(
        "Key written twice",
        "The same key stands twice in one mapping; parsers silently take one of the two.",
        "Keep one of them.",
    ),
    "defined-twice": Code(
        "Defined in two files",
        "Two files (infra.yml and those in `infra.d/`) define the same name or the same setting.",
        "Keep one of them.",
    ),
    "ambiguous-value": Code(
        "Value that parsers read differently",
        "An unquoted value such as `no`, `010`, `0x1F`, `1_000`, `22:22` or `2024-01-31` is one thing to some YAML parsers and another to others.",
        "Put quotes around it if text is meant.",
    ),
    "ambiguous-name": Code(
        "Name that parsers do not read as text",
        "An unquoted name such as `no`, `on`, `null` or `12` is not text to every YAML parser.",
        "Choose another name, or put it in quotes.",
    ),
    "empty-value": Code(
        "No value",
        "A key is written with nothing (or `null`) behind it.",
        "Write a value, or leave the key out to have its default.",
    ),
    "yaml-anchor": Code(
        "Anchors and aliases are not supported",
        "`&name` and `*name` repeat parts of a YAML file; here they are refused, so that a file can be read top-down.",
        "Write the value out; share settings between machines with a profile.",
    ),
    "yaml-merge-key": Code(
        "Merge keys are not supported",
        "`<<:` copies one mapping into another; only some YAML parsers know it.",
        "Write the keys out; share settings between machines with a profile.",
    ),
    "yaml-tag": Code(
        "Tags are not supported",
        "`!name` in front of a value gives it a type of its own; `!secret NAME` is the only tag that means something here.",
        "Remove the tag.",
    ),
    "secret-not-here": Code(
        "No secret can stand here",
        "`!secret NAME` stands for a text that Freehold hands over without reading it: in `provision.vars` and in `secrets` of a service.",
        "Write the value itself if it is no secret; a secret that goes inside a machine is a variable, below `provision: vars:`.",
    ),
    "invalid-secret-name": Code(
        "Not a name of a secret",
        "The name of a secret is a letter, then letters, digits, `_`, `-` and `.`, at most 128 characters.",
        "Write the name, never the secret itself, and give it its value with `freehold secret set NAME`.",
    ),
    "yaml-key": Code(
        "Key is not a plain name",
        "A key is itself a list or a mapping.",
        "Write a name in front of the colon. If a template's `{{ … }}` was meant, put it in quotes.",
    ),
    "several-documents": Code(
        "More than one document in the file",
        "A second `---` starts another YAML document.",
        "Remove the second `---`; put further domains into files in `infra.d/`.",
    ),
    "not-a-mapping": Code(
        "The file does not consist of keys",
        "At the top of the file stands a list or a single text instead of `key: value` lines.",
        "Write `freehold: 1` on the first line, and the other keys below it; a space follows each colon.",
    ),
    "too-deep": Code(
        "Nested too deeply",
        "Lists and mappings stand more than 40 levels inside each other.",
        "Check the brackets.",
    ),
    "too-many-problems": Code(
        "Too many problems",
        "There are more than 1,000 problems; only the first ones are shown.",
        "Repair these first.",
    ),
}
