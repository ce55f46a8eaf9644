"""Codes of what can be wrong with what goes inside machines.

Read by `freehold.config.codes`.
"""

from freehold.config.codes.code import Code

INSIDE: dict[str, Code] = {
    "invalid-package": Code(
        "Not a Debian package",
        "`apt` names packages as apt-get does: NAME, NAME=VERSION or NAME/RELEASE, in lower case.",
        "Write for example `apt: [git, curl]`.",
    ),
    "invalid-requirement": Code(
        "Not a Python requirement",
        "`pip` names requirements: NAME, NAME==VERSION or NAME @ URL; options of pip have no place there.",
        'Write for example `pip: [httpie, "ruff>=0.9"]`.',
    ),
    "invalid-repository": Code(
        "Not the address of a Git repository",
        "`repo` is a URL (https, ssh, git, file), HOST:PATH or an absolute path inside the machine.",
        "Write for example `repo: https://git.example.org/app.git`.",
    ),
    "secret-in-url": Code(
        "Password in a URL",
        "infra.yml is kept under version control and shown to people; a password or token does not belong there, and would end up in the machine's `.git/config` too.",
        "Remove what stands before the `@`, and change that password; for a private repository use a deploy key and an ssh address.",
    ),
    "invalid-account": Code(
        "Not the name of a user or group",
        "Names of accounts are letters, digits, `_`, `-` and `.`, at most 32 of them; a number is written as text.",
        "Write for example `owner: www-data`.",
    ),
    "invalid-mode": Code(
        "Not a file's permissions",
        "Permissions are three or four octal digits, written as text: YAML parsers read an unquoted `0644` as 420 or as 644.",
        'Write for example `mode: "0644"`.',
    ),
    "template-in-value": Code(
        "Template where text is taken literally",
        "Ansible would fill in `{{ … }}`, `{% … %}` or `{# … #}` inside the machine, where no check and no plan sees the outcome. Only `vars` may hold templates, and files placed by `templates`.",
        "Write the value out; what must be computed belongs into a role or into one of `templates`.",
    ),
    "outside-the-folder": Code(
        "File outside of the estate's folder",
        "What goes inside machines is kept beside infra.yml, so that the folder is complete: no absolute path, no `..`, no link that leads out.",
        "Copy the file into the folder of infra.yml, for example to `files/`.",
    ),
    "source-not-found": Code(
        "File to put inside is missing",
        "`src` names a file, relative to the folder of infra.yml, that is not there or cannot be read.",
        "Make the file, or correct the path.",
    ),
    "destination-taken": Code(
        "Two things at the same path",
        "Lists of `defaults`, domain and machine add up; two of their checkouts, files or templates have the same `dest`.",
        "Keep one of them, or give one another `dest`.",
    ),
    "listed-twice": Code(
        "Listed twice",
        "The same package, requirement, script or role is named twice for one machine; lists of `defaults`, domain and machine add up, and the same words in two of these places count once.",
        "Keep one of them.",
    ),
    "unknown-role": Code(
        "Unknown role",
        "A role is a folder in `roles/` beside infra.yml, one that comes with Freehold, or one of a collection, named in full (NAMESPACE.COLLECTION.ROLE).",
        "Make it (`ansible-galaxy role init roles/NAME`), or install it there (`ansible-galaxy role install -p roles NAME`).",
    ),
    "role-not-for-machines": Code(
        "Role does not run by name",
        "Some roles that come with Freehold have their place in site.yml already.",
        "Remove it.",
    ),
    "invalid-variable-name": Code(
        "Not a variable's name",
        "Variables of Ansible are letters, digits and `_`, no digit first, and no keyword of Python.",
        "Choose a name such as `ollama_models`.",
    ),
    "reserved-variable": Code(
        "Variable is reserved",
        "Ansible or Freehold gives the name a meaning already and would not use, or would overwrite, the value.",
        "Choose another name; variables of a role begin with the role's name.",
    ),
    "connection-variable": Code(
        "Variable of Ansible's connection",
        "How machines are reached is Freehold's to write, and stands in inventory/hosts.yml only: a connection variable of a group would beat a play's own `connection:`.",
        "Remove it. For one run: `ansible-playbook site.yml -e NAME=VALUE`.",
    ),
}
